"""Texts by purpose, and the set they make. A text is bytes: its digest stands in decisions, entries and proposals."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from integrator.errors import ConfigurationError, Issue, MalformedRequest
from integrator.places import parse_yaml
from integrator.policy import Grant, Policies, Purpose, compile_policies
from integrator.policy.reading import compile_purpose, read_purposes

Texts = Mapping[str, bytes]  # by purpose code
MOST = 1 << 18  # bytes of one text
Suspended = tuple[str, str | None]  # authorisation, and for which organisation only (KBO number)


def digest(text: bytes) -> str:
    """64 hex.

    >>> digest(b"")[:8]
    'e3b0c442'
    """
    return hashlib.sha256(text).hexdigest()


def digest_of_set(texts: Texts) -> str:
    """One digest for all texts together: what two nodes compare to know that they decide alike."""
    return digest("".join(f"{code} {digest(text)}\n" for code, text in sorted(texts.items())).encode())


def read_texts(path: Path) -> dict[str, bytes]:
    """The texts of a folder, or of one file. Raises `ConfigurationError` when there are none."""
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path] if path.is_file() else []
    if not files:
        raise ConfigurationError(f"no texts in {path}", advice="Name a file such as policies/school_bonus.yaml.")
    return {file.stem: file.read_bytes() for file in files}


def purpose_of(text: bytes) -> str:
    """The purpose a text is about, whatever else is wrong with it. Raises `MalformedRequest`, repeating nothing of it."""
    if len(text) > MOST:
        raise MalformedRequest(
            Issue("schemaViolation", "body", "/texts", f"at most {MOST} bytes in one text"), status=413
        )
    try:
        code = parse_yaml("text", text)["purpose"]
    except (ConfigurationError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise MalformedRequest(Issue("schemaViolation", "body", "/texts", "YAML with `purpose:`")) from error
    if not (isinstance(code, str) and code.isascii() and code.replace("_", "a").isalnum() and len(code) <= 64):
        raise MalformedRequest(Issue("schemaViolation", "body", "/texts", "`purpose:` is a word such as school_bonus"))
    return code


def compile_texts(texts: Texts, organisations: Mapping[str, Any], suspended: Iterable[Suspended] = ()) -> Policies:
    """The set that decides. Raises `ConfigurationError` naming the purpose; all texts or none."""
    purposes, grants = read_purposes([(f"{code}.yaml", text) for code, text in texts.items()], organisations)
    named = frozenset(suspended)
    return suspend(purposes, grants, named) if named else Policies(purposes, grants)


def suspend(purposes: Mapping[str, Purpose], grants: Iterable[Grant], named: Iterable[Suspended]) -> Policies:
    """The same set without what is suspended: it only takes away. A line that applies to nothing stays, to be named."""
    kept: list[Grant] = []
    taken: set[tuple[str, str]] = set()
    by: dict[str, set[str | None]] = {}
    for authorisation, org in named:
        by.setdefault(authorisation, set()).add(org)
    for grant in grants:
        orgs = by.get(grant.authorisation, set())
        hit = grant.organisations if None in orgs else grant.organisations & {org for org in orgs if org}
        if hit:
            kept.append(replace(grant, organisations=hit, ends=grant.starts))
            taken.update((grant.authorisation, org) for org in hit)
        if rest := grant.organisations - hit:
            kept.append(replace(grant, organisations=rest) if hit else grant)
    return Policies(purposes, kept, frozenset(taken))


def slipped(old: Policies, new: Policies) -> list[str]:
    """What is suspended in `old` and would come back in `new` by another name, as sentences; none is what should be.

    An authorisation that goes away takes its suspension with it. That is nobody's loss while nothing comes to the same
    organisation in its place.
    """
    fresh = _named(new) - _named(old)
    found: dict[tuple[str, ...], list[str]] = {}
    for name, org in sorted(old.suspended - new.suspended):
        if came := sorted(other for other, whose in fresh if whose == org):
            found.setdefault((name, *came), []).append(org)
    return [
        f"{name} is suspended, and {', '.join(came)} would be given in its place to {', '.join(orgs[:5])}{', …' if orgs[5:] else ''}"
        for (name, *came), orgs in found.items()
    ]


def _named(policies: Policies) -> set[tuple[str, str]]:
    """(authorisation, organisation) of every line."""
    return {
        (grant.authorisation, org)
        for purpose, org, _ in policies.held()
        for grant in policies.grants(purpose, org)
    }  # fmt: skip


def whole(texts: Texts, organisations: Mapping[str, Any]) -> tuple[dict[str, bytes], dict[str, str]]:
    """The texts that can be read each by itself, and of the others what is wrong. For a start, when nothing is kept yet:
    a purpose whose text cannot be read gives nothing, and the others go on."""
    good: dict[str, bytes] = {}
    bad: dict[str, str] = {}
    for code, text in texts.items():
        try:
            compile_policies([(f"{code}.yaml", text)], organisations)
            good[code] = text
        except ConfigurationError as error:
            bad[code] = str(error)
    return good, bad


def organisations_in(text: bytes, organisations: Mapping[str, Any]) -> frozenset[str]:
    """KBO numbers of everybody a text gives something. Raises `ConfigurationError`."""
    _, lines = compile_purpose(parse_yaml("text", text), digest(text), organisations)
    return frozenset().union(*(line.organisations for line in lines))
