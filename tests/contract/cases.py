"""Plays a case of a room: connectors/<id>/cases/<situation>.yaml, without any network.

why: one sentence
question: {operation, keys, history?, groups?, language?, legalContext?, ticket?, scenario?, body?}
answer: {status?, contentType?, headers?, body | json | bodyFile | soap | ssdn, encoding?, sign?}  # to every call …
                                                   # soap, ssdn: signed by the source, see tests/contract/signed.py
answers: [ … ]                                     # … or one after the other; `path:` = only for calls there
         {fail: unavailable | throttled | TOO_LARGE …}     # the channel's own word instead of an answer
settings: {…}                                      # added to the room's
sent: [{method?, path?, query?, headers?, repeatable?, contains?, lacks?}]   # what must have been asked, in order
expect: {error: SourceFault, reason?: SCHEMA, retryAfter?: 10}
        {nothing: true, replacedBy?}               # the source said that it has nothing
        {values: {…}, filtered?, incomplete?, replacedBy?, ticket?}             # all fields of `mapping:`
mapping: div_registrations                         # the sheet that reads the document; its `about` counts too
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from multidict import CIMultiDict

from integrator.contract import Connector, HttpAnswer, Question, Reply
from integrator.errors import SourceError, SourceFault, SourceThrottled, SourceUnavailable
from integrator.mapping import Sheet
from integrator.places import read_yaml
from integrator.transport.soap import Contract
from tests.contract.signed import seal

ROOT = Path(__file__).resolve().parents[2]
NOW = 1_796_036_400.0  # 2026-11-30, epoch seconds


@cache
def sheet(name: str) -> Sheet:
    """One sheet, whatever state the others are in."""
    folder = ROOT / "mappings"
    codes = {path.stem: load(path)["codes"] for path in (folder / "codes").glob("*.yaml")}
    return Sheet(load(folder / f"{name}.yaml"), codes)


@cache
def contracts(room: Path) -> list[Contract]:
    """The WSDLs of a room, as zeep reads them."""
    return [Contract.load(path) for path in sorted(room.glob("contract/*/*.wsdl"))]


def cases(room: str) -> list[Path]:
    return sorted((ROOT / "connectors" / room / "cases").glob("*.yaml"))


def load(path: Path) -> dict[str, Any]:
    case: dict[str, Any] = read_yaml(path)
    return case


@dataclass
class Sent:
    """One call that the connector made."""

    method: str
    path: str
    body: bytes
    headers: Mapping[str, str]
    query: Mapping[str, str]
    repeatable: bool


@dataclass
class FakeSend:
    """A channel that plays the answers of a case and keeps what was asked."""

    answers: list[Mapping[str, Any]]
    always: list[Mapping[str, Any]] = field(default_factory=list)  # answers for one path, any number of times
    folder: Path = ROOT
    sent: list[Sent] = field(default_factory=list)

    @classmethod
    def of(cls, case: Mapping[str, Any], folder: Path, also: Mapping[str, Mapping[str, Any]] | None = None) -> FakeSend:
        """`also`: answers per path that every case of a room needs, unless the case gives its own."""
        given = case.get("answers") or [case["answer"]]
        always = [answer for answer in given if "path" in answer]
        always += [{"path": path, **answer} for path, answer in (also or {}).items()]
        return cls([answer for answer in given if "path" not in answer], always, folder)

    async def __call__(
        self,
        method: str,
        path: str,
        *,
        body: bytes | Callable[[], bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        deadline: float,
        query: Mapping[str, str] | None = None,
        repeatable: bool = True,
    ) -> HttpAnswer:
        for answer in self.always:
            if path.endswith(answer["path"]):
                return self._given(answer)
        written = body() if callable(body) else body
        self.sent.append(Sent(method, path, written or b"", CIMultiDict(headers or {}), dict(query or {}), repeatable))
        if not self.answers:
            raise AssertionError("the connector asked more than the case answers")
        return self._given(self.answers[0] if len(self.answers) == 1 else self.answers.pop(0))

    def _given(self, answer: Mapping[str, Any]) -> HttpAnswer:
        if "fail" in answer:
            raise _failure(answer["fail"])
        if "json" in answer:
            body, kind = orjson.dumps(answer["json"]), "application/json"
        elif "soap" in answer or "ssdn" in answer:
            body, kind = seal(answer, NOW), "text/xml"
        elif "bodyFile" in answer:
            body, kind = (self.folder / answer["bodyFile"]).read_bytes(), "text/xml"
        else:
            body, kind = str(answer.get("body", "")).encode(answer.get("encoding", "utf-8")), "text/xml"
        headers = CIMultiDict({name: str(value) for name, value in answer.get("headers", {}).items()})
        return HttpAnswer(answer.get("status", 200), answer.get("contentType", kind), body, headers)


def _failure(word: str) -> SourceError:
    kinds = {"unavailable": SourceUnavailable, "throttled": SourceThrottled}
    return kinds[word]("x", "as the case says") if word in kinds else SourceFault("x", word)


def question(case: Mapping[str, Any]) -> Question:
    asked = case["question"]
    return Question(
        operation=asked["operation"],
        keys=asked.get("keys", {}),
        groups=frozenset(asked.get("groups", ())),
        history=asked.get("history", False),
        ticket=asked.get("ticket", "00f067aa0ba902b7"),
        organisation="0207373429",
        legal_context=asked.get("legalContext", ""),
        deadline=time.monotonic() + 5,
        language=asked.get("language", "fr"),
        scenario=asked.get("scenario"),
        body=asked.get("body"),
    )


async def play(case: Mapping[str, Any], connector: Connector) -> dict[str, Any]:
    """Ask, and read the answer with the case's mapping; what came of it, in the words of `expect`."""
    asked = question(case)
    try:
        reply = await connector.ask(asked)
        return _nothing(reply) if reply.document is None else _read(case, asked, reply)
    except SourceError as error:
        told = {"error": type(error).__name__}
        if hasattr(error, "reason"):
            told["reason"] = error.reason
        if isinstance(error, SourceUnavailable):
            told["retryAfter"] = error.retry_after
        return told


def _nothing(reply: Reply) -> dict[str, Any]:
    return {"nothing": True, "replacedBy": reply.replaced_by, "incomplete": reply.incomplete, "ticket": reply.ticket}


def _read(case: Mapping[str, Any], asked: Question, reply: Reply) -> dict[str, Any]:
    told: dict[str, Any] = {"incomplete": reply.incomplete, "filtered": list(reply.filtered)}
    told |= {"replacedBy": reply.replaced_by, "ticket": reply.ticket}
    if "mapping" in case:
        plan = sheet(case["mapping"]).plan(None, history=asked.history)
        told["values"] = _without_labels(plan.extract(reply.document, asked.keys).values)
    return told


def _without_labels(value: Any) -> Any:
    """Codes without their texts: those are the code lists' own matter, and the golden cases of the mapping show them."""
    if isinstance(value, list):
        return [_without_labels(item) for item in value]
    if isinstance(value, dict):
        return {name: _without_labels(item) for name, item in value.items() if name != "label" or "code" not in value}
    return value


def as_expected(expected: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """The part of `told` that the case speaks of; what it leaves out must be as usual (complete, unfiltered)."""
    usual = {"incomplete": False, "filtered": []} if "values" in expected else {}
    unusual = {name for name, value in usual.items() if told.get(name, value) != value}
    return {name: told[name] for name in {*expected, *unusual} if name in told}


def check_sent(case: Mapping[str, Any], send: FakeSend) -> None:
    """Compare what was asked with the case's `sent`."""
    wanted = case.get("sent")
    if wanted is None:
        return
    assert len(wanted) == len(send.sent)
    for want, sent in zip(wanted, send.sent, strict=True):
        told: dict[str, Any] = {
            name: getattr(sent, name) for name in ("method", "path", "query", "repeatable") if name in want
        }
        told |= {"headers": {name: sent.headers.get(name) for name in want["headers"]}} if "headers" in want else {}
        assert {name: value for name, value in want.items() if name not in ("contains", "lacks")} == told
        body = sent.body.decode()
        assert [] == [text for text in want.get("contains", ()) if text not in body]
        assert [] == [text for text in want.get("lacks", ()) if text in body]
