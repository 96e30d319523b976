"""Orders over HTTP: the same second person, and nobody learns of an order that is not theirs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, Response

from audit import FileKeyRing, Ledger, open_store
from audit.keeping import RetentionClass, holds
from audit.log.years import OneBook
from audit.reports import Reports
from integrator.api.problems import Problems
from integrator.consoles.database import Database
from integrator.consoles.looking import Desk
from integrator.consoles.orders import Orders, Pile
from integrator.consoles.orders.api import router
from integrator.consoles.people import Person
from integrator.consoles.vault import Vault
from integrator.errors import IntegratorError, UnknownCaller
from integrator.model import Trace
from tests.unit.audit.kit import Clock
from tests.unit.consoles.desk import IXELLES

PEOPLE = {
    "hub-1": Person("hub-1", "hub-1", frozenset({"hub_dpo"})),
    "hub-2": Person("hub-2", "hub-2", frozenset({"hub_dpo"})),
    "dpo": Person("dpo", "dpo", frozenset({"dpo"}), IXELLES),
}
HOLD = {
    "action": "hold", "month": "2026-11", "review": "2027-06-01", "ground": "claims", "authority": "controller",
    "reason": "court case 2026/17 is pending",
}  # fmt: skip


@pytest.fixture
async def ask(tmp_path: Path) -> AsyncIterator[Any]:
    clock = Clock()
    store, keyring = open_store(f"sqlite:///{tmp_path}/ledger.db"), FileKeyRing(tmp_path / "keys")
    ledger = Ledger(store, keyring, shard="hub/test/api/2026", clock=clock)
    reports, database = Reports(store, keyring, clock), Database(f"sqlite:///{tmp_path}/consoles.db")
    classes = {"Y10": RetentionClass("Y10", 120, "eu-gdpr:A5-1-e")}
    pile = Pile(database, Vault(bytes(32)))
    office = Orders(Desk(reports, ledger), store, OneBook(ledger), pile, classes, lambda: clock.now / 1e6)
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

    rest.include_router(router(office, current, body))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(rest), base_url="http://hub") as client:

        async def asking(who: str, act: str, **json: Any) -> httpx.Response:
            return await client.post(f"/audit/v1/orders/{act}", json=json, headers={"authorization": f"Bearer {who}"})

        asking.store = store  # type: ignore[attr-defined]
        yield asking
    reports.close(), ledger.close(), store.close(), database.close()


async def test_a_hold_is_prepared_asked_and_agreed_by_two(ask: Any) -> None:
    prepared = await ask("hub-1", "prepare", **HOLD)
    id_ = prepared.json()["id"]

    assert (201, "draft") == (prepared.status_code, prepared.json()["state"])
    assert "asked" == (await ask("hub-1", "ask", id=id_)).json()["state"]

    done = (await ask("hub-2", "agree", id=id_)).json()

    assert ("done", "hub-2", 1, 1) == (done["state"], done["second"], len(done["entries"]), len(holds(ask.store)))
    assert [202611] == [one["month"] for one in (await ask("hub-1", "list")).json()["holds"]]


async def test_one_person_alone_changes_nothing(ask: Any) -> None:
    id_ = (await ask("hub-1", "prepare", **HOLD)).json()["id"]
    await ask("hub-1", "ask", id=id_)

    answer = await ask("hub-1", "agree", id=id_)

    assert (403, "OWN_ORDER") == (answer.status_code, answer.json()["reason"])
    assert [] == holds(ask.store)


async def test_an_order_of_the_hub_does_not_exist_for_an_officer_of_one_organisation(ask: Any) -> None:
    id_ = (await ask("hub-1", "prepare", **HOLD)).json()["id"]
    await ask("hub-1", "ask", id=id_)
    theirs, nobodys = await ask("dpo", "read", id=id_), await ask("dpo", "read", id="0" * 16)

    assert (404, nobodys.json()) == (theirs.status_code, theirs.json())
    assert {"orders": [], "holds": [], "restrictions": []} == (await ask("dpo", "list")).json()


@pytest.mark.parametrize(
    ("act", "body"),
    [("prepare", {**HOLD, "review": "soon"}), ("prepare", {**HOLD, "note": "x"}), ("ask", {}), ("ask", {"id": "../x"})],
    ids=["no day", "unknown key", "no id", "no such form of id"],
)
async def test_what_is_not_whole_is_refused(ask: Any, act: str, body: dict[str, str]) -> None:
    assert 400 == (await ask("hub-1", act, **body)).status_code


async def test_nobody_gets_in_without_a_session(ask: Any) -> None:
    assert 401 == (await ask("nobody", "list")).status_code
