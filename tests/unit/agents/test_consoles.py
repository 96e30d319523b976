"""Officials at the consoles: who left does not sign in, and the sessions of who leaves end with his leaving."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from integrator.consoles.database import Database
from integrator.consoles.sessions import Sessions
from integrator.consoles.vault import Vault
from integrator.offices import know_agents
from tests.unit.agents.town import IXELLES, Town
from tests.unit.consoles.test_oidc import NUMBER, Stand


class Door:
    """A town, an issuer of the consoles, and what `know_agents` joins."""

    def __init__(self, folder: Path) -> None:
        self.stand = Stand(folder)
        self.town = Town(folder / "town", f"sqlite:///{folder / 'agents.db'}")
        self.database = Database(f"sqlite:///{folder / 'consoles.db'}")
        self.sessions = Sessions(self.database, Vault(bytes(32)), self.town.clock)
        consoles: Any = SimpleNamespace(sessions=self.sessions, extras={"oidc": self.stand.ours})
        settings: Any = SimpleNamespace(consoles={"signIn": {"agent": {"claim": "sub", "matches": "externalId"}}})
        know_agents(consoles, self.town.agents, settings)

    async def sign_in(self, who: str) -> Any:
        address, flow = await self.stand.ours.start()
        return await self.stand.ours.finish(flow, await self.stand.choose(address, who))


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    (tmp_path / "town").mkdir()
    made = Door(tmp_path)
    yield made
    made.database.close()
    made.town.close()


async def test_an_official_who_works_there_signs_in_and_one_whom_no_hr_told_of_too(door: Door) -> None:
    await door.town.user("dominique", externalId="dpo-ixelles")

    assert [{"dpo"}, {"dpo"}] == [set((await door.sign_in(who)).roles) for who in ("dpo-ixelles", "dpo-brussels")]


async def test_an_official_who_left_comes_in_without_any_role(door: Door) -> None:
    id_ = await door.town.user("dominique", externalId="dpo-ixelles")
    await door.town.leave(id_)

    person = await door.sign_in("dpo-ixelles")

    assert (frozenset(), None) == (person.roles, person.org)


async def test_a_session_ends_at_the_moment_its_official_leaves(door: Door) -> None:
    id_ = await door.town.user("dominique", externalId="dpo-ixelles")
    mine = await door.sessions.begin(await door.sign_in("dpo-ixelles"))
    other = await door.sessions.begin(await door.sign_in("dpo-brussels"))

    await door.town.leave(id_)

    assert (None, True) == (await door.sessions.find(mine.token), await door.sessions.find(other.token) is not None)


async def test_a_citizen_is_nobodys_agent_here(door: Door) -> None:
    assert {"citizen"} == set((await door.sign_in(NUMBER)).roles)
    assert [] == await door.town.agents.delegations(IXELLES, None)
