"""What a token is for: rich authorization requests (RFC 9396) with one type of ours, `purpose`.

    [{"type": "purpose", "purpose": "resident_permit", "dossier": "IX-2026-17", "agent": "a.7f3"}]

`dossier` (the case) and `agent` (who at the organisation; a pseudonym, never a national number) may be left out.
The shorthand `purpose=resident_permit` says the same without the two.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integrator.identity.applications import Application
from integrator.strict_json import NotStrict, loads

_TEXT = re.compile(r"[\w./:-]{1,64}")
_NUMBER = re.compile(r"\d{11}")
_MEMBERS = frozenset({"type", "purpose", "dossier", "agent"})


class NotGranted(ValueError):
    """`invalid_authorization_details`: the words say what may be asked instead."""


@dataclass(frozen=True, slots=True)
class Detail:
    """One purpose, perhaps narrowed to one case and one agent."""

    purpose: str
    dossier: str | None = None
    agent: str | None = None

    def json(self) -> list[dict[str, str]]:
        members = {"type": "purpose", "purpose": self.purpose, "dossier": self.dossier, "agent": self.agent}
        return [{name: value for name, value in members.items() if value is not None}]


def asked(details: str | None, shorthand: str | None, application: Application) -> Detail:
    """What the application asks a token for. Raises `NotGranted`."""
    if (details is None) == (shorthand is None):
        raise NotGranted(
            'name one purpose: authorization_details=[{"type":"purpose","purpose":…}] or purpose=…, not both'
        )
    detail = Detail(shorthand) if shorthand is not None else parse(details or "")
    if detail.purpose not in application.purposes:
        raise NotGranted("the application is not enrolled for this purpose; its enrolment names those it may use")
    return detail


def parse(details: str) -> Detail:
    """The parameter's text. Raises `NotGranted`."""
    try:
        # The strict reader wants an object at the top, so one is put round the list.
        wrapped = loads(b'{"details":' + details.encode() + b"}", depth=6)
    except (NotStrict, UnicodeEncodeError):
        raise NotGranted("authorization_details is not strict JSON") from None
    if len(wrapped) != 1:
        raise NotGranted("authorization_details is not one JSON list")
    return read(wrapped["details"])


def read(items: Any) -> Detail:
    """The decoded value, from a request or a token. Raises `NotGranted`."""
    if not isinstance(items, list) or len(items) != 1 or not isinstance(items[0], dict):
        raise NotGranted("authorization_details is a list of exactly one object: one token, one purpose")
    item: Mapping[str, Any] = items[0]
    if item.get("type") != "purpose" or not isinstance(item.get("purpose"), str):
        raise NotGranted("the only type here is `purpose`, with the purpose's code")
    if not item.keys() <= _MEMBERS:
        raise NotGranted("beside type and purpose there may be dossier and agent, nothing else")
    return Detail(item["purpose"], _text(item, "dossier"), _text(item, "agent"))


def _text(item: Mapping[str, Any], name: str) -> str | None:
    value = item.get(name)
    if value is None and name not in item:
        return None
    if not isinstance(value, str) or not _TEXT.fullmatch(value):
        raise NotGranted(f"{name}: 1 to 64 letters, digits or . _ - / :")
    if _NUMBER.search(re.sub(r"[./:_-]", "", value)):
        raise NotGranted(f"{name}: no national number here, use a reference of your own")
    return value
