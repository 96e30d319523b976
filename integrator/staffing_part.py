"""What HR packages tell, inside the hub: the same verbs of SCIM as over the API, recorded alike."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from integrator.adapters.staffing import NotTaken, Resource
from integrator.agents.model import Author
from integrator.agents.office import Agents
from integrator.agents.scim.errors import ScimRefused
from integrator.agents.scim.schemas import kinds
from integrator.agents.scim.service import Hr
from integrator.errors import ConfigurationError
from integrator.model import Caller

T = TypeVar("T")


class OwnDirectory:
    """Implements Directory. `caller`: the package's application as it is enrolled now."""

    def __init__(self, agents: Agents, caller: Callable[[], Caller]) -> None:
        self._agents, self._caller, self._kind = agents, caller, kinds()["User"]

    async def find(self, login: str) -> Resource | None:
        said = {"filter": f"userName eq {json.dumps(login)}", "count": 1}
        page = await _taken(self._agents.scim.search(self._hr(), self._kind, said, address=False))
        found: list[Mapping[str, Any]] = page["Resources"]
        return found[0] if found else None

    async def create(self, user: Resource) -> None:
        await _taken(self._agents.scim.create(self._hr(), self._kind, user))
        await self._agents.acts.record()

    async def replace(self, id_: str, user: Resource) -> None:
        await _taken(self._agents.scim.replace(self._hr(), self._kind, id_, user, None))
        await self._agents.acts.record()

    def _hr(self) -> Hr:
        """Raises `ConfigurationError` when the application is not enrolled for the staff directory."""
        caller = self._caller()
        if caller.purpose != self._agents.purpose:
            raise ConfigurationError("staff.purpose is not the one of the staff directory")
        return Hr(caller.organisation, Author(caller.application, caller.agent))


async def _taken(work: Awaitable[T]) -> T:
    try:
        return await work
    except ScimRefused as refused:
        raise NotTaken from refused
