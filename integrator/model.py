"""The words of an exchange, as values: who asks, what, about whom, and what may be answered. Imports nothing of ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from integrator.fixed import fixed

Keys = Mapping[str, Any]
NOTHING: Mapping[str, Any] = MappingProxyType({})
QUESTION, SENDER, RECEIVER = "", "sender", "receiver"  # directions: what is asked has none, what is delivered goes one way


@dataclass(frozen=True, slots=True)
class Caller:
    """An application speaking for one organisation, for one purpose, as its token says."""

    organisation: str  # KBO enterprise number, 10 digits
    application: str  # id given at enrolment
    purpose: str  # purpose code, = name of the file in policies/
    agent: str | None = None  # the civil servant or system behind the call; recorded, never disclosed by default
    roles: frozenset[str] = frozenset()  # the agent's, as his organisation keeps them; believed from an issuer only
    unit: str | None = None  # the service he works for
    assurance: str | None = None  # how surely he was identified (eIDAS): low | substantial | high
    mandate: str | None = None  # reference of the mandate he acts under
    on_behalf_of: str | None = None  # the agent who delegated to him, if any


@fixed
class Trace:
    """Where this exchange stands among others. Ids are lowercase hex, W3C sizes."""

    trace_id: str  # 32 hex, new for every exchange: the caller cannot choose or collide it
    span_id: str  # 16 hex
    related: str | None = None  # the caller's own BelGov-Trace-Id, as received


@fixed
class Request:
    """One question at the door of `exchange`: keys are already checked against the service's own schema."""

    service: str
    caller: Caller
    keys: Keys
    trace: Trace
    fields: frozenset[str] | None = None  # narrowing by the caller; None = all that is granted
    dossier: str | None = None  # dossierReference: the case this question belongs to
    history: bool = False
    language: str = "fr"  # nl | fr | de | en
    scenario: str | None = None  # sandbox only: the fault a tester asks the mock to play
    emergency: str | None = None  # why conditions must give way now; recorded sealed, and confirmed by a second person
    direction: str = QUESTION  # of what is delivered: SENDER | RECEIVER


@dataclass(frozen=True, slots=True)
class Withheld:
    """A field that was asked or granted and is not in the answer, and why."""

    field: str
    reason: str  # NOT_GRANTED | NOT_COMMUNICABLE | FILTERED_BY_SOURCE | HISTORY_DEPTH


@fixed
class Answer:
    """What goes back to the caller, and only after it was recorded."""

    body: Mapping[str, Any]
    payload: bytes  # the same as JSON: its digest stands in the ledger, so it is made once, before the record
    trace: Trace
    entries: tuple[int, ...]  # ledger indices that were durable before this answer existed
    shard: str
    retry_after: int | None = None  # seconds; set when part of the answer is unknown
    receipt: bytes | None = None  # signed, for the entry that concludes the exchange


@dataclass(frozen=True, slots=True)
class LocalizedString:
    """A text people read, in the languages of the country; German where we have it."""

    nl: str
    fr: str
    en: str
    de: str | None = None

    @classmethod
    def read(cls, value: Mapping[str, str]) -> LocalizedString:
        return cls(nl=value["nl"], fr=value["fr"], en=value["en"], de=value.get("de"))

    def json(self) -> dict[str, str]:
        texts = {"nl": self.nl, "fr": self.fr, "en": self.en}
        return texts | {"de": self.de} if self.de else texts

    def in_(self, language: str) -> str:
        return getattr(self, language, None) or self.en
