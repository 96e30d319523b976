"""The cadastre over HTTP: token, rights. Refuses what no public body may ask; see mock.yaml."""

from __future__ import annotations

from typing import Any

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
from mock_sources.assertion import Tokens
from mock_sources.clock import Clock
from mock_sources.sources.cadastre.land import Good, Land
from mock_sources.sources.cadastre.question import NotTold, Question, Refused, read

TOKEN, PLACE = "/oauth/token", "/patrimony/v1/rights/search"
_LIMIT = 4096  # bytes of a body
_NO_CACHE = [(b"cache-control", b"no-store")]


class Cadastre:
    """ASGI callable for /oauth/token and /patrimony/v1/rights/search."""

    def __init__(self, land: Land, client: EllipticCurvePublicKey, clock: Clock) -> None:
        self._land, self._tokens = land, Tokens(client, TOKEN, clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Token first, then the path, then the question: a stranger learns nothing about the rest."""
        if not await self._tokens.let_in(scope, receive, send):
            return
        if scope.get("mock.fault") == "throttled":
            await respond_problem(send, problem(429, "tooManyRequests", "too many simultaneous requests"))
        elif scope["path"] != PLACE or scope.get("query_string"):
            await respond_problem(send, problem(404, "resourceNotFound", "no such resource"))
        elif scope["method"] != "POST":
            await respond_problem(send, problem(405, "methodNotAllowed", "POST"), [(b"allow", b"POST")])
        elif (header(scope, b"content-type") or b"").partition(b";")[0] != b"application/json":
            await respond_problem(send, problem(415, "unsupportedMediaType", "application/json"))
        else:
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            question = read(await _document(receive), self._land.year)
        except Refused as error:
            issues = [issue(error.kind, "body", name, error.detail) for name in error.names]
            await respond_problem(send, problem(400, "badRequest", "the question is not valid", issues))
            return
        except NotTold as error:
            await respond_problem(send, _refusal(error))
            return
        await respond_json(send, 200, self._page(question, scope.get("mock.fault")), _NO_CACHE)

    def _page(self, question: Question, fault: str | None) -> dict[str, Any]:
        if fault == "wrong_subject":
            found = [self._land.other_than(question.ssin)]
        else:
            found = [one for one in self._land.goods(question.ssin, question.tax_year) if one.parcel == question.parcel]
        items = [self._item(one) for one in found]
        if fault == "over_delivery":
            items = [self._everything(one, item, question) for one, item in zip(found, items, strict=True)]
        return {
            "taxYear": question.tax_year,
            "situationDate": f"{question.tax_year}-01-01",
            "parcelId": question.parcel,
            "items": items,
        }

    def _item(self, one: Good) -> dict[str, Any]:
        numerator, denominator = one.share
        return {
            "holder": {"ssin": one.ssin},
            "right": {"code": one.right, "share": {"numerator": numerator, "denominator": denominator}},
            "parcel": {
                "parcelId": one.parcel,
                "nature": {"code": one.nature},
                "cadastralIncome": one.income,
                "address": one.address,
            },
        }

    def _everything(self, one: Good, item: dict[str, Any], question: Question) -> dict[str, Any]:
        """What the documentation knows besides: the person's other goods, who else has rights, the deed."""
        others = [good.parcel for good in self._land.goods(one.ssin, question.tax_year) if good.parcel != one.parcel]
        return {
            **item,
            "holder": {**item["holder"], "familyName": "TEST", "givenName": "HOLDER", "civilStatus": "20"},
            "right": {**item["right"], "since": one.since, "deed": {"notary": "TEST", "price": 325000}},
            "parcel": {**item["parcel"], "surface": 182, "constructionYear": 1931, "indexedIncome": one.income * 2},
            "coHolders": [{"ssin": "85660812341", "familyName": "TEST"}],
            "otherParcels": others,
        }


def _refusal(error: NotTold) -> dict[str, Any]:
    """A problem of the cadastre's own, in belgif's form."""
    kind = f"urn:problem-type:cadastre:{error.kind}"
    return {"type": kind, "title": error.title, "status": error.status, "detail": error.title}


async def _document(receive: Receive) -> Any:
    try:
        return orjson.loads(await read_body(receive, _LIMIT))
    except (BodyTooLarge, orjson.JSONDecodeError):
        raise Refused("schemaViolation", "send one JSON object", "") from None
