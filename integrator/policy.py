"""May this be asked, for this purpose, and what may come back? Compiled from policies/*.yaml; pure: data in, decision out.

Nothing is allowed that no grant allows. A decision names the authorisation that decided and the digest of its exact
text, so that years later anyone can see which words permitted what.

    purpose ──► authorisation (legal text, organisations, validity) ──► grant (service: search keys, fields, depth)
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from integrator.errors import ConfigurationError
from integrator.model import LocalizedString, Withheld
from integrator.places import parse_yaml

_FOREVER = 4102444800.0  # 2100-01-01


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


@dataclass(frozen=True, slots=True, eq=False)  # compared by identity: a grant is one line of one file
class Grant:
    """What one authorisation lets its organisations do with one service."""

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


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True, eq=False)  # by identity: one decision on one day, remembered
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


Decision = Permit | Denial

ADVICE: Mapping[str, str] = {
    "UNKNOWN_PURPOSE": "The hub knows no such purpose. GET /docs lists them; the token names the purpose.",
    "NO_AUTHORISATION": "No authorisation names this organisation for this purpose. Ask its DPO which purpose the task has, or request a protocol.",
    "NOT_YET_VALID": "The authorisation is not in force yet. Wait for its first day.",
    "EXPIRED": "The authorisation has ended. Ask for its renewal before asking again.",
    "APPLICATION_NOT_NAMED": "The authorisation names other applications of this organisation. Have this one added, or use the one named.",
    "SERVICE_NOT_GRANTED": "This purpose does not need this service. Use a purpose that does, if the task is another one.",
    "ANSWERS_ONLY": "For this purpose the data are only used inside a yes/no answer. Ask the composed service instead.",
    "KEY_NOT_GRANTED": "This purpose may not search by this key. Search by one that is granted.",
    "NOTHING_GRANTED": "None of the fields asked is granted for this purpose. Leave `fields` out to get what is.",
    "HISTORY_NOT_GRANTED": "This purpose may only know the present. Ask without `history`.",
    "TERRITORY": "The subject does not live on the territory of the organisation, and this purpose stops there.",
}


class Policies:
    """All grants, indexed by (purpose, organisation, service); `decide` touches only the few that could matter."""

    def __init__(
        self, purposes: Mapping[str, Purpose], grants: Mapping[tuple[str, str, str], tuple[Grant, ...]]
    ) -> None:
        self.purposes = purposes
        self._grants = grants
        self._known = frozenset((purpose, organisation) for purpose, organisation, _ in grants)
        self._permits: dict[tuple[Ask, Grant, int], Permit] = {}

    def decide(self, ask: Ask, now: float) -> Decision:
        """Permit or denial for one question. Never raises: what cannot be decided is denied."""
        candidates = self._grants.get((ask.purpose, ask.organisation, ask.service), ())
        best: Decision | None = None
        for grant in candidates:
            if (
                grant.starts <= now < grant.ends
                and (grant.applications is None or ask.application in grant.applications)
                and (ask.part or not grant.answers_only)
                and ask.keys <= grant.keys
                and (not ask.history or grant.history_years)
            ):
                decision = self._permit(ask, grant, now)
                if best is None or _breadth(decision) > _breadth(best):  # grants are never added up: each stands alone
                    best = decision
        return best or self._denial(ask, candidates, now)

    def grants(self, purpose: str, organisation: str) -> Iterator[Grant]:
        """Every grant of an organisation for a purpose, in force or not (introspection, checks)."""
        for (for_purpose, for_organisation, _), grants in self._grants.items():
            if (for_purpose, for_organisation) == (purpose, organisation):
                yield from grants

    def _permit(self, ask: Ask, grant: Grant, now: float) -> Decision:
        key = (ask, grant, int(now // 86400))
        permit = self._permits.get(key)
        if permit is None:
            granted = expand(grant.fields, ask.offers)
            wanted = granted if ask.fields is None else expand(ask.fields, ask.offers)
            fields = granted & wanted
            if not fields:
                return Denial(
                    "NOTHING_GRANTED", grant.authorisation, ADVICE["NOTHING_GRANTED"], self.purposes[ask.purpose]
                )
            withheld = (
                ()
                if ask.fields is None
                else tuple(Withheld(name, "NOT_GRANTED") for name in sorted(tops(wanted - granted)))
            )
            day = datetime.fromtimestamp(now, UTC).date()
            since = (day - timedelta(days=round(365.25 * grant.history_years))).isoformat() if ask.history else None
            if len(self._permits) > 4096:
                self._permits.clear()
            permit = self._permits[key] = Permit(
                grant,
                self.purposes[ask.purpose],
                fields,
                tuple(sorted(tops(fields))),
                withheld,
                since,
                fields != granted,
            )
        return permit

    def _denial(self, ask: Ask, candidates: tuple[Grant, ...], now: float) -> Denial:
        purpose = self.purposes.get(ask.purpose)
        if purpose is None:
            return Denial("UNKNOWN_PURPOSE", None, ADVICE["UNKNOWN_PURPOSE"])
        if not candidates:
            known = (ask.purpose, ask.organisation) in self._known
            reason = "SERVICE_NOT_GRANTED" if known else "NO_AUTHORISATION"
            rule = (
                next((grant.authorisation for grant in self.grants(ask.purpose, ask.organisation)), None)
                if known
                else None
            )
            return Denial(reason, rule, ADVICE[reason], purpose)
        # The nearest miss explains best: of all grants that could have matched, the one that failed latest in this order.
        reason, rule = max(
            ((_missed(ask, grant, now), grant.authorisation) for grant in candidates),
            key=lambda miss: _ORDER.index(miss[0]),
        )
        return Denial(reason, rule, ADVICE[reason], purpose)


def _breadth(decision: Decision) -> int:
    return len(decision.fields) if isinstance(decision, Permit) else -1


_ORDER = ("EXPIRED", "NOT_YET_VALID", "APPLICATION_NOT_NAMED", "ANSWERS_ONLY", "KEY_NOT_GRANTED", "HISTORY_NOT_GRANTED")


def _missed(ask: Ask, grant: Grant, now: float) -> str:
    if now >= grant.ends:
        return "EXPIRED"
    if now < grant.starts:
        return "NOT_YET_VALID"
    if grant.applications is not None and ask.application not in grant.applications:
        return "APPLICATION_NOT_NAMED"
    if grant.answers_only and not ask.part:
        return "ANSWERS_ONLY"
    return "HISTORY_NOT_GRANTED" if ask.keys <= grant.keys else "KEY_NOT_GRANTED"


def expand(names: frozenset[str], offers: frozenset[str]) -> frozenset[str]:
    """Names with everything inside them, as far as the service offers it.

    >>> sorted(expand(frozenset({"address"}), frozenset({"address", "address.postCode", "ssin"})))
    ['address', 'address.postCode']
    """
    return frozenset(
        offered for offered in offers if offered in names or any(offered.startswith(name + ".") for name in names)
    )


def tops(names: frozenset[str]) -> frozenset[str]:
    """Names without those that stand inside another one of the set.

    >>> sorted(tops(frozenset({"address", "address.postCode", "b.c"})))
    ['address', 'b.c']
    """
    return frozenset(name for name in names if not any(name.startswith(other + ".") for other in names))


def load_policies(folder: Path, organisations: Mapping[str, Any]) -> Policies:
    """All purposes of a folder. Raises `ConfigurationError` naming the file; all files or none."""
    return compile_policies([(path.name, path.read_bytes()) for path in sorted(folder.glob("*.yaml"))], organisations)


def compile_policies(files: list[tuple[str, bytes]], organisations: Mapping[str, Any]) -> Policies:
    """The same from bytes: order of files never matters."""
    purposes: dict[str, Purpose] = {}
    index: dict[tuple[str, str, str], list[Grant]] = {}
    for name, text in sorted(files):
        try:
            data = parse_yaml(name, text)
            purpose = _purpose(data)
            digest = hashlib.sha256(text).hexdigest()
            for authorisation in data["authorisations"]:
                for organisation in members(authorisation["organisations"], organisations):
                    for grant in _grants(authorisation, digest):
                        index.setdefault((purpose.code, organisation, grant.service), []).append(grant)
        except (KeyError, TypeError) as error:
            raise ConfigurationError(f"{name}: {type(error).__name__} {error}") from error
        if f"{purpose.code}.yaml" != name:
            raise ConfigurationError(f"{name}: `purpose:` says {purpose.code!r}, not the file's name")
        purposes[purpose.code] = purpose
    return Policies(
        purposes, {key: tuple(sorted(grants, key=lambda grant: grant.authorisation)) for key, grants in index.items()}
    )


def members(named: list[str], organisations: Mapping[str, Any]) -> list[str]:
    """KBO numbers of organisations named one by one, or by `group:`.

    Raises `ConfigurationError` for a name nobody has: an authorisation for no one is a typing error.
    """
    numbers: list[str] = []
    for name in named:
        if name.startswith("group:"):
            group = organisations["groups"].get(name.removeprefix("group:"))
            if group is None:
                raise ConfigurationError(f"no such group of organisations: {name!r}")
            numbers += members(group, organisations)
        elif name in organisations["organisations"]:
            numbers.append(organisations["organisations"][name]["number"])
        elif name.isdigit() and len(name) == 10:
            numbers.append(name)
        else:
            raise ConfigurationError(f"no such organisation: {name!r}")
    return numbers


def _purpose(data: Mapping[str, Any]) -> Purpose:
    return Purpose(
        data["purpose"], LocalizedString.read(data["title"]), LocalizedString.read(data["why"]), data["dpv"], data["retention"],
        data["processingActivity"], data["legalBasis"], data["disclosure"],
    )  # fmt: skip


def _grants(authorisation: Mapping[str, Any], digest: str) -> Iterator[Grant]:
    applications = authorisation.get("applications", "any")
    for grant in authorisation["grants"]:
        fields = frozenset(grant.get("fields") or grant.get("answers") or ())
        if not fields:
            raise ConfigurationError(
                f"{authorisation['id']}: a grant of {grant['service']} without fields permits nothing"
            )
        yield Grant(
            service=grant["service"], keys=frozenset(grant["keys"]), fields=fields,
            answers_only=grant.get("use", "release") == "answersOnly",
            history_years=int(grant.get("historyYears", 0)), territory_own=grant.get("territory", "any") == "own",
            lifts=frozenset(grant.get("lifts", ())), authorisation=authorisation["id"], digest=digest,
            legal_context=authorisation.get("legalContext", {}),
            applications=None if applications == "any" else frozenset(applications),
            starts=_midnight(authorisation["validFrom"]),
            ends=_midnight(authorisation["validUntil"], plus_days=1) if "validUntil" in authorisation else _FOREVER,
        )  # fmt: skip


def _midnight(day: date | str, plus_days: int = 0) -> float:
    parsed = day if isinstance(day, date) else date.fromisoformat(day)
    return datetime(parsed.year, parsed.month, parsed.day, tzinfo=UTC).timestamp() + plus_days * 86400
