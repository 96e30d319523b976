"""What can go wrong at a source, as a vocabulary, and the board on which an operator or a test sets it.

Three families: `timing` and `transport` happen on the wire, `body` mangles the true answer (all in layer.py),
`semantic` is handed to the source in `scope["mock.fault"]`, because only the source can tell a lie that looks true.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

FAMILIES: dict[str, str] = {
    "delay": "timing",
    "lognormal": "timing",
    "hang": "timing",
    "drip": "timing",
    "reset": "transport",
    "http500": "transport",
    "http503": "transport",
    "empty": "body",
    "truncated": "body",
    "malformed": "body",
    "content_type": "body",
    "soap_fault": "semantic",
    "throttled": "semantic",
    "expired_signature": "semantic",
    "wrong_signature": "semantic",
    "over_delivery": "semantic",
    "wrong_subject": "semantic",
    "wrong_nonce": "semantic",
    "wrong_imprint": "semantic",
    "expired_certificate": "semantic",
    "unsorted_certificates": "semantic",
}
"""Every kind of fault, with its family."""

DEFAULT_MS = {"delay": 200.0, "lognormal": 80.0, "drip": 5000.0}
"""delay: all of it · lognormal: its median · drip: from first to last byte."""

SOURCES = (
    "rr",
    "ksz",
    "kbo",
    "div",
    "best",
    "dimona",
    "cadastre",
    "debts_receipts",
    "debts_postes",
    "debts_arrears",
    "parking",
    "tsa",
)
NAMES = {**{source: source for source in SOURCES}, "rijksregister": "rr"}
"""What a caller may write for a source, and which one it means."""

_STAMPS = frozenset({"wrong_nonce", "wrong_imprint", "expired_certificate", "unsorted_certificates"})
_SIGNED_SOAP = frozenset(FAMILIES) - _STAMPS
_FILE = frozenset({"empty", "truncated", "malformed", "hang", "reset", "http500", "http503"})
_REST = _SIGNED_SOAP - {"soap_fault", "expired_signature", "wrong_signature"}
KINDS: dict[str, frozenset[str]] = {
    "rr": _SIGNED_SOAP,
    "ksz": _SIGNED_SOAP,
    "kbo": _SIGNED_SOAP - {"expired_signature", "wrong_signature"},  # its answers are not signed
    "div": _REST,
    "best": _REST,
    "dimona": _REST,
    "debts_receipts": _REST,
    "debts_postes": _REST,
    "debts_arrears": _REST,
    "cadastre": _REST,
    "parking": _FILE,  # a file can be broken or gone, not slow
    "tsa": frozenset(kind for kind, family in FAMILIES.items() if family != "semantic") | _STAMPS,
}
"""Which kinds mean something at which source; asking another one is refused rather than ignored."""

FILE_VARIANTS = {
    "truncated": ("half_record", "missing_trailer"),
    "malformed": ("garbage_line", "wrong_count"),
}
"""How the parking file is broken; the first is the default."""

_PROPERTIES = frozenset({"kind", "rate", "times", "ms", "sigma", "at", "variant"})


class UnknownFault(ValueError):
    """A fault was asked that does not exist or means nothing at that source; the text names what is wrong."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, ready to strike."""

    kind: str
    rate: float = 1.0  # share of the questions that it strikes, 0..1
    times: int | None = None  # strikes left before it wears off; None = until deleted
    ms: float | None = None  # milliseconds, see DEFAULT_MS
    sigma: float = 0.5  # lognormal only: spread of ln(delay)
    at: str = "service"  # "service", or "token" for the OAuth endpoint of a source
    variant: str | None = None  # which way of it: FILE_VARIANTS at parking, the source's own words at SOAP sources

    @property
    def milliseconds(self) -> float:
        """The time this fault takes, or 0 when time is not its matter."""
        return DEFAULT_MS.get(self.kind, 0.0) if self.ms is None else self.ms

    def as_document(self) -> dict[str, Any]:
        """The fault as the admin API shows it, without what was not said."""
        shown = {name: getattr(self, name) for name in ("kind", "rate", "times", "ms", "sigma", "at", "variant")}
        if self.kind != "lognormal":
            del shown["sigma"]
        return {name: value for name, value in shown.items() if value is not None}


def parse_fault(source: str, document: object) -> Fault:
    """Read a fault from the admin API's JSON; raises UnknownFault when it is not one for this source.

    >>> parse_fault("div", {"kind": "delay", "ms": 50}).milliseconds
    50
    """
    if not isinstance(document, dict):
        raise UnknownFault("a fault is a JSON object with at least `kind`")
    unknown = sorted(set(document) - _PROPERTIES)
    if unknown:
        raise UnknownFault(f"unknown property: {unknown[0]}")
    kind = document.get("kind")
    if kind not in KINDS[source]:
        raise UnknownFault(f"{source} knows: {', '.join(sorted(KINDS[source]))}")
    _check_numbers(document)
    _check_words(source, kind, document)
    return Fault(**document)


def _check_numbers(document: dict[str, Any]) -> None:
    rate, times = document.get("rate", 1.0), document.get("times")
    if not _is_number(rate) or not 0 <= rate <= 1:
        raise UnknownFault("rate: a number from 0 to 1")
    if times is not None and (type(times) is not int or times < 1):
        raise UnknownFault("times: a whole number from 1, or null")
    for name in ("ms", "sigma"):
        value = document.get(name)
        if name in document and value is not None and (not _is_number(value) or not 0 <= value <= 600_000):
            raise UnknownFault(f"{name}: a number from 0 to 600000")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_words(source: str, kind: str, document: dict[str, Any]) -> None:
    at, variant = document.get("at", "service"), document.get("variant")
    if at not in ("service", "token") or (at == "token" and source != "div"):
        raise UnknownFault("at: service (or, at div, token)")
    if source == "parking" and (set(document) & {"rate", "times", "ms", "sigma"}):
        raise UnknownFault("parking is a file: a fault is there or not, without rate, times or duration")
    if variant is not None and not _is_variant(source, kind, variant):
        raise UnknownFault("variant: at parking one of that kind's own, at a SOAP source a word for a semantic kind")


def _is_variant(source: str, kind: str, variant: object) -> bool:
    """The file's variants are known here; a SOAP source's are its own, so any word passes."""
    if source == "parking":
        return variant in FILE_VARIANTS.get(kind, ())
    word = isinstance(variant, str) and variant.isidentifier() and len(variant) <= 40
    return word and source in ("rr", "ksz", "kbo") and FAMILIES[kind] == "semantic"


def parse_scenario(text: str, source: str) -> Fault | None:
    """Find this source's fault in an `Integrator-Test-Scenario` header: `div.reset`, `div.delay;ms=50, kbo.empty`.

    None when every entry is about other sources; raises UnknownFault for a source or kind that does not exist,
    so that a misspelled scenario cannot pass for a quiet success.

    >>> parse_scenario("kbo.empty, div.delay;ms=50", "div").ms
    50.0
    """
    found = None
    for entry in text.split(","):
        words, *settings = entry.strip().split(";")
        named, _, kind = words.strip().partition(".")
        if named not in NAMES:
            raise UnknownFault("scenario: <source>.<kind>, with a source that exists")
        fault = parse_fault(NAMES[named], {"kind": kind, **_settings(settings)})
        if NAMES[named] == source and found is None:
            found = fault
    return found


def _settings(entries: Iterable[str]) -> dict[str, float | str]:
    read: dict[str, float | str] = {}
    for entry in entries:
        name, _, value = entry.strip().partition("=")
        if name == "variant":
            read[name] = value
            continue
        if name not in ("ms", "sigma"):
            raise UnknownFault("scenario setting: ms=…, sigma=… or variant=…")
        try:
            read[name] = float(value)
        except ValueError as error:
            raise UnknownFault(f"{name}: a number") from error
    return read


class Board:
    """The faults now set, one per source; `draw` decides, call by call, whether one strikes and when it wears off."""

    def __init__(self, seed: int = 7) -> None:
        self._set: dict[str, Fault] = {}
        self._random = random.Random(seed)
        self._watchers: dict[str, Callable[[Fault | None], None]] = {}

    def watch(self, source: str, changed: Callable[[Fault | None], None]) -> None:
        """Call `changed` with the new fault, or None, whenever this source's fault is set or cleared."""
        self._watchers[source] = changed

    def put(self, source: str, fault: Fault) -> None:
        """Set a source's fault, in the place of any earlier one."""
        self._set[source] = fault
        self._tell(source, fault)

    def clear(self, source: str) -> None:
        """Heal a source; healing a healthy one is no error."""
        if self._set.pop(source, None) is not None:
            self._tell(source, None)

    def get(self, source: str) -> Fault | None:
        """The fault now set, with the times it has left."""
        return self._set.get(source)

    def draw(self, source: str, at: str = "service") -> Fault | None:
        """The fault that strikes this very call, if one does; spends one of its times."""
        fault = self._set.get(source)
        if fault is None or fault.at != at or (fault.rate < 1 and self._random.random() >= fault.rate):
            return None
        self._spend(source, fault)
        return fault

    def gauss(self, sigma: float) -> float:
        """One step of the seeded normal distribution; for lognormal delays."""
        return self._random.gauss(0.0, sigma)

    def _spend(self, source: str, fault: Fault) -> None:
        if fault.times is None:
            return
        if fault.times == 1:
            del self._set[source]
            return
        left = fault.as_document() | {"times": fault.times - 1}
        self._set[source] = Fault(**left)

    def _tell(self, source: str, fault: Fault | None) -> None:
        watcher = self._watchers.get(source)
        if watcher is not None:
            watcher(fault)
