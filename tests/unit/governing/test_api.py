"""/policy/v1: the same two people, and everything that is served is described."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request, Response
from openapi_spec_validator import validate

from integrator import settings
from integrator.api.problems import Problems
from integrator.consoles.governing.api import router
from integrator.consoles.governing.describing import describe
from integrator.consoles.governing.telling import proposal_json
from integrator.consoles.people import Person
from integrator.errors import IntegratorError, UnknownCaller
from integrator.governing import opening
from integrator.governing.opening import Governing
from integrator.governing.proving import load_all_services
from integrator.governing.register import make_register
from integrator.governing.texts import digest
from integrator.model import Trace
from tests.unit.consoles.doorstep import Clock, consoles
from tests.unit.governing.kit import (
    AUDITOR,
    BASE,
    DPO,
    HUB,
    HUB_2,
    IXELLES,
    SCHOOL,
    STEWARD,
    STEWARD_2,
    UCCLE,
    WHY,
    House,
    house,
    propose,
    without_language,
)

PEOPLE = {one.id: one for one in (STEWARD, STEWARD_2, HUB, HUB_2, DPO, AUDITOR)} | {
    "citizen": Person("citizen", "C", frozenset({"citizen"})),
    "dpo-of-nobody": Person("dpo-of-nobody", "N", frozenset({"dpo"})),
    "dpo-of-forest": Person("dpo-of-forest", "F", frozenset({"dpo"}), org="1992100777"),
}
TEXT = without_language().decode()
FROM = {SCHOOL: f"sha256:{digest(BASE[SCHOOL])}"}


class Client:
    def __init__(self, http: httpx.AsyncClient, house: House, routes: APIRouter) -> None:
        self.http, self.house, self.routes = http, house, routes

    async def get(self, who: str, path: str) -> httpx.Response:
        return await self.http.get(f"/policy/v1{path}", headers={"authorization": f"Bearer {who}"})

    async def post(self, who: str, path: str, **json: Any) -> httpx.Response:
        return await self.http.post(f"/policy/v1{path}", json=json, headers={"authorization": f"Bearer {who}"})


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    one = house(f"sqlite:///{tmp_path}/governing.db", tmp_path)
    database = one.store.database
    governing = Governing(
        one.live, one.office, one.suspending, load_all_services(), settings.organisations(), None, one.clock, database
    )
    problems, rest = Problems("https://hub.example"), FastAPI(openapi_url=None)

    async def current(request: Request) -> Person:
        person = PEOPLE.get(request.headers.get("authorization", "").removeprefix("Bearer "))
        if person is None:
            raise UnknownCaller(problem="noAccessToken")
        return person

    async def body(request: Request) -> Any:
        return await request.json()

    @rest.exception_handler(IntegratorError)
    async def refused(request: Request, error: IntegratorError) -> Response:
        said = problems.render(error, Trace("7" * 32, "7" * 16))
        return Response(said.body, said.status)

    shown = consoles(tmp_path, Clock())
    routes = router(shown, governing, current, body)
    rest.include_router(routes)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(rest), base_url="http://hub") as http:
        yield Client(http, one, routes)
    shown.database.close()
    database.close()


async def test_a_text_is_proposed_approved_by_two_and_in_force(client: Client) -> None:
    made = await client.post("steward-1", "/proposals", texts=[TEXT], reason=WHY, **{"from": FROM})
    id_ = made.json()["id"]

    assert (201, "proposed", TEXT) == (made.status_code, made.json()["state"], made.json()["texts"][0]["text"])
    assert "proposed" == (await client.post("steward-2", f"/proposals/{id_}/approve")).json()["state"]
    assert "approved" == (await client.post("hub-1", f"/proposals/{id_}/approve")).json()["state"]

    await client.house.live.look()
    told = (await client.get("auditor-1", "/texts")).json()
    versions = {one["purpose"]: one["digest"] for one in told["items"]}

    assert made.json()["texts"][0]["digest"] == versions[SCHOOL]
    assert ["active"] == [one["state"] for one in (await client.get("hub-2", "/proposals")).json()["items"]]
    assert {"Stijn": False, "Hanne": True} == {
        one["by"]: one["dataProtectionOfficer"]
        for one in (await client.get("hub-2", f"/proposals/{id_}")).json()["approvals"]
    }


async def test_refusals_name_their_reason_and_what_to_do(client: Client) -> None:
    id_ = (await client.post("steward-1", "/proposals", texts=[TEXT], reason=WHY, **{"from": FROM})).json()["id"]
    answer = await client.post("steward-1", f"/proposals/{id_}/approve")

    assert (403, "OWN_PROPOSAL") == (answer.status_code, answer.json()["reason"])
    assert "Ask two others" in answer.json()["detail"]


async def test_a_text_says_from_which_it_was_written_and_that_is_the_newest(client: Client) -> None:
    answer = await client.post("steward-1", "/proposals", texts=[TEXT], reason=WHY)

    assert (403, "REBASE") == (answer.status_code, answer.json()["reason"])

    id_ = (await client.post("steward-1", "/proposals", texts=[TEXT], reason=WHY, **{"from": FROM})).json()["id"]
    for who in ("hub-1", "hub-2"):
        await client.post(who, f"/proposals/{id_}/approve")
    (told,) = [one for one in (await client.get("hub-1", "/texts")).json()["items"] if one["purpose"] == SCHOOL]

    assert (FROM[SCHOOL], f"sha256:{digest(TEXT.encode())}") == (told["digest"], told["newest"])


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/proposals", {}), ("/proposals", {"texts": [], "reason": WHY}), ("/proposals", {"texts": [1], "reason": WHY}),
        ("/proposals", {"texts": [TEXT], "reason": "no"}), ("/proposals", {"texts": [TEXT], "reason": WHY, "effective": "soon"}),
        ("/proposals", {"texts": [TEXT], "reason": WHY, "more": 1}), ("/proposals", {"texts": [TEXT], "reason": WHY, "from": {SCHOOL: 1}}), ("/suspensions", {"authorisation": 1, "reason": WHY}),
        ("/diet", {"days": 0}), ("/replay", {"texts": [TEXT], "days": True}), ("/replay", {"texts": ["purpose: nothing"]}),
        ("/replay", {"texts": [TEXT.replace("validFrom: 2026-01-01", "validFrom: soon")]}),
        ("/replay", {"texts": [TEXT.replace("territory: own", "limits: few")]}),
    ],
)  # fmt: skip
async def test_what_is_not_asked_well_is_said_field_by_field(client: Client, path: str, sent: dict[str, Any]) -> None:
    answer = await client.post("hub-1", path, **sent)

    assert 400 == answer.status_code
    assert answer.json()["issues"]


@pytest.mark.parametrize("who", ["citizen", "nobody"])
async def test_who_does_not_govern_reads_and_does_nothing(client: Client, who: str) -> None:
    refused = {"citizen": 403, "nobody": 401}[who]
    answers = [
        await client.get(who, "/texts"), await client.get(who, "/proposals"), await client.get(who, "/suspensions"),
        await client.post(who, "/proposals", texts=[TEXT], reason=WHY, **{"from": FROM}), await client.post(who, "/diet"),
        await client.post(who, "/replay", texts=[TEXT]),
        await client.post(who, "/suspensions", authorisation=f"{SCHOOL}@2026-1", reason=WHY),
    ]  # fmt: skip

    assert {refused} == {answer.status_code for answer in answers}
    assert [] == client.house.ledger.entries


async def test_an_officer_suspends_and_two_give_back(client: Client) -> None:
    made = await client.post(
        "dpo-1", "/suspensions", authorisation=f"{SCHOOL}@2026-1", organisation=IXELLES, reason=WHY
    )
    id_ = made.json()["id"]

    assert (201, "standing") == (made.status_code, made.json()["state"])
    assert 403 == (await client.post("dpo-of-forest", f"/suspensions/{id_}/askBack", reason=WHY)).status_code
    assert "lifting" == (await client.post("steward-1", f"/suspensions/{id_}/askBack", reason=WHY)).json()["state"]
    assert "lifted" == (await client.post("hub-1", f"/suspensions/{id_}/giveBack")).json()["state"]
    assert [IXELLES] == [one["organisation"] for one in (await client.get("auditor-1", "/suspensions")).json()["items"]]


@pytest.mark.parametrize(
    ("who", "org"), [("hub-1", None), ("steward-1", None), ("dpo-1", IXELLES), ("dpo-of-nobody", "")]
)
async def test_a_replay_and_the_diet_are_of_what_ones_own_organisation_asked(
    client: Client, monkeypatch: pytest.MonkeyPatch, who: str, org: str | None
) -> None:
    asked: list[str | None] = []

    async def replayed(self: Governing, changed: Any, days: int, at: Any = None, org: str | None = None) -> None:
        asked.append(org)

    async def eaten(self: Governing, org: str | None, days: int) -> list[Any]:
        asked.append(org)
        return []

    monkeypatch.setattr(Governing, "replay", replayed)
    monkeypatch.setattr(Governing, "diet", eaten)
    answers = [await client.post(who, "/replay", texts=[TEXT]), await client.post(who, "/diet")]

    assert ([200, 200], [org, org]) == ([answer.status_code for answer in answers], asked)


async def test_a_proposal_tells_an_organisation_of_its_own_questions_and_no_totals(client: Client) -> None:
    made = await propose(client.house, STEWARD, without_language())
    rows = [{"organisation": org, "calls": 1} for org in (IXELLES, UCCLE)]
    one = replace(made, proof={**made.proof, "replay": {"calls": 9, "untouched": 7, "changes": rows}})

    assert {"changes": rows[:1]} == proposal_json(one, whole=True, org=IXELLES)["proof"]["replay"]
    assert 9 == proposal_json(one, whole=True)["proof"]["replay"]["calls"]


async def test_the_register_is_open_to_anyone_and_ids_that_do_not_exist_are_404(client: Client) -> None:
    assert set(BASE) == {one["purpose"] for one in (await client.http.get("/policy/v1/register")).json()["activities"]}
    assert {404} == {(await client.get("hub-1", f"/proposals/{one}")).status_code for one in ("0" * 32, "..", "x")}


async def test_the_register_is_made_once_for_a_set_and_a_day_and_not_on_the_loop(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []

    def noted(*given: Any) -> Any:
        made.append(threading.get_ident())
        return make_register(*given)

    monkeypatch.setattr(opening, "make_register", noted)
    for _ in range(2):
        await asyncio.gather(*(client.http.get("/policy/v1/register") for _ in range(3)))

    assert 1 == len(made)

    client.house.clock.now += 86_400
    await client.http.get("/policy/v1/register")
    id_ = (await client.post("steward-1", "/proposals", texts=[TEXT], reason=WHY, **{"from": FROM})).json()["id"]
    for who in ("hub-1", "hub-2"):
        await client.post(who, f"/proposals/{id_}/approve")
    await client.house.live.look()
    await client.http.get("/policy/v1/register")

    assert 3 == len(made)
    assert threading.get_ident() not in made


async def test_every_route_is_described_and_nothing_else(client: Client) -> None:
    served = {
        (path.replace("{id_}", "{id}"), method.lower())
        for route in client.routes.routes
        if (path := getattr(route, "path", "")).startswith("/policy/v1")
        for method in getattr(route, "methods", ())
    } - {("/policy/v1/openapi.json", "get")}

    assert served == {(path, method) for path, methods in describe()["paths"].items() for method in methods}
    validate(describe())
