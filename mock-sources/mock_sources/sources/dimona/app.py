"""Dimona over HTTP: token, declarations, periods. Refuses as documented; see mock.yaml."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import parse_qsl

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from mock_sources.asgi import (
    BodyTooLarge,
    Receive,
    Scope,
    Send,
    header,
    issue,
    problem,
    read_body,
    respond_json,
    respond_problem,
)
from mock_sources.clock import Clock
from mock_sources.sources.dimona.question import Refused, declaration, search
from mock_sources.sources.dimona.register import Declaration, Register

TOKEN, API = "/REST/oauth/v5/token", "/REST/dimona/v2/"
CLIENT = "fidus-mock"
LIFE = 600  # seconds of a token
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_SKEW = 60  # seconds between two clocks
_LIMIT = 8192  # bytes of a body
_SURPLUS = {"gender": 1, "birthDate": "1971-04-06", "givenName": "TEST", "familyName": "EMPLOYEE", "nationality": 150}
_SOMEBODY = {
    "id": 2_029_400_001, "worker": {"ssin": "85660812341"}, "employer": {"enterpriseNumber": "0207373429"},
    "startDate": "2019-09-02", "features": {"workerType": "OTH", "jointCommissionNumber": "XXX"},
}  # fmt: skip


class Dimona:
    """ASGI callable for /REST/oauth/v5/token and /REST/dimona/v2/…"""

    def __init__(self, register: Register, client: EllipticCurvePublicKey, clock: Clock) -> None:
        self._register, self._client, self._clock = register, client, clock
        self._tokens: dict[str, float] = {}  # until when
        self._seen: set[str] = set()  # jti of assertions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Token first, then the path: a stranger learns nothing about the rest."""
        if scope["path"] == TOKEN:
            await self._sell(receive, send)
            return
        scheme, _, token = (header(scope, b"authorization") or b"").decode("latin-1").partition(" ")
        if scheme != "Bearer" or self._tokens.get(token, 0) <= self._now():
            kind = "invalidAccessToken" if token else "noAccessToken"
            await respond_problem(send, problem(401, kind, f"buy a token at {TOKEN}"))
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

    async def _sell(self, receive: Receive, send: Send) -> None:
        """POST: a token for who signed with the key of the kit (RFC 7523), once per assertion."""
        try:
            form = dict(parse_qsl((await read_body(receive, _LIMIT)).decode("utf-8")))
        except (BodyTooLarge, ValueError):
            form = {}
        if form.get("grant_type") != "client_credentials" or form.get("client_assertion_type") != _ASSERTION:
            await respond_json(send, 400, {"error": "invalid_request"})
        elif not self._signed(form.get("client_assertion", "")):
            await respond_json(send, 401, {"error": "invalid_client"})
        else:
            token = secrets.token_urlsafe(24)
            self._tokens = {one: end for one, end in self._tokens.items() if end > self._now()} | {
                token: self._now() + LIFE
            }
            await respond_json(send, 200, {"access_token": token, "token_type": "Bearer", "expires_in": LIFE})

    def _signed(self, assertion: str) -> bool:
        unchecked = {"verify_aud": False, "verify_exp": False, "verify_nbf": False, "verify_iat": False}
        try:
            told = jwt.decode(assertion, self._client, algorithms=["ES256"], options=unchecked)  # type: ignore[arg-type]
        except jwt.InvalidTokenError:
            return False
        now, jti = self._now(), str(told.get("jti"))
        fresh = now - _SKEW < float(told.get("exp", 0)) <= now + LIFE and jti not in self._seen
        self._seen.add(jti)
        return fresh and told.get("iss") == told.get("sub") == CLIENT and str(told.get("aud")).endswith(TOKEN)

    def _now(self) -> float:
        return self._clock().timestamp()


def _period(one: Declaration) -> dict[str, Any]:
    told = {"id": one.id, "worker": {"ssin": one.ssin}, "employer": {"enterpriseNumber": one.employer}}
    return told | {name: one.said[name] for name in ("startDate", "endDate", "features") if name in one.said}


async def _document(receive: Receive) -> Any:
    try:
        return orjson.loads(await read_body(receive, _LIMIT))
    except (BodyTooLarge, orjson.JSONDecodeError):
        raise Refused("schemaViolation", "send one JSON object", "") from None
