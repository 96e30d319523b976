"""Asks the cadastre for one person's rights on one parcel, as they were on 1 January of a tax year.

It is never asked what else somebody holds. An empty page counts as "no right" only when it tells of the year and the
parcel that were asked about.
"""

from __future__ import annotations

import time
from typing import Any, Final

import orjson

from integrator.contract import HttpAnswer, Question, Reply, Send, Tools
from integrator.errors import SourceFault
from integrator.transport.assertion import PATIENCE, Tokens
from integrator.transport.faults import Faults
from integrator.transport.jsonanswer import Answers
from integrator.transport.jsonbody import Shape

CONTRACT: Final = "2026-11"
PLACE: Final = "/patrimony/v1/rights/search"


class Cadastre:
    """The connector. Everything that points at somebody is in the body, never in the address."""

    def __init__(self, tools: Tools, send: Send, tokens: Tokens) -> None:
        self._send, self._tokens, self._sandbox = send, tokens, tools.sandbox
        self._answers = Answers("cadastre", Faults.load("cadastre", tools.room / "faults.yaml"))
        self._shape = Shape.load(tools.room / "contract" / CONTRACT / "rights.schema.json")

    async def ask(self, question: Question) -> Reply:
        """`document` is {"taxYear", "parcelId", "items": […]}: more than one item when the person holds several rights."""
        page = self._answers.read(await self._post(question), self._shape)
        if (page["taxYear"], page["parcelId"]) != (question.keys["taxYear"], question.keys["parcelId"]):
            raise SourceFault("cadastre", "CORRELATION", "it tells of another year or another parcel")
        return Reply(page if page["items"] else None)

    async def check(self) -> None:
        """Buy a token: proves address, key and registration, and asks nothing about anybody."""
        await self._tokens.get(time.monotonic() + PATIENCE)

    async def _post(self, question: Question) -> HttpAnswer:
        """With one new token when the first one is refused."""
        body = orjson.dumps(_document(question))
        for attempt in (1, 2):
            token = await self._tokens.get(question.deadline)
            headers = {"Authorization": token, "Accept": "application/json", "Content-Type": "application/json"}
            headers["BelGov-Trace-Id"] = question.ticket
            if question.scenario and self._sandbox:
                headers["Integrator-Test-Scenario"] = question.scenario
            answer = await self._send("POST", PLACE, body=body, headers=headers, deadline=question.deadline)
            if answer.status != 401 or attempt == 2:
                break
            self._tokens.refused(token)
        return answer


def _document(question: Question) -> dict[str, Any]:
    keys = question.keys
    return {
        "onBehalfOf": {"enterpriseNumber": question.organisation},
        "legalBasis": question.legal_context,
        "taxYear": keys["taxYear"],
        "parcelId": keys["parcelId"],
        "holder": {"ssin": keys["ssin"]},
    }
