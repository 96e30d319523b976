"""SCIM and delegations at the door: text that no database takes, a register that is down, and too many at once."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from integrator.agents.standing import StandingUnknown
from integrator.api.problems import Problems
from integrator.model import Trace
from tests.unit.agents.test_oracle import client
from tests.unit.agents.town import BASE, CORE, PATCH, Town, user

SEARCH = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"


@pytest.mark.parametrize("name", ["userName", "externalId", "id"])
@pytest.mark.parametrize(
    "value", ["\\u0000", "x\\u0000y", "\\ud800", "\\udfff\\ud800"], ids=["nul", "nul_within", "half", "halves"]
)
async def test_a_filter_with_what_is_no_text_is_refused(town: Town, name: str, value: str) -> None:
    async with client(town) as hr:
        body = json.dumps({"schemas": [SEARCH], "filter": f'{name} eq "{value}"'})
        told = await hr.post("/scim/v2/Users/.search", content=body)
        inner = json.dumps(
            {"schemas": [PATCH], "Operations": [{"op": "remove", "path": f'members[value eq "{value}"]'}]}
        )
        group = (await hr.post("/scim/v2/Groups", json={"schemas": [f"{CORE}:Group"], "displayName": "clerks"})).json()[
            "id"
        ]
        patched = await hr.patch(f"/scim/v2/Groups/{group}", content=inner)

    assert (400, "invalidFilter") == (told.status_code, told.json()["scimType"])
    assert 400 == patched.status_code


@pytest.mark.parametrize("id_", ["%00", "a%00b", "%ED%A0%80", "a%0Ab", "x" * 81], ids=range(5))
async def test_an_address_with_what_is_no_id_is_that_of_nothing(town: Town, id_: str) -> None:
    async with client(town) as hr:
        told = [
            await hr.request(method, f"/scim/v2/Users/{id_}", content=json.dumps(user("a")))
            for method in ("GET", "PUT", "DELETE")
        ]

    assert {404} <= {one.status_code for one in told} <= {400, 404}


async def test_when_the_register_is_down_everybody_is_told_to_come_back(
    village: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(work: Any) -> None:
        raise OperationalError("select", {}, Exception("secret"))

    async with client(village) as hr:
        monkeypatch.setattr(village.database, "now", down)
        told = [
            await hr.get("/scim/v2/Users"), await hr.post("/scim/v2/Users", json=user("anna")), await hr.delete("/scim/v2/Users/a-x"),
            await hr.post("/scim/v2/Bulk", json={"schemas": [BULK], "Operations": [{"method": "DELETE", "path": "/Users/a-x"}]}),
            await hr.post("/agents/v1/delegations/list", json={}, headers={"content-type": "application/json"}),
        ]  # fmt: skip

    assert [503] * 5 == [one.status_code for one in told]
    assert all(int(one.headers["retry-after"]) > 0 for one in told)
    assert not any("secret" in one.text for one in told)
    assert ["503"] * 4 == [one.json()["status"] for one in told[:4]]


async def test_one_feed_takes_no_more_places_than_any_application(village: Town) -> None:
    village.shelf.slow = asyncio.Event()
    async with client(village) as hr, client(village, "hr-anderlecht"):
        waiting = [
            asyncio.create_task(hr.post("/scim/v2/Users", json=user(f"agent-{letter}"))) for letter in "abcdefghijkl"
        ]
        while (
            len(
                await village.database.run(
                    lambda connection: connection.exec_driver_sql("SELECT 1 FROM agents_resource").all()
                )
            )
            < 12
        ):
            await asyncio.sleep(0.02)
        refused = [
            await hr.get("/scim/v2/Users"),
            await hr.post("/agents/v1/delegations/list", json={}, headers={"content-type": "application/json"}),
        ]
        village.shelf.slow.set()
        done = await asyncio.gather(*waiting)
        after = await hr.get("/scim/v2/Users")

    assert [429, 429] == [one.status_code for one in refused]
    assert all("retry-after" in one.headers for one in refused)
    assert {201} == {one.status_code for one in done}
    assert 200 == after.status_code


def test_a_standing_that_nobody_knows_is_answered_503_with_a_time_to_come_back() -> None:
    """Asked at every use of an agent's token: it is no fault of who asks, and none of ours to hide."""
    rendered = Problems(BASE).render(StandingUnknown("not read lately"), Trace("0" * 31 + "1", "0" * 15 + "1"))

    assert (503, b"5") == (rendered.status, dict(rendered.headers)[b"retry-after"])
