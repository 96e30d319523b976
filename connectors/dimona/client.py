"""Declares to Dimona, and looks up what was declared. A declaration is sent once; what became of it is waited for.

declare ─► 201 + Location ─► look after 2 s, then each second: 404 = worked on ─┬─ A, W   done; its number is the ticket
                                                                              ├─ B      refused for good
                                                                              └─ 30 s   nobody knows: SourceUnavailable
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from typing import Any, Final

import orjson

from integrator.contract import HttpAnswer, Question, Reply, Send, Tools
from integrator.errors import SourceFault, SourceRefused, SourceUnavailable
from integrator.transport.assertion import PATIENCE, Tokens
from integrator.transport.faults import Faults
from integrator.transport.jsonanswer import Answers
from integrator.transport.jsonbody import Shape

CONTRACT: Final = "2026-11"
API: Final = "/REST/dimona/v2"
_PLACE: Final = re.compile(r"/declarations/(\d{1,15})\Z")  # of a Location only this is taken, it is never followed


class Dimona:
    """The connector. The employer is the body on whose behalf is asked: nobody declares for another one."""

    def __init__(self, tools: Tools, send: Send, tokens: Tokens) -> None:
        self._send, self._tokens, self._sandbox = send, tokens, tools.sandbox
        said = tools.settings
        self._first, self._each = float(said.get("firstLookSeconds", 2)), float(said.get("lookSeconds", 1))
        self._most = float(said.get("giveUpSeconds", 30))
        self._answers = Answers("dimona", Faults.load("dimona", tools.room / "faults.yaml"))
        contract = tools.room / "contract" / CONTRACT
        self._shapes = {name: Shape.load(contract / f"{name}.schema.json") for name in ("declaration", "periods")}

    async def ask(self, question: Question) -> Reply:
        """`periods`: `document` is {"items": […]}. `declare`: `document` says how it was accepted, `ticket` is its number.

        An error after the declaration left never says that it was refused, unless Dimona said so.
        """
        if question.operation == "periods":
            page = self._read(
                "periods", await self._post("periods/search", _search(question), question, repeatable=True)
            )
            return Reply(page if page["items"] else None)
        answer = await self._post("declarations", _declaration(question), question, repeatable=False)
        if answer.status != 201:
            raise self._answers.error(answer)
        place = _PLACE.search(answer.headers.get("Location", ""))
        if place is None:
            raise SourceFault("dimona", "SCHEMA", "it took the declaration and does not say where it is")
        return await self._waited_for(place[1], question)

    async def check(self) -> None:
        """Buy a token: proves address, key and registration, and declares nothing."""
        await self._tokens.get(time.monotonic() + PATIENCE)

    async def _waited_for(self, number: str, question: Question) -> Reply:
        until = min(question.deadline, time.monotonic() + self._most)
        await asyncio.sleep(self._first)
        while True:
            status = await self._look(number, question)
            if status is not None and status["result"] in ("A", "W"):
                return Reply({"result": status["result"]}, number)
            if status is not None and status["result"] == "B":
                raise SourceRefused("dimona", "DECLARATION_REFUSED")
            if time.monotonic() + self._each >= until:
                raise SourceUnavailable("dimona", "the declaration is still worked on")
            await asyncio.sleep(self._each)

    async def _look(self, number: str, question: Question) -> dict[str, Any] | None:
        """Its status; None while it is worked on, and when the look failed: the next one may not."""
        try:
            answer = await self._call("GET", f"declarations/{number}", None, question, repeatable=True)
        except SourceUnavailable:
            return None
        if answer.status == 404:
            return None
        document = self._read("declaration", answer)
        if str(document["declarationStatus"]["declarationId"]) != number or not _about(document, question):
            raise SourceFault("dimona", "CORRELATION", "it tells of another declaration")
        status: dict[str, Any] = document["declarationStatus"]
        return status

    async def _post(self, place: str, document: Any, question: Question, *, repeatable: bool) -> HttpAnswer:
        return await self._call("POST", place, orjson.dumps(document), question, repeatable=repeatable)

    async def _call(
        self, method: str, place: str, body: bytes | None, question: Question, *, repeatable: bool
    ) -> HttpAnswer:
        """With one new token when the first is refused: who is not let in has declared nothing."""
        for attempt in (1, 2):
            token = await self._token(question)
            headers = {"Authorization": token, "Accept": "application/json", "BelGov-Trace-Id": question.ticket}
            headers |= {"Content-Type": "application/json"} if body is not None else {}
            if question.scenario and self._sandbox:
                headers["Integrator-Test-Scenario"] = question.scenario
            answer = await self._send(
                method, f"{API}/{place}", body=body, headers=headers, deadline=question.deadline, repeatable=repeatable
            )
            if answer.status != 401 or attempt == 2:
                break
            self._tokens.refused(token)
        return answer

    async def _token(self, question: Question) -> str:
        try:
            return await self._tokens.get(question.deadline)
        except SourceUnavailable as error:
            error.sent = False  # what was to be asked never left
            raise

    def _read(self, shape: str, answer: HttpAnswer) -> dict[str, Any]:
        if answer.status != 200 and shape == "declaration":  # it refuses to tell, which says nothing about what it did
            raise SourceFault("dimona", "REFUSED_TO_TELL")
        return self._answers.read(answer, self._shapes[shape])


def _parties(question: Question) -> dict[str, Any]:
    employer, worker = {"enterpriseNumber": question.organisation}, {"ssin": str(question.keys["ssin"])}
    return {"employer": employer, "worker": worker}


def _declaration(question: Question) -> dict[str, Any]:
    keys = question.keys
    features = {"workerType": str(keys["workerType"])}
    if "jointCommission" in keys:
        features["jointCommissionNumber"] = str(keys["jointCommission"])
    entry: dict[str, Any] = {"startDate": str(keys["startDate"]), "features": features}
    if "endDate" in keys:
        entry["endDate"] = str(keys["endDate"])
    return _parties(question) | {"dimonaIn": entry}


def _search(question: Question) -> dict[str, Any]:
    return _parties(question) | ({"startDate": str(question.keys["startDate"])} if "startDate" in question.keys else {})


def _about(document: Mapping[str, Any], question: Question) -> bool:
    told = {name: document[name] for name in ("employer", "worker")}
    asked = _parties(question)
    return all(told[name].get(key) == value for name, inner in asked.items() for key, value in inner.items())
