"""Rows that are questions, and the file in which they are answered. The part of adapter.yaml that says so:

    ask:
      service: parking.residentPermit.checkEligibility      # answered at once
      organisation: parking-agency
      application: parking-register
      purpose: permit_renewal
      keys: {ssin: holder, address: {postCode: zip, streetName: street}}      # a field of the layout, {value: …}, or an object of these
      dossier: permit
      again: {afterSeconds: 900, untilDays: 14}       # while nobody knows
      answers:                                        # the file that the package reads
        format: {kind: delimited, encoding: utf-8, separator: ";"}
        fields: {permit: {column: Carte}, verdict: {column: Suite, type: code, codes: {OK: "yes", NON: "no", "?": unknown}}}
        rows: {permit: row.permit, verdict: answer.eligible}

In `rows`: `row.FIELD` of the question, `outcome` (answered | notFound | unknown), `reason` while there is no answer, and
`answer.NAME`: of a composition yes, no or unknown of the whole and of each check; else a field that the purpose may have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from integrator.adapters.layout import Layout, compile_layout
from integrator.adapters.participation import SETTLE, Source
from integrator.adapters.serving import Delivery
from integrator.errors import ConfigurationError
from integrator.keytypes import Sandbox

_DAY = 86_400.0
Bound = Source | Mapping[str, Source]


@dataclass(frozen=True, slots=True)
class Asking:
    """One package's questions, compiled."""

    adapter: str
    service: str
    organisation: str  # as written: short name or number
    application: str
    purpose: str
    keys: Mapping[str, Bound]
    dossier: Source | None
    after: float  # seconds until it is asked again
    until: float  # seconds after which nobody knows for good
    answers: Layout  # of the file that the package reads
    out: Delivery  # how an answer becomes a row of it

    def body(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """What is asked for a row, as over the API."""
        body = {name: value for name, one in self.keys.items() if (value := _of(one, row)) is not None}
        if self.dossier is not None and (dossier := self.dossier.of(row)) is not None:
            body["dossierReference"] = str(dossier)
        return body


def asking(layout: Layout, *, sandbox: Sandbox) -> Asking | None:
    """None when the package asks nothing. Raises `ConfigurationError`."""
    said = layout.data.get("ask")
    if said is None:
        return None
    if layout.way == "sftp" or {"deposit", "deliver", "even"} & set(layout.data):
        raise ConfigurationError(f"{layout.adapter}: ask: stands alone, and its answers are put into a folder of ours")
    known = {one.name for one in layout.fields}
    form = said["answers"]
    answers = compile_layout({**form, "adapter": layout.adapter}, Path(), sandbox=sandbox)
    strange = {path for path in form["rows"].values() if path.startswith("row.") and path[4:] not in known}
    strange |= set(form["rows"]) - {one.name for one in answers.fields}
    if strange or answers.kind not in ("fixed", "delimited"):
        what = f"no field {', '.join(sorted(strange))}" if strange else "only files of lines are written"
        raise ConfigurationError(f"{layout.adapter}: ask.answers: {what}")
    out = Delivery(
        service=said["service"], organisation=str(said["organisation"]), application=said["application"], purpose=said["purpose"],
        suffix=str(form.get("suffix", ".txt")), receipt=str(form.get("receipt", "")), heading=str(form.get("heading", "")),
        each="", rows=form["rows"], answers=False,
        amounts=frozenset(name for name, spec in form["fields"].items() if spec.get("type") == "decimal"),
    )  # fmt: skip
    return Asking(
        layout.adapter, out.service, out.organisation, out.application, out.purpose,
        {name: _bound(one, known, layout.adapter) for name, one in said["keys"].items()},
        _source(said["dossier"], known, layout.adapter) if "dossier" in said else None,
        float(said["again"]["afterSeconds"]), float(said["again"]["untilDays"]) * _DAY, answers, out,
    )  # fmt: skip


def faults(part: Asking, services: Mapping[str, Any]) -> Iterator[str]:
    """What does not fit the service that is asked; nothing when all does."""
    service = services.get(part.service)
    if service is None or service.later is not None or service.is_open:
        yield f"ask.service: no service {part.service!r} that answers at once"
        return
    unknown = {name for name in part.keys if name not in service.keys}
    unknown |= {path for path in part.out.rows.values() if not _offered(path, service)}
    missing = {name for name, key in service.keys.items() if key.required and name not in part.keys}
    missing |= {"dossier"} if service.needs_dossier and part.dossier is None else set()
    if unknown:
        yield f"ask: {part.service} has no {', '.join(sorted(unknown))}"
    if missing:
        yield f"ask: {part.service} needs {', '.join(sorted(missing))}"


def of_answer(service: Any, body: Mapping[str, Any]) -> tuple[bool, dict[str, Any]]:
    """(whether it is an answer, what `answer.NAME` is). A composition that says unknown is none yet."""
    if not service.checks:
        return True, dict(body)
    told = {one["code"]: one["result"] for one in body["checks"]}
    whole = body.get(service.answer_name, "unknown")
    return whole != "unknown", {**told, service.answer_name: whole}


def settle_of(layout: Layout) -> tuple[str, float, str]:
    """Pattern of file names, seconds that a file must stand still, suffix of the sidecar."""
    drop = layout.data.get("drop") or layout.data.get("sftp") or {}
    return str(drop.get("pattern", "*")), float(drop.get("settleSeconds", SETTLE)), str(drop.get("sidecar", ""))


def _offered(path: str, service: Any) -> bool:
    head, _, name = path.partition(".")
    if head != "answer":
        return (head == "row") == bool(name) and head in ("row", "outcome", "reason")
    if service.checks:
        return name in {service.answer_name, *(one.code for one in service.checks)}
    return any(name == one or name.startswith(f"{one}.") or one.startswith(f"{name}.") for one in service.offers)


def _bound(said: Any, known: set[str], adapter: str) -> Bound:
    if isinstance(said, Mapping) and set(said) != {"value"}:
        return {name: _source(one, known, adapter) for name, one in said.items()}
    return _source(said, known, adapter)


def _source(said: Any, known: set[str], adapter: str) -> Source:
    if isinstance(said, Mapping):
        return Source(value=said["value"])
    if said not in known:
        raise ConfigurationError(f"{adapter}: ask names {said!r}, which is no field of the layout")
    return Source(str(said))


def _of(one: Bound, row: Mapping[str, Any]) -> Any:
    if isinstance(one, Source):
        return one.of(row)
    return {name: value for name, inner in one.items() if (value := inner.of(row)) is not None} or None
