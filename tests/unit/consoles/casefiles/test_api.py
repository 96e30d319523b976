"""The same requests for programs: same steps, same second person, and no number comes back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, Response

from integrator.api.problems import Problems
from integrator.consoles.casefiles import api
from integrator.consoles.reveals import api as reveals_api
from integrator.consoles.reveals.opener import Opener
from integrator.consoles.reveals.store import Store
from integrator.consoles.vault import Vault
from integrator.errors import IntegratorError, UnknownCaller
from integrator.model import Trace
from tests.unit.consoles.casefiles.rig import ADDRESS, ANNA, AUDITOR, BOOK, FIRST, OTHER, SECOND, TODAY, a_rig

PEOPLE = {"first": FIRST, "second": SECOND, "other": OTHER, "auditor": AUDITOR}
ASKED = {
    "subject": ANNA.id, "language": "fr", "received": TODAY.isoformat(), "addressee": ADDRESS, "channel": "letter",
}  # fmt: skip


@pytest.fixture
async def call(tmp_path: Path) -> AsyncIterator[Any]:
    with a_rig(tmp_path) as rig:
        rig.write("resident_permit")
        opener = Opener(rig.desk, Store(rig.database, Vault(b"v" * 32)), lambda: rig.now)
        rig.desk.open_names_by(opener)
        consoles: Any = SimpleNamespace(
            extras={"casefiles": rig.office, "reveals": opener}, sandbox=True, book=BOOK, now=lambda: rig.now
        )
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

        rest.include_router(api.router(consoles, current, body))
        rest.include_router(reveals_api.router(consoles, current, body))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(rest), base_url="http://hub/audit/v1") as client:

            async def calling(who: str, path: str, json: Any = None) -> httpx.Response:
                method = "GET" if json is None else "POST"
                return await client.request(method, path, json=json, headers={"authorization": who})

            calling.rig = rig  # type: ignore[attr-defined]
            yield calling


async def prepared(call: Any) -> dict[str, Any]:
    file = (await call("first", "/requests", ASKED)).json()
    where = f"/requests/{file['id']}"
    await call("first", f"{where}/identify", {"method": "eid_counter", "checks": ["number"]})
    await call("first", f"{where}/collect", {})
    told: dict[str, Any] = (await call("first", f"{where}/prepare", {})).json()
    return told


async def test_a_program_takes_the_same_steps(call: Any) -> None:
    file = await prepared(call)
    where = f"/requests/{file['id']}"
    own = await call("first", f"{where}/release", {"sha256": file["sha256"]})
    await call("second", f"{where}/release", {"sha256": file["sha256"]})
    whole = (await call("first", where)).json()
    letter = await call("first", f"{where}/papers/letter.pdf")

    assert (403, "SECOND_PERSON") == (own.status_code, own.json()["reason"])
    assert ("released", ["send"], 1) == (whole["state"], whole["steps"], len(whole["lines"]))
    assert ("application/pdf", b"%PDF") == (letter.headers["content-type"], letter.content[:4])


@pytest.mark.parametrize(
    ("who", "path", "json", "status"),
    [
        ("nobody", "/requests", None, 401),
        ("auditor", "/requests", ASKED, 403),
        ("first", "/requests", {**ASKED, "subject": ANNA.id[:-1] + "0"}, 400),
        ("first", "/requests", {**ASKED, ANNA.id: "x"}, 400),
        ("first", "/requests", {**ASKED, "received": "yesterday"}, 400),
        ("first", "/requests", {**ASKED, "language": "de"}, 400),
        ("first", "/requests/none/collect", {}, 404),
        ("first", "/requests/find", {"subject": 5}, 400),
    ],
)
async def test_what_is_refused_is_refused_without_repeating_it(
    call: Any, who: str, path: str, json: Any, status: int
) -> None:
    answer = await call(who, path, json)

    assert status == answer.status_code
    assert ANNA.id not in answer.text


async def test_a_file_of_another_organisation_is_not_there(call: Any) -> None:
    file = await prepared(call)

    assert [404, 404] == [
        (await call("other", path)).status_code
        for path in (f"/requests/{file['id']}", f"/requests/{file['id']}/papers/letter.pdf")
    ]
    assert [] == (await call("other", "/requests")).json()["items"]
    assert [file["number"]] == [
        one["number"] for one in (await call("second", "/requests/find", {"subject": ANNA.id})).json()["items"]
    ]


async def test_lines_are_judged_by_their_key(call: Any) -> None:
    file = await prepared(call)
    where = f"/requests/{file['id']}"
    await call("second", f"{where}/send_back", {"why": "the second line has to wait"})
    line = (await call("first", where)).json()["lines"][0]["line"]
    wrong = await call("first", f"{where}/decide", {"decisions": [{"line": line, "what": "omit"}]})
    right = await call("first", f"{where}/decide", {"decisions": [{"line": line, "what": "omit", "ground": "crime"}]})

    assert (400, 200) == (wrong.status_code, right.status_code)
    assert "omit" == (await call("first", where)).json()["lines"][0]["decision"]["what"]


async def test_a_name_is_asked_by_one_and_granted_by_another(call: Any) -> None:
    asked = (
        await call(
            "first", "/reveals", {"shard": call.rig.ledger.shard, "index": 1, "reason": "complaint 2026/44 of her"}
        )
    ).json()
    own = await call("first", f"/reveals/{asked['id']}/grant", {})
    granted = await call("second", f"/reveals/{asked['id']}/grant", {})

    assert ("SAME_PERSON", True) == (own.json()["reason"], granted.json()["open"])
    assert ["granted"] == [one["state"] for one in (await call("first", "/reveals")).json()["items"]]
    assert 400 == (await call("first", "/reveals", {"shard": "x", "index": "1", "reason": "because of it"})).status_code
