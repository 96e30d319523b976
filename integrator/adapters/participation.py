"""How a package takes part: which rows become what at the hub, on whose behalf. The part of adapter.yaml beside the layout.

    deposit:
      service: person.reportDifference      # its effect is later
      organisation: cpas-ixelles            # short name or enterprise number
      application: social-package           # enrolled, for this purpose
      purpose: file_update
      keys: {ssin: resident, recipient: {value: "1992100975"}}      # the service's key: a field of the layout, or a constant
      content: {field: {value: address}, observed: remark}
      dossier: file
      once: [invoice]                       # what makes it itself; left out: its place in its file
      gather: …                             # rows that become one message: see gathering
      known: {service: address.search, keys: {postCode: postCode, streetName: street}, found: items}     # asked first

`deposit:` may be a list of these, when one file has several effects; then each gathers.

    deposit: {…, answers: delivery, content: {decision: verdict}}     # rows answer messages that the package received

    deposit: {…, keys: {recipient: {first: [{when: {keeper: [R]}, value: "1970000417"}, …]}}}         # see routing

A row becomes the body of one request, the same whether the hub itself reads the folder or a machine beside the package.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import PurePath
from typing import Any

from integrator.adapters.gathering import Gather, compile_gather, keyed
from integrator.adapters.intake import key_of
from integrator.adapters.layout import Layout, deposits
from integrator.adapters.routing import Route, compile_route
from integrator.errors import ConfigurationError

SETTLE = 2.0  # seconds
_HIDDEN = re.compile(r"[/\\\x00]|^\.")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value comes from: a field of the row, or always the same."""

    field: str = ""
    value: Any = None

    def of(self, row: Mapping[str, Any]) -> Any:
        """None when the row has none."""
        return self.value if not self.field else _plain(row.get(self.field))


@dataclass(frozen=True, slots=True)
class Known:
    """A question before a row is handed in: a service that answers with a list, and what it is asked."""

    service: str
    keys: Mapping[str, Source]
    found: str  # the list of the answer in which something must stand

    def body(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The question, as over the API."""
        return _given(self.keys, row)


@dataclass(frozen=True, slots=True)
class Participation:
    """One package's part, compiled."""

    adapter: str
    service: str
    organisation: str  # as written: short name or number
    application: str
    purpose: str
    keys: Mapping[str, Source]
    content: Mapping[str, Source]
    changed: tuple[str, ...]  # of an event: what changed
    dossier: Source | None
    answers: Source | None  # the id of the message that a row answers
    once: tuple[str, ...]  # fields that make it itself, in whatever file it stands; () = its place in its file
    gather: Gather | None  # None: each row is one
    pattern: str  # of file names
    settle: float  # seconds that a file must stand still
    sidecar: str  # suffix of the file that says that another one is whole; "" = none
    routes: Mapping[str, Route] = field(default_factory=dict)  # keys that a table of the adapter tells
    known: Known | None = None  # what a source must know of a row before it is handed in

    def bodies(self, place: str, row: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        """What is handed in for a row, each under its key; [] when no route leads anywhere."""
        made = [(self.key(place, row), self.body(row))]
        for name, route in self.routes.items():
            made = [(route.key(one, value), {**body, name: value}) for one, body in made for value in route.ends(row)]
        return made

    def body(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """What is handed in for a row, as over the API."""
        if self.answers is not None:
            return {"deliveryId": self.answers.of(row), "content": _given(self.content, row)}
        body = _given(self.keys, row)
        if self.dossier is not None and (dossier := self.dossier.of(row)) is not None:
            body["dossierReference"] = str(dossier)
        if self.changed:
            body["changed"] = list(self.changed)
        elif self.content:
            body["content"] = _given(self.content, row)
        return body

    def key(self, place: str, row: Mapping[str, Any]) -> str:
        """The Idempotency-Key: `place` (that of a row in its file), or what the row says that it is."""
        if not self.once:
            return place
        said = "\x1f".join([self.service, *(str(row[name]) for name in self.once)])
        return key_of(self.adapter, said, 0)


def participations(layout: Layout) -> tuple[Participation, ...]:
    """() when the adapter only describes a file. Raises `ConfigurationError`."""
    made = tuple(_participation(layout, said) for said in deposits(layout.data))
    if len({one.organisation for one in made}) > 1:
        raise ConfigurationError(f"{layout.adapter}: a file is one organisation's, whatever becomes of it")
    if (layout.whole or len(made) > 1) and any(one.gather is None for one in made):
        raise ConfigurationError(f"{layout.adapter}: what is taken whole, or has several effects, gathers its rows")
    return made


def _participation(layout: Layout, said: Mapping[str, Any]) -> Participation:
    drop = layout.data.get("drop") or layout.data.get("sftp") or {}
    pattern, sidecar = str(drop.get("pattern", "*")), str(drop.get("sidecar", ""))
    if _HIDDEN.search(pattern) or (sidecar and PurePath(f"a{sidecar}").name != f"a{sidecar}"):
        raise ConfigurationError(f"{layout.adapter}: pattern and sidecar name files of one folder, without a path")
    specs = layout.data["fields"]
    gather = compile_gather(said["gather"], specs) if "gather" in said else None
    known = gather.names if gather is not None else {one.name for one in layout.fields}
    once = gather.by if gather is not None else keyed("deposit.once", said.get("once", ()), specs)
    wished = said.get("keys") or {}
    routed = {name: one for name, one in wished.items() if isinstance(one, Mapping) and "value" not in one}
    routes = {name: compile_route(one, known, layout.adapter) for name, one in routed.items()}
    keys = {name: _source(one, known, layout.adapter) for name, one in wished.items() if name not in routed}
    content = {name: _source(one, known, layout.adapter) for name, one in (said.get("content") or {}).items()}
    dossier, answers = (
        _source(said[part], known, layout.adapter) if part in said else None for part in ("dossier", "answers")
    )
    asked = said.get("known")
    first = asked and Known(
        asked["service"],
        {name: _source(one, known, layout.adapter) for name, one in asked["keys"].items()},
        asked["found"],
    )
    return Participation(
        layout.adapter, said["service"], str(said["organisation"]), said["application"], said["purpose"], keys, content,
        tuple(said.get("changed") or ()), dossier, answers, once, gather,
        pattern, float(drop.get("settleSeconds", SETTLE)), sidecar, routes, first,
    )  # fmt: skip


def faults(part: Participation, services: Mapping[str, Any]) -> Iterator[str]:
    """What does not fit the service that the rows are handed to; nothing when all does."""
    service = services.get(part.service)
    if service is None or service.later is None or (part.answers is None and not service.has_door):
        yield f"deposit.service: no service {part.service!r} whose effect is later"
        return
    if part.known is not None:
        yield from _faults_of_known(part.known, services.get(part.known.service))
    if part.answers is not None:
        yield from _faults_of_answers(part, service)
        return
    missing = [name for name, key in service.keys.items() if key.required and name not in {**part.keys, **part.routes}]
    unknown = [name for name in {**part.keys, **part.routes} if name not in service.keys]
    if service.later.kind == "announcement":
        unknown += [name for name in part.changed if name not in service.offers] + list(part.content)
        missing += [] if part.changed else ["changed"]
    else:
        unknown += [name for name in part.content if name not in service.later.content] + list(part.changed)
        missing += [
            name for name, one in service.later.content.items() if one.required and name not in part.content
        ]  # fmt: skip
    if service.needs_dossier and part.dossier is None:
        missing.append("dossier")
    if unknown:
        yield f"deposit: {part.service} has no {', '.join(sorted(unknown))}"
    if missing:
        yield f"deposit: {part.service} needs {', '.join(sorted(missing))}"


def _faults_of_known(known: Known, service: Any) -> Iterator[str]:
    if service is None or service.list_name != known.found:
        yield f"deposit.known: no service {known.service!r} that answers with a list {known.found!r}"
        return
    unknown = set(known.keys) - set(service.keys)
    missing = {name for name, one in service.keys.items() if one.required} - set(known.keys)
    if unknown:
        yield f"deposit.known: {known.service} has no {', '.join(sorted(unknown))}"
    if missing:
        yield f"deposit.known: {known.service} needs {', '.join(sorted(missing))}"


def _faults_of_answers(part: Participation, service: Any) -> Iterator[str]:
    if service.later.answer is None:
        yield f"deposit.answers: no answer to {part.service} is awaited"
    unknown = set(part.content) - set(service.later.reply)
    missing = {name for name, one in service.later.reply.items() if one.required} - set(part.content)
    if unknown:
        yield f"deposit: an answer to {part.service} has no {', '.join(sorted(unknown))}"
    if missing:
        yield f"deposit: an answer to {part.service} needs {', '.join(sorted(missing))}"


def _source(said: Any, known: set[str], adapter: str) -> Source:
    if isinstance(said, Mapping):
        return Source(value=said["value"])
    if said not in known:
        raise ConfigurationError(f"{adapter}: deposit names {said!r}, which is no field of the layout")
    return Source(str(said))


def _given(sources: Mapping[str, Source], row: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: one.of(row) for name, one in sources.items()}
    return {name: value for name, value in values.items() if value is not None}


def _plain(value: Any) -> Any:
    """As JSON carries it; an amount as its figures, so that no cent is rounded."""
    if isinstance(value, list):
        return [{name: _plain(one) for name, one in line.items()} for line in value]
    return format(value, "f") if isinstance(value, Decimal) else value
