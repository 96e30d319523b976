"""Dimona: a token for who signs, a declaration that is worked on for a moment, and what is refused."""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from mock_sources.assertion import CLIENT
from mock_sources.sources.dimona.app import API, TOKEN, Dimona
from mock_sources.sources.dimona.register import Register

KEY, OTHER = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
KNOWN, EMPLOYER = "84651797654", "0207373429"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class World:
    """Knows one person."""

    def person(self, ssin: str) -> Any:
        return object() if ssin == KNOWN else None


class Clock:
    def __init__(self) -> None:
        self.now = datetime.fromisoformat("2026-11-23T12:00:00+00:00")

    def __call__(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def dimona(clock: Clock) -> Dimona:
    return Dimona(Register(World(), clock), KEY.public_key(), clock)  # type: ignore[arg-type]


def assertion(clock: Clock, key: Any = KEY, **more: Any) -> str:
    now = int(clock().timestamp())
    told = {"iss": CLIENT, "sub": CLIENT, "aud": f"https://x{TOKEN}", "jti": str(uuid.uuid4()), "exp": now + 60, **more}
    return jwt.encode(told, key, "ES256")


def buy(ask: Any, dimona: Dimona, signed: str) -> Any:
    form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION, "client_assertion": signed}
    return ask(dimona, "POST", TOKEN, body=urlencode(form).encode())


@pytest.fixture
def call(ask: Any, dimona: Dimona, clock: Clock) -> Any:
    def go(method: str, place: str, document: Any = None, **more: Any) -> Any:
        token = buy(ask, dimona, assertion(clock)).json["access_token"]
        body = b"" if document is None else json.dumps(document).encode()
        return ask(dimona, method, API + place, headers={"authorization": f"Bearer {token}"}, body=body, **more)

    return go


def said(ssin: str = KNOWN, day: str = "2027-01-04", **features: str) -> dict[str, Any]:
    features = features or {"workerType": "OTH", "jointCommissionNumber": "XXX"}
    return {
        "employer": {"enterpriseNumber": EMPLOYER}, "worker": {"ssin": ssin}, "dimonaIn": {"startDate": day, "features": features},
    }  # fmt: skip


def place_of(answer: Any) -> str:
    return str(answer.headers["location"]).partition(API)[2]


def test_an_assertion_buys_one_token_once(ask: Any, dimona: Dimona, clock: Clock) -> None:
    signed = assertion(clock)

    assert [200, 401] == [buy(ask, dimona, signed).status, buy(ask, dimona, signed).status]


def test_another_key_or_an_old_assertion_buys_nothing(ask: Any, dimona: Dimona, clock: Clock) -> None:
    old = assertion(clock, exp=int(clock().timestamp()) - 120)

    assert [401, 401] == [buy(ask, dimona, one).status for one in (assertion(clock, OTHER), old)]


def test_without_a_token_nothing_is_declared(ask: Any, dimona: Dimona) -> None:
    assert 401 == ask(dimona, "POST", API + "declarations", body=json.dumps(said()).encode()).status


def test_what_is_worked_on_looks_like_what_never_was(call: Any, clock: Clock) -> None:
    place = place_of(made := call("POST", "declarations", said()))
    early = call("GET", place)
    clock.wait(2)
    told = call("GET", place).json["declarationStatus"]

    assert (201, 404, "A") == (made.status, early.status, told["result"])


@pytest.mark.parametrize(("document", "result"), [
    (said(workerType="OTH"), "W"), (said("85660812341"), "B"),
], ids=["no_joint_commission", "nobody_known"])  # fmt: skip
def test_what_is_wrong_with_it_is_told_in_the_result(call: Any, clock: Clock, document: Any, result: str) -> None:
    place = place_of(call("POST", "declarations", document))
    clock.wait(2)

    assert result == call("GET", place).json["declarationStatus"]["result"]


def test_a_period_is_declared_once(call: Any, clock: Clock) -> None:
    places = [place_of(call("POST", "declarations", said())) for _ in range(2)]
    clock.wait(2)
    search = {"employer": {"enterpriseNumber": EMPLOYER}, "worker": {"ssin": KNOWN}, "startDate": "2027-01-04"}

    assert ["A", "B"] == [call("GET", place).json["declarationStatus"]["result"] for place in places]
    assert 1 == call("POST", "periods/search", search).json["total"]


def test_a_message_that_is_none_is_refused_without_its_values(call: Any) -> None:
    refused = call("POST", "declarations", said() | {"worker": {"ssin": "no number"}})

    assert (400, "/worker/ssin") == (refused.status, refused.json["issues"][0]["name"])
    assert "no number" not in str(refused.json)
