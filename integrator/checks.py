"""`integrator check`: the whole collection of data rooms, read as one. Each finding has a file, a line and what to do.

schemas ─► names and references between rooms ─► authorisations (dates, cases, grants that can never apply) ─► rooms
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from integrator import checks_conditions, checks_packages, checks_then, checks_where, directory
from integrator.adapters.layout import load as load_layout
from integrator.errors import ConfigurationError, IntegratorError
from integrator.mapping import Sheet, load_sheets
from integrator.places import YamlLoader, parse_yaml
from integrator.policy import Policies, cases, compile_policies, expand, tops
from integrator.policy.lines import overlaps
from integrator.registry import manifests
from integrator.services import Service, load_services

SOON = timedelta(days=60)
CASES_OF_A_ROOM = ("found", "unknown", "down")


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing to mend: `error` stops a release, `warning` asks for a look."""

    file: str
    line: int
    severity: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.severity}: {self.message}"


class Lines:
    """Where each key of a YAML document stands, so that a finding can name the line."""

    def __init__(self, text: str) -> None:
        self._lines: dict[tuple[Any, ...], int] = {}
        node = yaml.compose(text, Loader=YamlLoader)
        if node is not None:
            self._note((), node)

    def at(self, path: tuple[Any, ...]) -> int:
        """Line of the nearest known place on the way to `path`."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def _note(self, path: tuple[Any, ...], node: Any) -> None:
        self._lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                self._lines[(*path, key.value)] = key.start_mark.line + 1
                self._note((*path, key.value), value)
        elif isinstance(node, yaml.SequenceNode):
            for number, value in enumerate(node.value):
                self._note((*path, number), value)


@dataclass(frozen=True, slots=True)
class Room:
    """One YAML file of the collection."""

    path: Path
    name: str  # relative to the home of the data rooms
    data: Any
    lines: Lines
    text: bytes

    def finding(self, message: str, *path: Any, severity: str = "error") -> Finding:
        return Finding(self.name, self.lines.at(path), severity, message)


def check(home: Path, today: date, policies: Mapping[str, bytes] | None = None) -> list[Finding]:
    """Every finding over the data rooms below `home`, sorted by file and line.

    `policies`: texts by purpose that stand for the files of policies/, as when a change to them is judged.
    """
    findings: list[Finding] = []
    rooms = _read(home, findings, policies)
    findings += _schemas(home, rooms)
    findings += _adapters(rooms)
    if any(finding.severity == "error" for finding in findings):
        return sorted(findings)  # what does not fit its schema cannot be followed any further
    try:
        sheets = load_sheets(home / "mappings")
        services = load_services(home / "config" / "services", sheets, sandbox=frozenset())
        organisations = _one(rooms, "config/organisations.yaml").data
        sources = {**manifests(home / "connectors"), directory.SOURCE: directory.manifest()}
        compiled = compile_policies([(room.path.name, room.text) for room in _in(rooms, "policies")], organisations)
    except IntegratorError as error:
        named = str(error).partition(":")[0]
        named = next((room.name for room in rooms if room.path.name == named), named)
        return sorted([*findings, Finding(named, 1, "error", str(error))])
    findings += _mappings(rooms, sheets, sources, home)
    findings += _services(rooms, services, sources, organisations)
    findings += _overlaps(rooms, compiled, services)
    codes = {room.path.stem: frozenset(room.data["codes"]) for room in _in(rooms, "mappings/codes")}
    for room in _in(rooms, "policies"):
        findings += _purpose(room, _one(rooms, "config/retention.yaml").data)
        findings += _authorisations(room, services, today)
        findings += _conditions(room, services, organisations, codes)
        findings += _policy_cases(room, compiled, services, organisations)
    findings += _packages(rooms, services, compiled, organisations)
    findings += _scenarios(rooms, services, organisations)
    findings += _connectors(home)
    findings += _directory(_one(rooms, "config/directory.yaml"), rooms)
    return sorted(set(findings))


# --- reading and schemas ----------------------------------------------------------------------------------------------

_SCHEMAS = {
    "config/services": "service", "policies": "purpose", "mappings": "mapping", "mappings/codes": "codes",
    "config/organisations.yaml": "organisations", "config/defaults.yaml": "settings", "config/retention.yaml": "retention",
    "config/scenarios": "scenario", "config/indicators": "indicator", "config/open": "opencatalog",
    "config/alerts.yaml": "alerts", "config/directory.yaml": "directory", "config/register.yaml": "register",
}  # fmt: skip


def _read(home: Path, findings: list[Finding], policies: Mapping[str, bytes] | None = None) -> list[Room]:
    patterns = (
        "config/*.yaml", "config/services/*.yaml", "config/scenarios/*.yaml", "policies/*.yaml", "mappings/*.yaml",
        "mappings/codes/*.yaml", "connectors/*/connector.yaml", "connectors/*/adapter.yaml", "connectors/*/faults.yaml",
        "connectors/*/indicators.yaml", "config/indicators/*.yaml", "config/open/*.yaml", "connectors/*/cases/*.yaml",
    )  # fmt: skip
    rooms = []
    files = [(path, path.read_bytes()) for pattern in patterns for path in sorted(home.glob(pattern))]
    if policies is not None:
        files = [(path, text) for path, text in files if path.parent.name != "policies"]
        files += [(home / "policies" / f"{code}.yaml", text) for code, text in sorted(policies.items())]
    for path, text in files:
        name = path.relative_to(home).as_posix()
        try:
            rooms.append(Room(path, name, parse_yaml(name, text), Lines(text.decode("utf-8")), text))
        except ConfigurationError as error:
            line = str(error).partition(":")[2].partition(":")[0]
            findings.append(
                Finding(
                    name, int(line) if line.isdigit() else 1, "error", str(error).rpartition(": ")[2] + " (not YAML)"
                )
            )
    return rooms


def _schemas(home: Path, rooms: list[Room]) -> Iterator[Finding]:
    validators: dict[str, Draft202012Validator] = {}
    for path in sorted((home / "config" / "schema").glob("*.schema.json")):
        validators[path.name.removesuffix(".schema.json")] = Draft202012Validator(
            json.loads(path.read_text(encoding="utf-8"))
        )
    for room in rooms:
        kind = _kind(room.name)
        validator = validators.get(kind) if kind else None
        if validator is None:
            continue
        plain = json.loads(json.dumps(room.data, default=str))
        for error in validator.iter_errors(plain):
            place = tuple(error.absolute_path)
            yield room.finding(f"{'.'.join(map(str, place)) or 'the file'}: {error.message[:200]}", *place)


def _kind(name: str) -> str | None:
    if name.endswith("/connector.yaml"):
        return "connector"
    if name.endswith("/adapter.yaml"):
        return "adapter"
    if name.endswith("/indicators.yaml"):
        return "words"
    if "/cases/" in name:
        return "case"
    return _SCHEMAS.get(name) or _SCHEMAS.get(name.rpartition("/")[0])


def _adapters(rooms: list[Room]) -> Iterator[Finding]:
    """Layouts that fit their schema and yet describe no file."""
    for room in rooms:
        if room.name.endswith("/adapter.yaml"):
            try:
                load_layout(room.path, sandbox=frozenset())
            except ConfigurationError as error:
                yield room.finding(str(error))


def _scenarios(rooms: list[Room], services: Mapping[str, Service], organisations: Any) -> Iterator[Finding]:
    """Scenarios that name what is not there: an application, a purpose, a service, a package."""
    purposes = {room.path.stem for room in _in(rooms, "policies")}
    adapters = {room.path.parent.name for room in rooms if room.name.endswith("/adapter.yaml")}
    for room in _in(rooms, "config/scenarios"):
        said = room.data
        if said["scenario"] != room.path.stem:
            yield room.finding("scenario: must be the file's name", "scenario")
        known = {name: set(one["purposes"]) for name, one in said["applications"].items()}
        for name, one in said["applications"].items():
            strange = ({one["organisation"]} - set(organisations["organisations"])) | (known[name] - purposes)
            for word in sorted(strange):
                yield room.finding(f"{name}: no organisation or purpose {word}", "applications", name)
        for place in (("before",), *(("cases", case, "steps") for case in said["cases"])):
            for number, step in enumerate(_within(said, place)):
                asked = step.get("ask") or step.get("send") or step.get("call") or {}
                used = step.get("drop") or step.get("finds") or step.get("waiting") or {}
                if "as" in asked and asked["as"] not in known:
                    yield room.finding(f"no application {asked.get('as')}", *place, number)
                elif "as" in asked and asked["purpose"] not in known[asked["as"]]:
                    yield room.finding(f"{asked['as']} is not enrolled for {asked['purpose']}", *place, number)
                if "service" in asked and asked["service"] not in services:
                    yield room.finding(f"no service {asked['service']}", *place, number)
                if used and used["adapter"] not in {*said.get("adapters", ())} & adapters:
                    yield room.finding(f"adapters: {used['adapter']} is not named or not there", *place, number)


def _within(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        value = value.get(name) or {}
    return value or ()


def _packages(
    rooms: list[Room], services: Mapping[str, Service], policies: Policies, organisations: Any
) -> Iterator[Finding]:
    """Packages that take part in what no service takes, or in what their organisation was not granted."""
    for room in rooms:
        if not room.name.endswith("/adapter.yaml"):
            continue
        try:
            layout = load_layout(room.path, sandbox=frozenset())
            wrong = list(checks_packages.of_package(layout, services, policies, organisations))
        except ConfigurationError as error:
            wrong = [(str(error), ())]
        yield from (room.finding(said, *place) for said, place in wrong)


# --- references -------------------------------------------------------------------------------------------------------


def _mappings(
    rooms: list[Room], sheets: Mapping[str, Sheet], sources: Mapping[str, Any], home: Path
) -> Iterator[Finding]:
    for room in _in(rooms, "mappings"):
        sheet = sheets[room.path.stem]
        manifest = sources.get(sheet.source)
        if manifest is None:
            yield room.finding(
                f"no connector {sheet.source!r}; make one with `integrator new {sheet.source}`", "source"
            )
        elif sheet.operation not in manifest.operations:
            yield room.finding(f"connector {sheet.source} has no operation {sheet.operation!r}", "operation")
        if not list((home / "mappings" / f"{sheet.name}.cases").glob("*.case")):
            yield room.finding(f"no golden case in mappings/{sheet.name}.cases/")


def _services(
    rooms: list[Room], services: Mapping[str, Service], sources: Mapping[str, Any], organisations: Any
) -> Iterator[Finding]:
    numbers = frozenset(one["number"] for one in organisations["organisations"].values())
    routes: dict[str, str] = {}
    for room in _in(rooms, "config/services"):
        service = services[room.path.stem]
        if service.source is not None and service.source not in sources:
            yield room.finding(f"no connector {service.source!r}", "source")
        if service.sheet is not None and (service.sheet.source, service.sheet.operation) != (
            service.source,
            service.operation,
        ):
            yield room.finding(
                f"mapping {service.sheet.name} is of {service.sheet.source}.{service.sheet.operation}", "mapping"
            )
        yield from _write(room, service, services, sources)
        route = f"{service.method} {service.path}"
        yield from (room.finding(said, *place) for said, place in checks_then.of_message(service, services))
        yield from (room.finding(said, *place) for said, place in checks_then.of_relay(service, services, numbers))
        yield from (
            room.finding(said, *place) for said, place in checks_where.of_composition(room.data, service, services)
        )
        if not service.has_door:
            continue  # they share the door where they are followed, or set going
        if route in routes:
            yield room.finding(f"{routes[route]} already has this route", "route")
        routes[route] = service.name
        for part in service.parts:
            unknown = part.fields - services[part.service].offers
            if unknown:
                yield room.finding(
                    f"{part.service} offers no {', '.join(sorted(unknown))}", "parts", part.name, "fields"
                )


def _write(
    room: Room, service: Service, services: Mapping[str, Service], sources: Mapping[str, Any]
) -> Iterator[Finding]:
    """A write goes to an operation that changes something, and can be asked for by a service that answers at once."""
    later = service.later
    if later is None or not (later.confirm or later.again):
        return
    source, _, operation = str(later.to).partition(".")
    known = sources[source].operations if source in sources else {}
    if not known.get(operation, {}).get("changes"):
        yield room.finding(f"no operation {later.to!r} that its manifest says `changes` something", "delivery", "to")
    if later.confirm is None:
        return
    asked = services.get(later.confirm.service)
    if asked is None or asked.later is not None:
        yield room.finding(
            f"no service {later.confirm.service!r} that answers at once", "delivery", "confirm", "service"
        )
        return
    there = {**service.keys, **later.content}
    if not set(later.confirm.keys) <= there.keys() & asked.keys.keys():
        yield room.finding("a key that one of both does not have", "delivery", "confirm", "keys")
    if not asked.can_be_asked_by(dict.fromkeys(later.confirm.keys)):
        yield room.finding(f"{asked.name} cannot be asked by these keys", "delivery", "confirm", "keys")


def _overlaps(rooms: list[Room], policies: Policies, services: Mapping[str, Service]) -> Iterator[Finding]:
    """A line that gives nothing another line of the purpose does not give: whoever takes one away should know."""
    files = {room.path.stem: room for room in _in(rooms, "policies")}
    for line, other in overlaps(policies, {name: service.offers for name, service in services.items()}):
        room = files[line.purpose]
        ids = [entry["id"] for entry in room.data["authorisations"]]
        place = ("authorisations", ids.index(line.authorisation), "grants", int(line.id.rpartition("#")[2]) - 1)
        yield room.finding(
            f"overlap: {line.id} gives nothing that {other.id} does not give", *place, severity="warning"
        )


def _purpose(room: Room, retention: Mapping[str, Any]) -> Iterator[Finding]:
    if room.data["retention"] not in retention["classes"]:
        yield room.finding(f"no retention class {room.data['retention']!r} in config/retention.yaml", "retention")
    texts = room.data["why"]
    for one, other in (("nl", "fr"), ("nl", "en"), ("fr", "en")):
        if texts[one].strip() == texts[other].strip():
            yield room.finding(
                f"missing translation: `why` says the same in {one} and {other}", "why", other, severity="warning"
            )


def _authorisations(room: Room, services: Mapping[str, Service], today: date) -> Iterator[Finding]:
    for number, entry in enumerate(room.data["authorisations"]):
        where = ("authorisations", number)
        ends = entry.get("validUntil")
        if ends is not None and ends < today:
            yield room.finding(f"{entry['id']} ended on {ends}", *where, "validUntil")
        elif ends is not None and ends < today + SOON:
            yield room.finding(
                f"{entry['id']} ends on {ends}, within 60 days", *where, "validUntil", severity="warning"
            )
        granted: dict[str, list[Mapping[str, Any]]] = {}
        for grant in entry["grants"]:
            granted.setdefault(grant["service"], []).append(grant)
        for position, grant in enumerate(entry["grants"]):
            yield from _grant(room, (*where, "grants", position), grant, granted, services)


def _grant(
    room: Room,
    where: tuple[Any, ...],
    grant: Mapping[str, Any],
    granted: Mapping[str, list[Mapping[str, Any]]],
    services: Mapping[str, Service],
) -> Iterator[Finding]:
    service = services.get(grant["service"])
    if service is None:
        yield room.finding(f"no service {grant['service']!r}", *where, "service")
        return
    names = frozenset(grant.get("fields") or grant.get("answers") or ())
    for name in sorted(names - service.offers):
        yield room.finding(f"{service.name} offers no {name!r}", *where)
    for name in sorted(frozenset(grant["keys"]) - frozenset(service.keys)):
        yield room.finding(f"{service.name} cannot be asked by {name!r}", *where, "keys")
    for said in checks_then.of_direction(grant.get("as"), service):
        yield room.finding(said, *where, "as")
    if not service.can_be_asked_by(dict.fromkeys(grant["keys"])) and not service.exactly_one:
        yield room.finding(f"can never apply: {service.name} needs keys that are not granted", *where, "keys")
    for part in service.parts_for(names):
        offers = services[part.service].offers
        lacking = [
            expand(part.fields, offers) - expand(frozenset(inner.get("fields") or ()), offers)
            | (part.keys - frozenset(inner["keys"]))
            for inner in granted.get(part.service, ())
        ]
        if not lacking:
            yield room.finding(f"can never apply: its part {part.name} needs a grant of {part.service}", *where)
        elif all(lacking):
            least = min(lacking, key=len)
            yield room.finding(f"can never apply: part {part.name} lacks {', '.join(sorted(tops(least)))}", *where)


def _conditions(
    room: Room, services: Mapping[str, Service], organisations: Mapping[str, Any], codes: checks_conditions.Codes
) -> Iterator[Finding]:
    for severity, said, word in checks_conditions.of_purpose(room.data, organisations):
        yield room.finding(said, word, severity=severity)
    for number, entry in enumerate(room.data["authorisations"]):
        for position, grant in enumerate(entry["grants"]):
            service = services.get(grant["service"])
            found = checks_conditions.of_grant(grant, room.data, service, codes) if service is not None else ()
            for severity, said, word in found:
                yield room.finding(said, "authorisations", number, "grants", position, word, severity=severity)


# --- the authorisations' own cases ------------------------------------------------------------------------------------


def _policy_cases(
    room: Room, policies: Policies, services: Mapping[str, Service], organisations: Mapping[str, Any]
) -> Iterator[Finding]:
    seen: dict[str, set[str]] = {}
    for number, case in enumerate(room.data.get("cases") or ()):
        wanted, got, service = judge(
            room.data["purpose"], case, policies, services, organisations, room.data.get("given")
        )
        seen.setdefault(service, set()).add("deny" if "deny" in case["expect"] else "permit")
        for said in checks_then.of_direction(case["ask"].get("as"), services[service]):
            yield room.finding(said, "cases", number, "ask")
        if wanted != got:
            yield room.finding(f"case expects {wanted}, the engine says {got}", "cases", number)
    for number, entry in enumerate(room.data["authorisations"]):
        for position, grant in enumerate(entry["grants"]):
            missing = {"permit", "deny"} - seen.get(grant["service"], set())
            if missing:
                yield room.finding(
                    f"grant of {grant['service']} has no {' and no '.join(sorted(missing))} case",
                    "authorisations",
                    number,
                    "grants",
                    position,
                )


def judge(
    purpose: str,
    case: Mapping[str, Any],
    policies: Policies,
    services: Mapping[str, Service],
    organisations: Mapping[str, Any],
    given: Mapping[str, Any] | None = None,
) -> tuple[Any, Any, str]:
    """What a policy case expects and what the engine says, in the same words."""
    offers = {name: service.offers for name, service in services.items()}
    wanted, got = cases.judge(purpose, case, policies, offers, organisations, given)
    return wanted, got, case["ask"]["service"]


# --- rooms ------------------------------------------------------------------------------------------------------------


def _connectors(home: Path) -> Iterator[Finding]:
    for manifest in sorted((home / "connectors").glob("*/connector.yaml")):
        room = manifest.parent
        name = manifest.relative_to(home).as_posix()
        for needed in ("__init__.py", "README.md", "quality.yaml"):
            if not (room / needed).exists():
                yield Finding(name, 1, "error", f"the room has no {needed}")
        cases = {path.stem for path in (room / "cases").glob("*.yaml")}
        for needed in CASES_OF_A_ROOM:
            if not any(
                case == needed or case.startswith(f"{needed}_") or case.endswith(f"_{needed}") for case in cases
            ):
                yield Finding(
                    name, 1, "error", f"no case {needed!r}: every source is found, unknown and down sometimes"
                )


def _directory(room: Room, rooms: list[Room]) -> Iterator[Finding]:
    """Every quality that a sector may register in has its words, in three languages, in the code list."""
    wanted = f"mappings/codes/{room.data['codes']}.yaml"
    found = [other.data["codes"] for other in rooms if other.name == wanted]
    if not found:
        yield room.finding(f"no code list {room.data['codes']!r}", "codes")
        return
    for sector, codes in room.data["qualities"].items():
        for code in sorted(set(codes) - set(found[0])):
            yield room.finding(f"{wanted} has no code {code!r}", "qualities", sector)


def _in(rooms: list[Room], folder: str) -> list[Room]:
    return [room for room in rooms if room.name.rpartition("/")[0] == folder]


def _one(rooms: list[Room], name: str) -> Room:
    return next(room for room in rooms if room.name == name)
