"""`integrator adapter run NAME` for an HR package: the adapter of a machine beside it tells a hub's staff directory over SCIM."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from connectors.client import Hub, HubUnreachable, Problem
from integrator.adapters.staffing import NotTaken, Resource
from integrator.errors import SourceUnavailable

_ROWS_OWN = (400, 404, 409, 413)  # what is wrong with the row, not with the hub


class ScimDirectory:
    """Implements Directory over the API, with the application's own key."""

    def __init__(self, client: Hub) -> None:
        self._client = client

    async def find(self, login: str) -> Resource | None:
        said = {"filter": f"userName eq {json.dumps(login)}", "count": 1}
        page = await self._call("POST", "/scim/v2/Users/.search", said)
        found: list[Mapping[str, Any]] = page["Resources"]
        return found[0] if found else None

    async def create(self, user: Resource) -> None:
        await self._call("POST", "/scim/v2/Users", user)

    async def replace(self, id_: str, user: Resource) -> None:
        await self._call("PUT", f"/scim/v2/Users/{id_}", user)

    async def _call(self, method: str, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            answer = await asyncio.to_thread(self._client.call, method, path, body)
        except HubUnreachable as error:
            raise SourceUnavailable("hub", "it does not answer") from error
        except Problem as problem:
            if problem.status in _ROWS_OWN and not problem.type.startswith("oauth:"):
                raise NotTaken from problem
            raise SourceUnavailable("hub", "it cannot take staff in now, or not from this application") from problem
        told: Mapping[str, Any] = answer.body
        return told
