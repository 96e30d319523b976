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
from tests.unit.agents.town import IXELLES, USER, Town
from tests.unit.consoles.test_oidc import NUMBER, Stand


class Door:
    """A town, an issuer of the consoles, and what `know_agents` joins."""

    def __init__(self, folder: Path) -> None:
        self.stand = Stand(folder)
        self.town = Town(folder / "town", f"sqlite:///{folder / 'agents.db'}")
        self.database = Database(f"sqlite:///{folder / 'consoles.db'}")
        self.sessions = Sessions(self.database, Vault(bytes(32)), self.town.clock)
        consoles: Any = SimpleNamespace(
            sessions=self.sessions, extras={"oidc": self.stand.ours, "emergencies": SimpleNamespace()}
        )
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


async def test_who_is_signed_in_and_who_asked_are_told_apart_by_the_staff_directory(door: Door) -> None:
    mine = await door.town.user("dominique", externalId="dpo-ixelles")
    colleague = await door.town.user("anna")
    elsewhere = await door.town.user("anna", hr=door.town.hr_anderlecht)
    person = (await door.sign_in("dpo-ixelles")).id

    async def other(*agents: str, by: str = person) -> bool | None:
        return await door.town.agents.somebody_else(by, None, IXELLES, agents)

    assert [False, True, False] == [await other(mine), await other(colleague), await other(colleague, mine)]
    assert [None] * 3 == [await other("a.7f3"), await other(elsewhere), await other(colleague, by="oidc-unknown")]


async def test_who_asked_under_an_id_that_hr_has_deleted_is_still_the_same_human(door: Door) -> None:
    before = await door.town.user("dominique", externalId="dpo-ixelles")
    await door.town.scim.delete(door.town.hr, USER, before, None)
    await door.town.user("dominique", externalId="dpo-ixelles")
    person = await door.sign_in("dpo-ixelles")

    assert False is await door.town.agents.somebody_else(person.id, None, IXELLES, {before})


async def test_a_national_number_that_hr_and_the_sign_in_both_told_settles_it(door: Door) -> None:
    """Also where one human has two entries in the directory."""
    one = await door.town.user("dominique", number=NUMBER)
    two = await door.town.user("dominique2", number=NUMBER, externalId="dpo-ixelles")
    three = await door.town.user("anna", number="71631425296")
    person = (await door.sign_in("dpo-ixelles")).id

    async def other(by: str, number: str | None, agent: str) -> bool | None:
        return await door.town.agents.somebody_else(by, number, IXELLES, {agent})

    assert [False, False, True] == [await other(person, None, agent) for agent in (one, two, three)]
    assert [False, False, True] == [await other("oidc-new", NUMBER, agent) for agent in (one, two, three)]
