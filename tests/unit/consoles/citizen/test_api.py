"""Contests for programs: the same rights and the same words kept as at the pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, Response

from integrator.api.problems import Problems
from integrator.consoles.citizen.api import router
from integrator.errors import IntegratorError, UnknownCaller
from integrator.model import Trace
from tests.unit.consoles.citizen.rig import House
from tests.unit.consoles.desk import AUDITOR, BERT, BRUSSELS, CITIZEN, DPO, HUB_DPO, Someone

PEOPLE = {
    "citizen": CITIZEN, "dpo": DPO, "hub": HUB_DPO, "auditor": AUDITOR,
    "other citizen": Someone("account-9", frozenset({"citizen"}), subject=BERT),
    "other dpo": Someone("account-8", frozenset({"dpo"}), org=BRUSSELS),
}  # fmt: skip
WORDS = "I never applied for a parking card."


@pytest.fixture
async def call(home: House) -> AsyncIterator[Any]:
    problems, rest = Problems("https://hub.example"), FastAPI(openapi_url=None)

    async def current(request: Request) -> Any:
        person = PEOPLE.get(request.headers.get("authorization", ""))
        if person is None:
            raise UnknownCaller(problem="noAccessToken")
        return person

    async def body(request: Request) -> Any:
        return await request.json()

    @rest.exception_handler(IntegratorError)
    async def refused(request: Request, error: IntegratorError) -> Response:
        said = problems.render(error, Trace("7" * 32, "7" * 16))
        return Response(said.body, said.status)

    rest.include_router(router(home.consoles, current, body))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(rest), base_url="http://hub") as client:

        async def calling(who: str, path: str = "", json: Any = None) -> httpx.Response:
            method = "GET" if json is None else "POST"
            return await client.request(method, "/audit/v1/contests" + path, json=json, headers={"authorization": who})

        yield calling


def a_contest(home: House, **changes: Any) -> dict[str, Any]:
    return {"shard": home.ledger.shard, "index": home.exchange(), "kind": "wrong", "words": WORDS, **changes}


async def test_a_contest_goes_from_the_citizen_to_the_officer_and_back(home: House, call: Any) -> None:
    made = await call("citizen", json=a_contest(home))
    id_ = made.json()["id"]

    assert (201, "open", "2026-12-23") == (made.status_code, made.json()["state"], made.json()["due"])
    assert [WORDS] == [one["words"] for one in (await call("dpo")).json()["items"]]

    await call("dpo", f"/{id_}/take", {})
    answered = await call("hub", f"/{id_}/answer", {"answer": "It was a mistake of the counter."})

    assert (200, "answered") == (answered.status_code, answered.json()["state"])
    assert ["It was a mistake of the counter."] == [one["answer"] for one in (await call("citizen")).json()["items"]]
    assert 403 == (await call("citizen", f"/{id_}/withdraw", {})).status_code  # nothing can be done any more


@pytest.mark.parametrize(
    ("who", "step", "said", "status"),
    [
        ("other citizen", "withdraw", {}, 404),
        ("other dpo", "answer", {"answer": "not mine to answer"}, 404),
        ("auditor", "take", {}, 403),
        ("dpo", "withdraw", {}, 403),
        ("citizen", "answer", {"answer": "my own answer, please"}, 403),
        ("citizen", "sabotage", {}, 404),
        ("dpo", "answer", {}, 400),
        ("nobody", "take", {}, 401),
    ],
)
async def test_whoever_it_does_not_concern_changes_nothing(
    home: House, call: Any, who: str, step: str, said: dict[str, Any], status: int
) -> None:
    id_ = (await call("citizen", json=a_contest(home))).json()["id"]
    size = home.store.size(home.ledger.shard)

    assert (status, size) == ((await call(who, f"/{id_}/{step}", said)).status_code, home.store.size(home.ledger.shard))


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"kind": "sabotage"}, 400),
        ({"index": "1"}, 400),
        ({"index": 99}, 404),
        ({"words": "short"}, 403),
        ({"more": 1}, 400),
    ],
)
async def test_what_is_no_contest_is_refused(home: House, call: Any, changes: dict[str, Any], status: int) -> None:
    assert status == (await call("citizen", json=a_contest(home, **changes))).status_code
    assert [] == (await call("citizen")).json()["items"]


async def test_an_officer_contests_nothing_in_a_citizen_s_name(home: House, call: Any) -> None:
    assert 403 == (await call("dpo", json=a_contest(home))).status_code
