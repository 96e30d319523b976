"""A stranger's view: scim2-tester asks our SCIM, over its real routes, what it asks anybody's. And a storm of nonsense."""

from __future__ import annotations

import asyncio
import json
import math
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from scim2_client.engines.asgi import ASGISCIMClient
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_tester import check_server

from integrator.api import agents as delegations_api
from integrator.api import scim as scim_api
from integrator.api.app import _handlers
from integrator.api.body import Inlet
from integrator.api.callers import Counter
from integrator.api.limits import Limits
from integrator.api.problems import Problems
from integrator.errors import UnknownCaller
from integrator.identity.tokens import Verified
from integrator.model import Caller, Trace
from tests.unit.agents.test_patching import JSON, OPERATIONS
from tests.unit.agents.town import ANDERLECHT, BASE, CORE, IXELLES, PATCH, Town, user

CALLERS = {
    "hr": Caller(IXELLES, "hr-ixelles", "staff_directory"), "hr-anderlecht": Caller(ANDERLECHT, "hr-anderlecht", "staff_directory"),
    "desk": Caller(IXELLES, "desk", "parking_control"),
}  # fmt: skip


def app(town: Town) -> Any:
    """The routes behind a front that does as api/asgi.py does; a token is the name of who asks."""

    def verify(token: str, shown: object = None) -> Verified:
        if token not in CALLERS:
            raise UnknownCaller("no")
        return Verified(CALLERS[token], None, 0.0, None, "key")  # type: ignore[arg-type]

    limits = Limits()
    rest = FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        exception_handlers=_handlers(Problems(BASE), limits),
    )
    counter = Counter(verify, limits)
    rest.include_router(scim_api.router(town.agents, counter, limits))
    rest.include_router(delegations_api.router(town.agents, counter, town.clock))

    async def front(scope: Any, receive: Any, send: Any) -> None:
        inlet = Inlet(receive)
        scope["integrator.trace"], scope["integrator.inlet"] = Trace("0" * 31 + "1", "0" * 15 + "1"), inlet
        scope.setdefault("raw_path", scope["path"].encode())
        await rest(scope, inlet, send)

    return front


# Where we differ on purpose: who left does not come back because `active` was left out; and the stranger's own client
# writes `schemas` inside an extension, where RFC 7643 has none, and looks for it there.
OURS = ("did not remove attribute 'active'", "Returned value: schemas=[] mandate=")


class Bridge(WSGISCIMClient):
    """The stranger's client wants no event loop; our routes have one."""

    def __init__(self, routes: Any, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(lambda environ, start: [], f"{BASE}/scim/v2")
        self._inner, self._loop = ASGISCIMClient(routes, f"{BASE}/scim/v2", {"authorization": "Bearer hr"}), loop

    def request(self, method: str, url: str, **more: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(self._inner.request(method, url, **more), self._loop).result(30)


def client(town: Town, who: str = "hr") -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer {who}", "content-type": "application/scim+json"}
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app(town), raise_app_exceptions=False), base_url=BASE, headers=headers
    )


async def test_a_stranger_finds_nothing_to_say(village: Town) -> None:
    village.agents.scim._tag = lambda number: number[:8]  # it invents numbers that are none
    stranger = Bridge(app(village), asyncio.get_running_loop())
    await asyncio.to_thread(stranger.discover)

    results = await asyncio.to_thread(check_server, stranger)

    odd = [(one.title, one.reason or "") for one in results if one.status.name != "SUCCESS"]
    assert [] == [one for one in odd if not any(word in one[1] for word in OURS)]
    assert len(results) > 60


async def test_refusals_have_scims_own_shape(village: Town) -> None:
    async with client(village, "nobody") as stranger, client(village, "desk") as desk, client(village) as hr:
        told = [
            await stranger.get("/scim/v2/Users"), await desk.get("/scim/v2/Users"), await hr.get("/scim/v2/Nothing"), await hr.get("/scim/v2/Users/a-x"),
            await hr.post("/scim/v2/Users", content=b'{"userName": "a", "userName": "b"}', headers={"content-type": "application/json"}),
            await hr.post("/scim/v2/Users", content=b"x", headers={"content-type": "text/plain"}),
            await hr.get("/scim/v2/Users/85660812341"), await hr.get("/scim/v2/Users?count=x"), await hr.get("/scim/v2/Schemas?filter=id%20pr"),
            await hr.post("/scim/v2/Users", content=b" " * 70_000, headers={"content-type": "application/json"}),
        ]  # fmt: skip

    assert [401, 403, 404, 404, 400, 415, 400, 400, 403, 413] == [one.status_code for one in told]
    assert {"application/scim+json"} == {one.headers["content-type"] for one in told}
    assert [str(one.status_code) for one in told] == [one.json()["status"] for one in told]
    assert not any("85660812341" in one.text for one in told)


async def test_etags_over_the_wire(village: Town) -> None:
    async with client(village) as hr:
        made = await hr.post("/scim/v2/Users", json=user("anna"))
        address, version = made.headers["location"], made.headers["etag"]
        told = [
            await hr.get(address, headers={"if-none-match": version}), await hr.put(address, json=user("anna", title="x"), headers={"if-match": 'W/"7"'}),
            await hr.put(address, json=user("anna", title="x"), headers={"if-match": version}), await hr.delete(address, headers={"if-match": version}), await hr.delete(address),
        ]  # fmt: skip

    assert [201, 304, 412, 200, 412, 204] == [made.status_code, *(one.status_code for one in told)]


async def test_an_application_without_an_agent_cannot_delegate(village: Town) -> None:
    async with client(village, "desk") as desk:
        told = [
            await desk.post(f"/agents/v1/{path}", json={}, headers={"content-type": "application/json"})
            for path in ("me", "delegations", "delegations/list", "delegations/revoke")
        ]

    assert [401, 401, 401, 400] == [one.status_code for one in told]


QUERIES = st.dictionaries(
    st.sampled_from(["filter", "sortBy", "sortOrder", "startIndex", "count", "attributes", "excludedAttributes", "x"]),
    st.text(max_size=30) | st.sampled_from(['active eq true', 'id pr', "-1", "0", "externalId", "ascending", "groups.value", 'roles[value eq "clerk"]', "meta.created"]),
    max_size=4,
)  # fmt: skip


@settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    query=QUERIES,
    operations=OPERATIONS,
    body=JSON,
    search=st.dictionaries(st.sampled_from(["filter", "count", "sortBy", "attributes"]), JSON, max_size=3),
)
async def test_nonsense_is_never_a_500_and_never_somebody_elses(
    village: Town, query: dict[str, str], operations: list[Any], body: Any, search: Any
) -> None:
    theirs = await village.user(f"secret-{village.clock.now}", "clerk", hr=village.hr_anderlecht)
    mine = await village.user(f"mine-{village.clock.now}", "clerk")
    village.clock.now += 1
    async with client(village) as hr:
        told = [
            await hr.get("/scim/v2/Users", params=query), await hr.get(f"/scim/v2/Users/{mine}", params=query),
            await hr.post("/scim/v2/.search", content=json.dumps(search)), await hr.post("/scim/v2/Users", content=json.dumps(body)),
            await hr.patch(f"/scim/v2/Users/{mine}", content=json.dumps({"schemas": [PATCH], "Operations": operations})),
            await hr.patch(f"/scim/v2/Users/{theirs}", content=json.dumps({"schemas": [PATCH], "Operations": operations})),
            await hr.put(f"/scim/v2/Users/{mine}", content=json.dumps({"schemas": [f"{CORE}:User"], "userName": "m", "x": body})),
            await hr.post("/scim/v2/Bulk", content=json.dumps({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [{"method": "PATCH", "path": f"/Users/{theirs}", "data": {"Operations": operations, "schemas": [PATCH]}}, body]})),
        ]  # fmt: skip

    assert [] == [(one.request.method, one.status_code) for one in told if one.status_code >= 500]
    readable = all(math.isfinite(one) for one in _floats(operations))  # JSON has no infinity: such a body is not read at all
    assert (404 if readable else 400) == told[5].status_code
    assert not any("secret-" in one.text for one in told)


def _floats(value: Any) -> list[float]:
    if isinstance(value, float):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [found for one in inner for found in _floats(one)]


@pytest.mark.parametrize(
    "text", ['{"Operations": ' + "[" * 40, "\xff", '{"a": NaN}', '{"schemas": ["\\ud800"]}'], ids=range(4)
)
async def test_what_is_not_json_is_said_to_be_none(village: Town, text: str) -> None:
    async with client(village) as hr:
        told = await hr.post(
            "/scim/v2/Bulk", content=text.encode("latin-1"), headers={"content-type": "application/scim+json"}
        )

    assert (400, "invalidSyntax") == (told.status_code, told.json()["scimType"])
