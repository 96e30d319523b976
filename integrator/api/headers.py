"""Headers: what we take from a request, once and strictly, and what every answer carries."""

from __future__ import annotations

import os
import re
from functools import lru_cache

from integrator.api.problems import EdgeRefusal
from integrator.ids import like_a_number
from integrator.model import Trace

Raw = list[tuple[bytes, bytes]]
LANGUAGES = ("nl", "fr", "de", "en")

_ONCE = (
    b"host", b"authorization", b"content-type", b"content-length", b"content-encoding", b"transfer-encoding", b"client-cert",
)  # fmt: skip
_RELATED = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_SCENARIO = re.compile(rb"[A-Za-z0-9._:=-]{1,64}")
# 11 digits, written as one number or in the groups of an identity card: 85.66.08-123.41
_NUMBER = re.compile(r"(?<!\d)\d{2}[-. /]?\d{2}[-. /]?\d{2}[-. /]?\d{3}[-. /]?\d{2}(?!\d)")

SECURITY: tuple[tuple[bytes, bytes], ...] = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)


def refuse_doubles(raw: Raw, headers: dict[bytes, bytes]) -> None:
    """Raises `EdgeRefusal` when a header that decides something stands there twice (`headers` is `dict(raw)`)."""
    if len(headers) != len(raw):
        names = [name for name, _ in raw]
        for name in _ONCE:
            if names.count(name) > 1:
                raise EdgeRefusal("badRequest", f"send the {name.decode().title()} header once")


def new_trace(headers: dict[bytes, bytes]) -> Trace:
    """Our own trace id (a UUIDv4 without dashes), and the caller's as far as it is one."""
    trace, span = _drawn()
    while like_a_number(trace):  # it is asked for in addresses later, where no number may stand
        trace, span = _drawn()
    related = headers.get(b"belgov-trace-id")
    return Trace(trace, span, None if related is None else read_related(related))


def read_related(related: bytes) -> str | None:
    """The caller's own trace id, or None when it is none: a national number is not, and goes into no log."""
    words = related.decode() if _RELATED.fullmatch(related) else None
    return None if words is None or holds_number(words) else words


def _drawn() -> tuple[str, str]:
    digits = os.urandom(24).hex()
    return f"{digits[:12]}4{digits[13:16]}{'89ab'[int(digits[16], 16) & 3]}{digits[17:32]}", digits[32:]


def trace_headers(trace: Trace) -> Raw:
    own = (b"belgov-trace-id", trace.trace_id.encode())
    return [own] if trace.related is None else [own, (b"belgov-related-trace-id", trace.related.encode())]


def holds_number(words: str) -> bool:
    """Whether something stands there that looks like a national number, valid or not.

    >>> holds_number("/persons/85660812341"), holds_number("/enterprises/0207373429")
    (True, False)
    """
    return _NUMBER.search(words) is not None


def bearer(headers: dict[bytes, bytes]) -> str | None:
    """The token of `Authorization: Bearer …`, or None when there is none of that kind."""
    value = headers.get(b"authorization")
    if value is None or value[:7].lower() != b"bearer ":
        return None
    return value[7:].strip().decode("latin-1")


def scenario(headers: dict[bytes, bytes], *, sandbox: bool) -> str | None:
    """The fault a tester asks the mocks to play. Raises `EdgeRefusal` in production."""
    value = headers.get(b"integrator-test-scenario")
    if value is None:
        return None
    if not sandbox:
        raise EdgeRefusal("badRequest", "Integrator-Test-Scenario exists in the sandbox only: leave the header out")
    if not _SCENARIO.fullmatch(value):
        raise EdgeRefusal("badRequest", "Integrator-Test-Scenario: 1 to 64 letters, digits or . _ : = -")
    return value.decode()


@lru_cache(maxsize=256)
def language(accept: bytes, default: str = "fr") -> str:
    """The best of nl, fr, de, en for an Accept-Language value (RFC 9110 §12.5.4).

    >>> language(b"de;q=0.4, nl-BE;q=0.9"), language(b"*"), language(b"es")
    ('nl', 'fr', 'fr')
    """
    best, chosen = 0.0, default
    for part in accept.decode("latin-1").lower().split(",")[:16]:
        tag, _, weight = part.partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=")) if weight.strip() else 1.0
        except ValueError:
            continue
        word = tag.strip()[:2]
        if word in LANGUAGES and best < quality <= 1.0:
            best, chosen = quality, word
    return chosen
