"""The terms of a decision, as values: the purpose, the grant, the question, and the permit or denial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integrator.fixed import fixed
from integrator.model import LocalizedString, Withheld
from integrator.policy.conditions import NO_FACTS, NO_LIMITS, Conditions, Facts, Limits

__all__ = [
    "ADVICE", "FOREVER", "NO_FACTS", "Ask", "Conditions", "Decision", "Denial", "Facts", "Grant", "Law", "Limits", "Permit", "Purpose",
]  # fmt: skip

FOREVER = 4102444800.0  # 2100-01-01: the end of what has none


@dataclass(frozen=True, slots=True)
class Law:
    """One legal text, and which articles of it."""

    title: LocalizedString
    articles: tuple[str, ...] = ()
    url: str | None = None  # ELI


@dataclass(frozen=True, slots=True)
class Purpose:
    """Why data are asked (finaliteit): what the citizen reads, and how long the record is kept."""

    code: str
    title: LocalizedString
    why: LocalizedString
    dpv: str
    retention: str
    activity: str  # versioned entry of the register of processing (URI)
    legal_basis: str
    disclosure: Mapping[str, Any]
    laws: tuple[Law, ...] = ()
    controller: str = (
        "organisation"  # who answers for the processing: whoever asks, or one body by its short name or KBO number
    )
    processors: tuple[str, ...] = ("integrator",)


@dataclass(frozen=True, slots=True, eq=False)  # compared by identity: a grant is one line of one file
class Grant:
    """What one authorisation lets its organisations do with one service."""

    id: str  # the authorisation's, with the position of the line in it: school@2026-1#2
    purpose: str
    organisations: frozenset[str]  # KBO numbers
    service: str
    keys: frozenset[str]
    fields: frozenset[str]  # canonical names, or the check codes of a composition
    answers_only: bool
    history_years: int
    territory_own: bool
    lifts: frozenset[str]
    authorisation: str
    digest: str  # sha-256 of the purpose file's bytes
    legal_context: Mapping[str, str]
    applications: frozenset[str] | None  # None = any application of the organisation
    starts: float  # epoch seconds, inclusive
    ends: float  # epoch seconds, exclusive
    conditions: Conditions | None = None  # before the call; None = none, which costs nothing
    limits: Limits = NO_LIMITS
    minors: str = "any"  # any | exclude | only: about whom, looked at after the answer
    notify: frozenset[str] = frozenset()  # kinds of recipient who are told of every use: dpo, subject, …
    pseudonymise: bool = False  # identifiers leave as pseudonyms of the organisation


@fixed
class Ask:
    """What is decided upon: no identifiers, only the kinds of things asked."""

    organisation: str
    application: str
    purpose: str
    service: str
    keys: frozenset[str]
    offers: frozenset[str]
    fields: frozenset[str] | None = None
    history: bool = False
    part: bool = False  # inside a composition: nothing of it is released


@dataclass(frozen=True, slots=True, eq=False)  # by identity: one decision, remembered
class Permit:
    """Allowed: exactly these fields, under this grant."""

    grant: Grant
    purpose: Purpose
    fields: frozenset[str]
    categories: tuple[str, ...]  # the same, topmost names only, sorted: what the ledger and the citizen read
    withheld: tuple[Withheld, ...]
    since: str | None  # ISO date: closed periods that ended earlier are not given
    narrowed: bool  # the caller asked for less than is granted


@dataclass(frozen=True, slots=True)
class Denial:
    """Not allowed: the reason's code, the rule that decided (or came nearest), and what would help."""

    reason: str
    rule: str | None
    advice: str
    purpose: Purpose | None = None
    retry_after: int | None = None  # seconds, of a limit that is used up


Decision = Permit | Denial

ADVICE: Mapping[str, str] = {
    "UNKNOWN_PURPOSE": "The hub knows no such purpose. GET /docs lists them; the token names the purpose.",
    "NO_AUTHORISATION": "No authorisation names this organisation for this purpose. Ask its DPO which purpose the task has, or request a protocol.",
    "NOT_YET_VALID": "The authorisation is not in force yet. Wait for its first day.",
    "EXPIRED": "The authorisation has ended. Ask for its renewal before asking again.",
    "SUSPENDED": "A data protection officer suspended this authorisation. Ask the DPO of the organisation what it waits for.",
    "APPLICATION_NOT_NAMED": "The authorisation names other applications of this organisation. Have this one added, or use the one named.",
    "SERVICE_NOT_GRANTED": "This purpose does not need this service. Use a purpose that does, if the task is another one.",
    "ANSWERS_ONLY": "For this purpose the data are only used inside a yes/no answer. Ask the composed service instead.",
    "KEY_NOT_GRANTED": "This purpose may not search by this key. Search by one that is granted.",
    "NOTHING_GRANTED": "None of the fields asked is granted for this purpose. Leave `fields` out to get what is.",
    "HISTORY_NOT_GRANTED": "This purpose may only know the present. Ask without `history`.",
    "TOO_FAR_BACK": "This purpose does not look back that far. /docs/rights tells how many years it may; begin later.",
    "ROLE_NOT_ALLOWED": "The authorisation is for agents with another role. Ask whoever manages roles in your organisation, or hand the case over.",
    "ASSURANCE_TOO_LOW": "The agent must be identified more surely for this. Sign in with eID or itsme, and ask a new token.",
    "OUTSIDE_HOURS": "This may only be asked in the hours that the authorisation names, Brussels time.",
    "DOSSIER_MISSING": "Name the case: add `dossierReference`.",
    "NOT_REGISTERED": "Your organisation keeps no file about this subject in the quality this purpose needs. Register it in the directory of references first.",
    "REGISTRATION_UNKNOWN": "Whether your organisation keeps a file about this subject could not be looked up. Ask again after Retry-After.",
    "QUOTA_EXCEEDED": "The limit of this authorisation is used up. Ask again after Retry-After.",
    "QUOTA_UNKNOWN": "How much of the limit is left could not be looked up. Ask again after Retry-After.",
    "PSEUDONYMS_UNKNOWN": "The hub cannot make pseudonyms now, and this authorisation gives nothing else. Ask again after Retry-After.",
    "EMERGENCY_NOT_ALLOWED": "An emergency does not pass this condition, or the agent is not named, or has too many emergencies that nobody confirmed yet.",
    "TOO_MANY_RESULTS": "More was found than this purpose may see at once. Ask more narrowly: add a key.",
    "AGE": "The purpose does not cover a person of this age, or nobody knows the age.",
    "TERRITORY": "The subject does not live on the territory of the organisation, and this purpose stops there.",
}
