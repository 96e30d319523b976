"""From policies/*.yaml to the engine: all files or none, and every name in them must exist."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from integrator.errors import ConfigurationError
from integrator.model import LocalizedString
from integrator.places import parse_yaml
from integrator.policy.conditions import DAYS, Conditions, Hours, Limits, strictest
from integrator.policy.engine import Policies
from integrator.policy.terms import FOREVER, QUESTION, Grant, Law, Purpose

OPEN = "open."  # how the names of services begin that anybody may ask


def load_policies(
    folder: Path, organisations: Mapping[str, Any], *, keep: Callable[[bytes], object] | None = None
) -> Policies:
    """All purposes of a folder. Raises `ConfigurationError` naming the file; all files or none.

    `keep` is given every text before it may decide anything: integrator.governing.archive.
    """
    files = [(path.name, path.read_bytes()) for path in sorted(folder.glob("*.yaml"))]
    policies = compile_policies(files, organisations)
    if keep is not None:
        for _, text in files:
            keep(text)
    return policies


def compile_policies(files: list[tuple[str, bytes]], organisations: Mapping[str, Any]) -> Policies:
    """The same from bytes: order of files never matters."""
    return Policies(*read_purposes(files, organisations))


def read_purposes(
    files: list[tuple[str, bytes]], organisations: Mapping[str, Any]
) -> tuple[dict[str, Purpose], list[Grant]]:
    """Purposes by code, and all their lines. Raises `ConfigurationError` naming the file; all files or none."""
    purposes: dict[str, Purpose] = {}
    grants: list[Grant] = []
    for name, text in sorted(files):
        try:
            data = parse_yaml(name, text)
            purpose, lines = compile_purpose(data, hashlib.sha256(text).hexdigest(), organisations)
            grants += lines
        except (KeyError, TypeError, ValueError, AttributeError) as error:  # of a text that keeps to no schema
            raise ConfigurationError(f"{name}: {type(error).__name__} {error}") from error
        except ConfigurationError as error:
            said = error.detail if error.detail.startswith(f"{name}:") else f"{name}: {error.detail}"
            raise ConfigurationError(said, advice=error.hint) from error
        if f"{purpose.code}.yaml" != name:
            raise ConfigurationError(f"{name}: `purpose:` says {purpose.code!r}, not the file's name")
        purposes[purpose.code] = purpose
    return purposes, grants


def compile_purpose(
    data: Mapping[str, Any], digest: str, organisations: Mapping[str, Any]
) -> tuple[Purpose, list[Grant]]:
    """One purpose as read, and its lines. `digest`: of the file's bytes."""
    purpose = _purpose(data)
    grants: list[Grant] = []
    for authorisation in data["authorisations"]:
        named = frozenset(members(authorisation["organisations"], organisations))
        _apart(authorisation, named, organisations)
        grants += _grants(purpose.code, authorisation, named, digest, data.get("assurance"))
    return purpose, grants


def everybody(organisations: Mapping[str, Any]) -> frozenset[str]:
    """KBO numbers that stand for whoever asks without saying who (`kind: public`)."""
    return frozenset(one["number"] for one in organisations["organisations"].values() if one.get("kind") == "public")


def is_open(authorisation: Mapping[str, Any]) -> bool:
    """Whether it is about the open door: services there are called `open.…`, and no others are."""
    return any(grant["service"].startswith(OPEN) for grant in authorisation["grants"])


def _apart(authorisation: Mapping[str, Any], named: frozenset[str], organisations: Mapping[str, Any]) -> None:
    """Anybody gets what is open and nothing else; what is open is given to anybody and to nobody else by name."""
    public = everybody(organisations)
    closed = [grant["service"] for grant in authorisation["grants"] if not grant["service"].startswith(OPEN)]
    if named & public and (closed or named - public):
        raise ConfigurationError(
            f"{authorisation['id']}: anybody may have services that are open, in a text of their own"
        )
    if is_open(authorisation) and not named <= public:
        raise ConfigurationError(
            f"{authorisation['id']}: what is open is for anybody: name the organisation of kind public"
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
        data["processingActivity"], data["legalBasis"], data["disclosure"], tuple(_law(law) for law in data.get("laws", ())),
        data.get("controller", "organisation"), tuple(data.get("processors", ("integrator",))),
    )  # fmt: skip


def _law(law: Mapping[str, Any]) -> Law:
    return Law(LocalizedString.read(law["title"]), tuple(law.get("articles", ())), law.get("url"))


def _grants(
    purpose: str, authorisation: Mapping[str, Any], organisations: frozenset[str], digest: str, assurance: str | None
) -> Iterator[Grant]:
    """`assurance`: the least that the purpose itself asks for; a line may ask for more, never for less."""
    applications = authorisation.get("applications", "any")
    for number, grant in enumerate(authorisation["grants"], start=1):
        fields = frozenset(grant.get("fields") or grant.get("answers") or ())
        if not fields:
            raise ConfigurationError(
                f"{authorisation['id']}: a grant of {grant['service']} without fields permits nothing"
            )
        yield Grant(
            id=f"{authorisation['id']}#{number}", purpose=purpose, organisations=organisations,
            service=grant["service"], keys=frozenset(grant["keys"]), fields=fields,
            answers_only=grant.get("use", "release") == "answersOnly",
            history_years=int(grant.get("historyYears", 0)), territory_own=grant.get("territory", "any") == "own",
            lifts=frozenset(grant.get("lifts", ())), authorisation=authorisation["id"], digest=digest,
            legal_context=authorisation.get("legalContext", {}),
            applications=None if applications == "any" else frozenset(applications),
            starts=_midnight(authorisation["validFrom"]),
            ends=_midnight(authorisation["validUntil"], plus_days=1) if "validUntil" in authorisation else FOREVER,
            conditions=_conditions(grant, assurance), limits=_limits(grant.get("limits", {})), minors=grant.get("minors", "any"),
            notify=frozenset(grant.get("obligations", {}).get("notify", ())),
            pseudonymise=bool(grant.get("obligations", {}).get("pseudonymise", False)),
            directions=frozenset(grant.get("as", (QUESTION,))),
        )  # fmt: skip


def _conditions(grant: Mapping[str, Any], assurance: str | None) -> Conditions | None:
    """None where a line asks for nothing: such a line costs nothing to decide. Raises `ConfigurationError`."""
    found = Conditions(
        frozenset(grant.get("roles", ())), strictest(assurance, grant.get("assurance")), _hours(grant.get("hours")),
        bool(grant.get("dossier", False)), frozenset(str(code) for code in grant.get("registration", ())),
        frozenset(grant.get("breakable", ())),
    )  # fmt: skip
    return found if found.kinds or found.breakable else None


def _hours(said: Mapping[str, Any] | None) -> Hours | None:
    if said is None:
        return None
    hours = Hours(
        frozenset(DAYS.index(day) for day in said.get("days", DAYS)), _minute(said.get("from", "00:00")), _minute(said.get("to", "24:00"))
    )  # fmt: skip
    if not hours.days or hours.start >= hours.end:
        raise ConfigurationError(f"hours {hours}: they end before they begin", advice="Night hours are two lines.")
    return hours


def _minute(clock: str) -> int:
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)


def _limits(said: Mapping[str, int]) -> Limits:
    return Limits(said.get("perMinute"), said.get("perDay"), said.get("perAgentPerDay"), said.get("results"))


def _midnight(day: date | str, plus_days: int = 0) -> float:
    parsed = day if isinstance(day, date) else date.fromisoformat(day)
    return datetime(parsed.year, parsed.month, parsed.day, tzinfo=UTC).timestamp() + plus_days * 86400
