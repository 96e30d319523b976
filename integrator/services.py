"""The services the hub offers, compiled from config/services/*.yaml: keys, route, source, or parts and checks. No I/O
after loading. A service appears in the API, the documentation and the policy checks from this data alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from integrator.errors import ConfigurationError, Issue, MalformedRequest
from integrator.fixed import fixed
from integrator.keytypes import KeyType, Sandbox, compile_key
from integrator.mapping import Sheet
from integrator.mapping_readers import quarter_end
from integrator.model import RECEIVER, SENDER, LocalizedString
from integrator.places import read_yaml
from integrator.rules import Binding, Rule, compile_binding, compile_rule
from integrator.scope import operands_of

_DOSSIER = re.compile(r"[\w./:-]{1,64}", re.ASCII)
_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9.]{0,99}")
_COMMON = frozenset({"dossierReference", "fields", "history", "emergencyJustification"})
JUSTIFICATION = (10, 500)  # characters
_HANDED_IN = frozenset({"dossierReference", "content", "changed"})  # the last two are read by `Later`


@dataclass(frozen=True, slots=True)
class Part:
    """One call inside a composition: a service, the keys bound for it, and the wave it belongs to."""

    name: str
    service: str
    binding: Binding
    keys: frozenset[str]  # the keys it may bind: what the grant must allow
    fields: frozenset[str]
    after: str | None
    when: Rule | None  # asked only when this says yes
    needs: frozenset[str]  # other parts that `when` and the binding look at


@dataclass(frozen=True, slots=True)
class Need:
    """Something that must be known before a check makes sense; its reason is what the caller reads otherwise."""

    rule: Rule
    reason: str


@dataclass(frozen=True, slots=True)
class CheckRule:
    """One question a composition answers with yes, no or unknown."""

    code: str
    title: LocalizedString
    source: str
    rule: Rule
    needs: tuple[Need, ...]
    when: Rule | None  # the check is left out of the answer when this says no
    parts: frozenset[str]  # the parts it looks at


@dataclass(frozen=True, slots=True)
class Confirm:
    """How a source is asked whether a write happened: what this service finds under these keys has happened."""

    service: str
    keys: tuple[str, ...]  # of the write's keys and content


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A write that an answer sets going: for whom, and where each of its keys and contents comes from."""

    service: str
    of: str  # sender | recipient of the message: for whom it is written, and decided
    bound: Mapping[str, str]  # question.x | answer.x | sender | recipient | day | dayBefore


@dataclass(frozen=True, slots=True)
class Then:
    """What an answer of these words sets going: writes, in this order, each only when the one before it was done."""

    when: Mapping[str, str]  # of the answer
    writes: tuple[FollowUp, ...]


@dataclass(frozen=True, slots=True)
class Find:
    """How a relay finds whom a notice is for, at delivery time: a question of its own, in its own name, for its own purpose."""

    service: str
    keys: tuple[str, ...]  # of the notice's
    organisation: str  # in whose name it is asked: the hub's own, for which no application is enrolled
    purpose: str
    recipient: Mapping[str, str]  # key of the letter -> field of the answer, the first that is there
    mailbox: str  # organisation that takes letters


@dataclass(frozen=True, slots=True)
class Later:
    """What is special about a service whose effect is later (`delivery:` in its file)."""

    kind: str  # event | announcement | message | relay | write | erase | portability
    type: str  # of its CloudEvents: person.v1.person.notify.changed
    to: str | None  # message: the key that names the organisation · announcement: the events · others: the effect
    content: Mapping[str, KeyType]  # what may be handed over; of an event nothing but the types of fields
    expires: float  # days
    answer: float | None  # days in which an answer is awaited; None = none is
    reply: Mapping[str, KeyType]  # what an answer may carry
    confirm: Confirm | None = None  # of a write
    again: bool = False  # of a write without `confirm`: done once more it changes nothing
    then: Then | None = None  # of a message
    find: Find | None = None  # of a relay; `to` is the service of its letters
    follows: bool = False  # handed in by nobody: an answer sets it going
    repeats: tuple[str, ...] = ()  # of the content: what an answer says again, so that nobody answers something else

    @property
    def once(self) -> bool:
        """Whether it is answered once: what the answer set going is under way, or what it repeated is kept no longer."""
        return self.then is not None or bool(self.repeats)

    @property
    def op(self) -> str:
        return _OPS.get(self.kind, "dpv:DiscloseByTransmission")

    def read(self, body: Any) -> dict[str, Any]:
        """The content of a message. Raises `MalformedRequest` with every issue found."""
        return _content(self.content, body)

    def read_reply(self, body: Any) -> dict[str, Any]:
        """The content of an answer. Raises `MalformedRequest` with every issue found."""
        return _content(self.reply, body)


def _content(kinds: Mapping[str, KeyType], body: Any) -> dict[str, Any]:
    if not isinstance(body, Mapping) or not body:
        raise MalformedRequest(Issue("requiredInput", "body", "/content", "an object: what is to be delivered"))
    issues: list[Issue] = []
    read: dict[str, Any] = {}
    for name, value in body.items():
        pointer = "/content" + _pointer(name)
        if name not in kinds:
            issues.append(Issue("unknownInput", "body", pointer, "remove it: this delivery carries no such thing"))
            continue
        try:
            read[name] = kinds[name].read(value, pointer)
        except MalformedRequest as refused:
            issues.extend(refused.issues)
    for name, key in kinds.items():
        if key.required and name not in body:
            issues.append(Issue("requiredInput", "body", f"/content/{name}", "add it"))
    if issues:
        raise MalformedRequest(*issues)
    return read


_OPS = {"write": "dpv:Modify", "erase": "dpv:Erase"}
_BOTH = frozenset({SENDER, RECEIVER})
_DIRECTIONS = {"message": _BOTH, "relay": _BOTH, "event": frozenset({RECEIVER})}  # the others are handed in, and nobody gets them


@fixed
class Question:
    """What a façade read from a request: keys in canonical form, and how much is wanted."""

    keys: Mapping[str, Any]
    fields: frozenset[str] | None
    dossier: str | None
    history: bool
    emergency: str | None = None  # why conditions must give way


@dataclass(frozen=True, slots=True)
class Gather:
    """One question goes to every body of the source; what they say is one answer (integrator.gathered)."""

    items: str  # what each body lists
    sum: str  # of an item: what is added up


@dataclass(frozen=True, slots=True)
class Service:
    """One operation the hub offers, in canonical terms."""

    name: str
    method: str
    path: str
    tag: str
    title: LocalizedString
    description: LocalizedString
    keys: Mapping[str, KeyType]
    exactly_one: tuple[tuple[str, ...], ...]
    subject_key: str | tuple[str, ...] | None
    subject_type: str
    needs_dossier: bool
    source: str | None  # connector id; None for a composition
    operation: str | None
    sheet: Sheet | None
    offers: frozenset[str]  # canonical field names, without the list's prefix
    list_name: str | None
    parts: tuple[Part, ...]
    checks: tuple[CheckRule, ...]
    parameters: Mapping[str, Any]
    answer_name: str  # `eligible` for a composition
    public: bool  # about no person: no dossier, GET possible
    is_open: bool = False  # for anybody, without a token, at the open door only
    later: Later | None = None  # its effect is later: what is handed in is kept, then delivered
    gather: Gather | None = None
    past: str | None = None  # it is about the past: the key that says from when

    def reaches(self, keys: Mapping[str, Any]) -> str | None:
        """The last day of the oldest quarter that a question about the past wants (ISO); None for any other service."""
        asked = keys.get(self.past) if self.past else None
        return quarter_end(asked["begin"]) if asked else None

    @property
    def op(self) -> str:
        """What happens to data by it, in DPV's word."""
        return "dpv:Consult" if self.later is None else self.later.op

    @property
    def directions(self) -> frozenset[str]:
        """In which somebody can have it: what is asked has none; who gets a notice's letter answers, so a relay has both."""
        return frozenset() if self.later is None else _DIRECTIONS.get(self.later.kind, frozenset({SENDER}))

    @property
    def has_door(self) -> bool:
        """Whether it is asked, or handed in, at a route of its own: an event is followed, a follow-up is set going."""
        return self.later is None or (self.later.kind != "event" and not self.later.follows)

    @property
    def is_composition(self) -> bool:
        return bool(self.parts)

    @property
    def recorded_as(self) -> str:
        """Who is asked, in the ledger: the source, or this service where several are."""
        return self.name if self.source is None or self.gather is not None else self.source

    def parts_for(self, codes: frozenset[str]) -> tuple[Part, ...]:
        """The parts that these checks need, with what those wait for: nothing more is asked of any source."""
        if not self.parts:
            return ()
        wanted = frozenset().union(*(check.parts for check in self.checks if check.code in codes))
        for part in reversed(self.parts):  # a part only waits for parts that stand before it
            if part.name in wanted:
                wanted |= part.needs
        return tuple(part for part in self.parts if part.name in wanted)

    def can_be_asked_by(self, keys: Mapping[str, Any]) -> bool:
        """Whether these keys are enough for one question (a composition binds them from other answers)."""
        if any(key.required and name not in keys for name, key in self.keys.items()):
            return False
        asked = bool(keys) or not self.keys
        return asked and (not self.exactly_one or self._ways_taken(keys) == 1)

    def _ways_taken(self, keys: Mapping[str, Any]) -> int:
        """How many of the ways to ask these keys complete."""
        return sum(map(frozenset(keys).issuperset, self.exactly_one))

    def subject(self, keys: Mapping[str, Any]) -> tuple[str, str] | None:
        """(type, id) of whom the question is about, or None when it is about no one in particular."""
        names = (self.subject_key,) if isinstance(self.subject_key, str) else self.subject_key or ()
        for name in names:
            if "+" in name:  # an id of several keys, such as a place in a register of streets
                joined = "/".join(str(keys[part]) for part in name.split("+") if part in keys)
                if joined:
                    return self.subject_type, joined
            elif name in keys:
                kind = {"plateNumber": "plate", "enterpriseNumber": "cbe", "vin": "vin", "ssin": "nrn"}.get(
                    name, self.subject_type
                )
                return kind, str(keys[name])
        return None

    def read(self, body: Mapping[str, Any], *, where: str = "body") -> Question:
        """Keys and wishes from a decoded body (or path values). Raises `MalformedRequest` with every issue found."""
        issues: list[Issue] = []
        keys: dict[str, Any] = {}
        for name, value in body.items():
            key = self.keys.get(name)
            if key is None:
                if name not in (_COMMON if self.later is None else _HANDED_IN) or (name == "history" and self.past):
                    issues.append(
                        Issue("unknownInput", where, _pointer(name), "remove it: this service has no such property")
                    )
                continue
            try:
                keys[name] = key.read(value, f"/{name}")  # a name of ours: see `_pointer` for the others
            except MalformedRequest as refused:
                issues.extend(refused.issues)
        missing = [name for name, key in self.keys.items() if key.required and name not in body]
        issues += [Issue("requiredInput", where, _pointer(name), "add it") for name in missing]
        if self.exactly_one and not issues and self._ways_taken(keys) != 1:
            ways = " | ".join(" + ".join(group) for group in self.exactly_one)
            issues.append(Issue("exactlyOneOfExpected", where, "/", f"ask by exactly one of: {ways}"))
        question = self._wishes(body, keys, where, issues)
        if issues:
            raise MalformedRequest(*issues)
        return question

    def _wishes(self, body: Mapping[str, Any], keys: Mapping[str, Any], where: str, issues: list[Issue]) -> Question:
        dossier = body.get("dossierReference")
        if dossier is not None and not (isinstance(dossier, str) and _DOSSIER.fullmatch(dossier)):
            issues.append(Issue("schemaViolation", where, "/dossierReference", "1 to 64 letters, digits or . _ - / :"))
        elif dossier is not None and _holds_number(dossier):
            issues.append(Issue("rejectedInput", where, "/dossierReference", "no national number in a case reference"))
        if dossier is None and self.needs_dossier:
            issues.append(Issue("requiredInput", where, "/dossierReference", "name the case this question belongs to"))
        fields = body.get("fields")
        if fields is not None and not (
            isinstance(fields, list)
            and fields
            and all(isinstance(name, str) and _FIELD.fullmatch(name) for name in fields)
        ):
            issues.append(Issue("schemaViolation", where, "/fields", "a list of field names"))
            fields = None
        elif fields is not None:
            unknown = [number for number, name in enumerate(fields) if name not in self.offers]
            issues += [
                Issue("unknownInput", where, f"/fields/{number}", "this service has no such field; see /docs")
                for number in unknown
            ]
        history = body.get("history", False)
        if not isinstance(history, bool):
            issues.append(Issue("schemaViolation", where, "/history", "send true or false"))
        emergency = _justified(body.get("emergencyJustification"), where, issues)
        return Question(keys, frozenset(fields) if fields else None, dossier, history is True, emergency)


def _justified(said: Any, where: str, issues: list[Issue]) -> str | None:
    """Why this is an emergency; never in an address."""
    if said is None:
        return None
    name, (least, most) = "/emergencyJustification", JUSTIFICATION
    words = " ".join(said.split()) if isinstance(said, str) else ""
    if where != "body":
        issues.append(Issue("unknownInput", where, name, "an emergency is justified in a body, never in an address"))
    elif not least <= len(words) <= most or not words.isprintable():
        issues.append(Issue("schemaViolation", where, name, f"say why, in {least} to {most} characters"))
    elif _holds_number(words):
        issues.append(Issue("rejectedInput", where, name, "no national number in a justification"))
    return words


def load_services(folder: Path, sheets: Mapping[str, Sheet], *, sandbox: Sandbox) -> dict[str, Service]:
    """Every service by name. Raises `ConfigurationError` naming the file."""
    services = {}
    for path in sorted(folder.glob("*.yaml")):
        data = read_yaml(path)
        try:
            service = compile_service(data, sheets, sandbox=sandbox)
        except KeyError as error:
            raise ConfigurationError(f"{path.name}: {error} is missing or unknown") from error
        if service.name != path.stem:
            raise ConfigurationError(f"{path.name}: `service:` says {service.name!r}, not the file's name")
        services[service.name] = service
    for service in services.values():
        for part in service.parts:
            if part.service not in services:
                raise ConfigurationError(f"{service.name}: part {part.name} names an unknown service {part.service!r}")
        later = service.later
        if later is not None and later.kind == "announcement" and not _is_event(services.get(later.to or "")):
            raise ConfigurationError(f"{service.name}: `to:` names {later.to!r}, which is no service of events")
    return services


def _is_event(service: Service | None) -> bool:
    return service is not None and service.later is not None and service.later.kind == "event"


def compile_service(data: Mapping[str, Any], sheets: Mapping[str, Sheet], *, sandbox: Sandbox) -> Service:
    method, _, path = data["route"].partition(" ")
    subject = data.get("subject") or {"type": "none"}
    about_person = subject["type"] in ("nrn", "plate")
    sheet = sheets[data["mapping"]] if "mapping" in data else None
    part_names = frozenset(data.get("parts") or ())
    parts = tuple(_part(name, spec, part_names) for name, spec in (data.get("parts") or {}).items())
    return Service(
        name=data["service"], method=method, path=path, tag=data.get("tag", "other"),
        title=LocalizedString.read(data["title"]), description=LocalizedString.read(data.get("description") or data["title"]),
        keys={name: compile_key(name, spec, sandbox=sandbox) for name, spec in (data.get("keys") or {}).items()},
        exactly_one=tuple(tuple(group) for group in data.get("exactlyOne", ())),
        subject_key=tuple(key) if isinstance(key := subject.get("key"), list) else key,
        subject_type=subject["type"],
        needs_dossier=data.get("dossier", "required" if about_person else "optional") == "required",
        source=data.get("source"), sheet=sheet,
        operation=data["delivery"]["kind"] if "delivery" in data else data.get("operation"),
        offers=_offers(data, sheet), list_name=data.get("list"),
        parts=parts, checks=tuple(_check(check, part_names) for check in data.get("checks", ())),
        parameters=data.get("parameters") or {}, answer_name=next(iter(data.get("answer") or {"result": "all"})),
        gather=Gather(**data["gather"]) if "gather" in data else None,
        public=not about_person, is_open=data.get("open", False), later=_later(data["delivery"], sandbox) if "delivery" in data else None,
        past=data.get("history"),
    )  # fmt: skip


def _later(data: Mapping[str, Any], sandbox: Sandbox) -> Later:
    content, reply = (
        {name: compile_key(name, spec, sandbox=sandbox) for name, spec in (data.get(part) or {}).items()}
        for part in ("content", "answer")
    )
    days = data["expiresDays"], data.get("answerDays")
    said = data.get("confirm")
    confirm = Confirm(said["service"], tuple(said["keys"])) if isinstance(said, Mapping) else None
    return Later(
        data["kind"], data["type"], data.get("to"), content, *days, reply or content, confirm, said == "again",
        _then(data["then"]) if "then" in data else None, _find(data["find"]) if "find" in data else None,
        data.get("follows", False), tuple(data.get("repeats", ())),
    )  # fmt: skip


def _find(data: Mapping[str, Any]) -> Find:
    return Find(data["service"], tuple(data["keys"]), data["for"], data["purpose"], data["recipient"], data["mailbox"])


def _then(data: Mapping[str, Any]) -> Then:
    return Then(data["when"], tuple(FollowUp(one["service"], one["for"], one["with"]) for one in data["writes"]))


def _offers(data: Mapping[str, Any], sheet: Sheet | None) -> frozenset[str]:
    if "delivery" in data:
        later = data["delivery"]
        return frozenset(later.get("fields") or {**(later.get("content") or {}), **(later.get("answer") or {})})
    if sheet is None:
        return frozenset(check["code"] for check in data.get("checks", ()))
    prefix = f"{data['list']}." if "list" in data else ""
    names = {name.removeprefix(prefix) for name in sheet.names if name.startswith(prefix)}
    offered = data.get("offers")
    if offered is None:
        return frozenset(names)
    dangling = set(offered) - names
    if dangling:
        raise ConfigurationError(
            f"{data['service']}: offers {sorted(dangling)}, which mapping {sheet.name} does not have"
        )
    return frozenset(name for name in names if any(name == top or name.startswith(top + ".") for top in offered))


def _part(name: str, spec: Mapping[str, Any], parts: frozenset[str]) -> Part:
    bound = spec.get("with") or {}
    needs = (operands_of(list(bound.values())) | operands_of(spec.get("when")) | operands_of(spec.get("after"))) & parts
    when = compile_rule(spec["when"]) if "when" in spec else None
    return Part(
        name,
        spec["service"],
        compile_binding(bound),
        frozenset(bound),
        frozenset(spec["fields"]),
        spec.get("after"),
        when,
        needs,
    )


def _check(spec: Mapping[str, Any], parts: frozenset[str]) -> CheckRule:
    needs = tuple(Need(compile_rule(need["rule"]), need["reason"]) for need in spec.get("needs", ()))
    when = compile_rule(spec["when"]) if "when" in spec else None
    looks_at = operands_of([spec["rule"], spec.get("when"), [need["rule"] for need in spec.get("needs", ())]]) & parts
    return CheckRule(
        spec["code"],
        LocalizedString.read(spec["title"]),
        spec["source"],
        compile_rule(spec["rule"]),
        needs,
        when,
        looks_at,
    )


def _pointer(name: str) -> str:
    """A JSON pointer that cannot carry personal data: an unknown property's name is the caller's own text."""
    return "/" + name if _FIELD.fullmatch(name) and not _holds_number(name) else "/(unnamed)"


def _holds_number(words: str) -> bool:
    return len(words) >= 11 and re.search(r"\d{11}", re.sub(r"[.\s-]", "", words)) is not None
