"""What happened to agents reaches the ledger once, however many processes of a hub share the register. On both engines."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from integrator.agents import acting
from integrator.agents.acting import CLAIM, Acts
from integrator.agents.tables import act_table
from integrator.errors import LedgerUnwritable
from tests.unit.agents.town import USER, Town, user


def another(town: Town) -> Acts:
    """Of another process over the same register and the same ledger."""
    return Acts(town.database, town.shelf, town.agents.acts._purpose, town.clock)  # type: ignore[arg-type]


async def waiting(town: Town) -> list[Any]:
    return list(await town.database.run(lambda connection: connection.execute(select(act_table)).all()))


async def hire(town: Town, *names: str) -> None:
    """Committed, and not recorded yet."""
    for name in names:
        await town.scim.create(town.hr, USER, user(name, "clerk"))


async def test_two_processes_that_look_at_once_record_it_once_and_both_wait_until_it_stands(town: Town) -> None:
    await hire(town, "anna", "bert")
    town.shelf.slow = asyncio.Event()
    first = asyncio.create_task(town.agents.acts.record())
    await town.shelf.writing.wait()
    second = asyncio.create_task(another(town).record())
    await asyncio.sleep(0.2)
    assert not second.done()  # nobody is told that it stands before it does
    town.shelf.slow.set()
    await asyncio.gather(first, second)

    assert ["agent.joined", "agent.joined"] == town.shelf.names
    assert [] == await waiting(town)


async def test_what_comes_while_another_process_writes_does_not_wait_for_it(town: Town) -> None:
    await hire(town, "anna")
    slow = town.shelf.slow = asyncio.Event()
    first = asyncio.create_task(town.agents.acts.record())
    await town.shelf.writing.wait()
    town.shelf.slow = None
    await hire(town, "bert")
    second = asyncio.create_task(another(town).record())
    while not town.shelf.names:
        await asyncio.sleep(0.01)
    slow.set()
    await asyncio.gather(first, second)

    assert ["agent.joined", "agent.joined"] == town.shelf.names
    assert 2 == len({draft.trace_id for draft in town.shelf.drafts})


async def test_what_a_process_that_died_had_claimed_is_said_to_be_unwritten_and_written_when_its_claim_is_over(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acting, "PATIENCE", 0.1)
    await hire(town, "anna")
    claim = update(act_table).values(claimed=town.clock.now)
    await town.database.run(lambda connection: connection.execute(claim))

    with pytest.raises(LedgerUnwritable):
        await town.agents.acts.record()
    town.clock.now += CLAIM + 1
    await town.agents.acts.record()

    assert ["agent.joined"] == town.shelf.names


async def test_when_the_ledger_fails_the_next_process_need_not_wait(town: Town) -> None:
    await hire(town, "anna")
    town.shelf.broken = True
    with pytest.raises(LedgerUnwritable):
        await town.agents.acts.record()
    town.shelf.broken = False
    await another(town).record()

    assert ["agent.joined"] == town.shelf.names


async def test_what_is_written_twice_after_all_bears_the_same_trace(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hire(town, "anna", "bert")
    with monkeypatch.context() as patch:
        patch.setattr(
            acting, "delete", lambda table: (_ for _ in ()).throw(OperationalError("delete", {}, Exception()))
        )
        with pytest.raises(OperationalError):
            await town.agents.acts.record()
    town.clock.now += CLAIM + 1
    await another(town).record()
    traces = [draft.trace_id for draft in town.shelf.drafts]

    assert (4, 2, traces[:2]) == (len(traces), len(set(traces)), traces[2:])
