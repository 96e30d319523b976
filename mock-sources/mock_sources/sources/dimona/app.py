"""Dimona over HTTP: token, declarations, periods. Refuses as documented; see mock.yaml."""

from __future__ import annotations

from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from mock_sources.asgi import (
    BodyTooLarge,
    Receive,
    Scope,
    Send,
    issue,
    problem,
    read_body,
    respond_json,
    respond_problem,
)
from mock_sources.assertion import Tokens
from mock_sources.clock import Clock
from mock_sources.sources.dimona.question import Refused, declaration, search
from mock_sources.sources.dimona.register import Declaration, Register

TOKEN, API = "/REST/oauth/v5/token", "/REST/dimona/v2/"
_LIMIT = 8192  # bytes of a body
_SURPLUS = {"gender": 1, "birthDate": "1971-04-06", "givenName": "TEST", "familyName": "EMPLOYEE", "nationality": 150}
_SOMEBODY = {
    "id": 2_029_400_001, "worker": {"ssin": "85660812341"}, "employer": {"enterpriseNumber": "0207373429"},
    "startDate": "2019-09-02", "features": {"workerType": "OTH", "jointCommissionNumber": "XXX"},
}  # fmt: skip


class Dimona:
    """ASGI callable for /REST/oauth/v5/token and /REST/dimona/v2/…"""

    def __init__(self, register: Register, client: EllipticCurvePublicKey, clock: Clock) -> None:
        self._register, self._tokens = register, Tokens(client, TOKEN, clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Token first, then the path: a stranger learns nothing about the rest."""
        if not await self._tokens.let_in(scope, receive, send):
            return
        if scope.get("mock.fault") == "throttled":
            await respond_problem(send, problem(429, "tooManyRequests", "too many simultaneous requests"))
            return
        collection, _, rest = scope["path"].removeprefix(API).partition("/")
        try:
            if (scope["method"], collection, rest) == ("POST", "declarations", ""):
                await self._declare(await _document(receive), send)
            elif (scope["method"], collection, rest) == ("POST", "periods", "search"):
                await self._search(await _document(receive), scope, send)
            elif (scope["method"], collection) == ("GET", "declarations") and rest.isdigit():
                await self._tell(int(rest), send)
            else:
                await respond_problem(send, problem(404, "resourceNotFound", "no such resource"))
        except Refused as error:
            issues = [issue(error.kind, "body", name, error.detail) for name in error.names]
            await respond_problem(send, problem(400, "badRequest", "the message is not valid", issues))

    async def _declare(self, document: Any, send: Send) -> None:
        made = self._register.declare(*declaration(document))
        place = f"https://services-sim.socialsecurity.be{API}declarations/{made.id}"
        await respond_json(send, 201, {"href": place}, [(b"location", place.encode())])

    async def _tell(self, id: int, send: Send) -> None:
        found = self._register.declaration(id)
        if found is None:
            await respond_problem(send, problem(404, "resourceNotFound", "not there, or not yet"))
            return
        status: dict[str, Any] = {"declarationId": found.id, "result": found.result}
        if found.anomalies:
            status["anomalies"] = [{"code": code} for code in found.anomalies]
        if found.result != "B":
            status["period"] = {
                "id": found.id,
                "href": f"https://services-sim.socialsecurity.be{API}periods/{found.id}",
            }
        body = {
            "worker": {"ssin": found.ssin},
            "dimonaIn": found.said,
            "employer": {"enterpriseNumber": found.employer},
        }
        await respond_json(send, 200, {**body, "declarationStatus": status})

    async def _search(self, document: Any, scope: Scope, send: Send) -> None:
        items = [_period(one) for one in self._register.periods(*search(document))]
        if scope.get("mock.fault") == "wrong_subject":
            items = [_SOMEBODY]
        if scope.get("mock.fault") == "over_delivery":
            items = [one | {"worker": {**one["worker"], **_SURPLUS}} for one in items]
        await respond_json(send, 200, {"items": items, "total": len(items)})


def _period(one: Declaration) -> dict[str, Any]:
    told = {"id": one.id, "worker": {"ssin": one.ssin}, "employer": {"enterpriseNumber": one.employer}}
    return told | {name: one.said[name] for name in ("startDate", "endDate", "features") if name in one.said}


async def _document(receive: Receive) -> Any:
    try:
        return orjson.loads(await read_body(receive, _LIMIT))
    except (BodyTooLarge, orjson.JSONDecodeError):
        raise Refused("schemaViolation", "send one JSON object", "") from None
