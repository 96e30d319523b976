"""Whoever left, or is not any more what his token says, is refused at the next use of it. On both engines."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from integrator.agents import standing as standing_module
from integrator.agents.standing import KEPT, STALE, Standing, StandingUnknown
from integrator.errors import LedgerUnwritable, UnknownCaller
from tests.unit.agents.town import ANDERLECHT, GROUP, IXELLES, NUMBER, USER, Town, user


def still(town: Town, token: str) -> bool:
    try:
        town.identity.verify(token)
    except UnknownCaller:
        return False
    return True


async def test_a_token_says_what_the_directory_says(town: Town) -> None:
    id_ = await town.user("anna", "clerk", "Chief of all", unit="Population")
    await town.group("parking_clerk", id_)
    await town.group("Friday drinks", id_)

    caller = town.caller(await town.token("anna"))

    assert (id_, {"clerk", "parking_clerk"}, "Population", "substantial", None) == (
        caller.agent, caller.roles, caller.unit, caller.assurance, caller.on_behalf_of,
    )  # fmt: skip


@pytest.mark.parametrize(
    "way", ["inactive", "as_text", "deleted", "roles", "unit", "group_left", "group_deleted", "group_renamed"]
)
async def test_a_token_ends_with_what_it_says(town: Town, way: str) -> None:
    id_ = await town.user("anna", "clerk", unit="Population")
    group = await town.group("parking_clerk", id_)
    token = await town.token("anna")
    assert still(town, token)

    if way == "deleted":
        await town.scim.delete(town.hr, USER, id_, None)
    elif way == "group_deleted":
        await town.scim.delete(town.hr, GROUP, group, None)
    elif way.startswith("group"):
        change = (
            {"op": "remove", "path": "members"}
            if way == "group_left"
            else {"op": "replace", "path": "displayName", "value": "x_clerk"}
        )
        await town.patch(group, change, kind=GROUP)
    else:
        change = {
            "inactive": ("active", False),
            "as_text": ("active", "False"),
            "roles": ("roles", [{"value": "x_clerk"}]),
            "unit": ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "x"),
        }[way]
        await town.patch(id_, {"op": "replace", "path": change[0], "value": change[1]})

    assert not still(town, token)


async def test_a_change_that_no_token_speaks_of_ends_none(town: Town) -> None:
    id_ = await town.user("anna", "clerk")
    token = await town.token("anna")

    await town.patch(id_, {"op": "replace", "path": "title", "value": "x"})

    assert still(town, token)


async def test_who_comes_back_needs_a_new_token(town: Town) -> None:
    id_ = await town.user("anna", "clerk")
    old = await town.token("anna")
    await town.leave(id_)
    await town.patch(id_, {"op": "replace", "path": "active", "value": True})

    new = await town.token("anna")

    assert (False, True) == (still(town, old), still(town, new))


async def test_a_token_given_while_hr_was_being_answered_is_dead_at_birth(town: Town) -> None:
    """The generation stands in the token: read before the change, it is the old one after it."""
    id_ = await town.user("anna", "clerk")
    before = (await town.agents.agent(IXELLES, id_)).generation
    await town.leave(id_)

    assert not town.agents.standing.holds({id_: before})


async def test_another_process_sees_it_at_its_next_look(town: Town) -> None:
    other = Standing(town.database, town.clock, timer=town.clock)
    id_ = await town.user("anna", "clerk")

    await town.leave(id_)
    assert other.holds({id_: 1})
    await other.look()

    assert not other.holds({id_: 1})


async def test_a_hub_that_runs_looks_by_itself(village: Town) -> None:
    other = Standing(village.database, village.clock)
    id_ = await village.user("anna", "clerk")
    looking = asyncio.create_task(other.keep_looking())
    await asyncio.sleep(0.05)
    await village.leave(id_)
    began = time.monotonic()
    while other.holds({id_: 1}) and time.monotonic() - began < 10:
        await asyncio.sleep(0.02)
    looking.cancel()

    assert not other.holds({id_: 1})


async def test_a_look_that_began_before_a_change_of_this_process_does_not_undo_it(
    village: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = await village.user("anna", "clerk")
    read, go = threading.Event(), threading.Event()
    real = village.agents.standing._read

    def slow(connection: Any) -> dict[str, int]:
        found = real(connection)
        read.set()
        go.wait(10)
        return found

    monkeypatch.setattr(village.agents.standing, "_read", slow)
    look = asyncio.create_task(village.agents.standing.look())
    await asyncio.to_thread(read.wait, 10)
    await village.leave(id_)
    go.set()
    await look

    assert not village.agents.standing.holds({id_: 1})


async def test_a_register_that_hangs_stops_no_other_caller_and_then_nobody_is_believed(
    village: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    await village.user("anna", "clerk")
    token = await village.token("anna")
    go = threading.Event()
    monkeypatch.setattr(village.agents.standing, "_read", lambda connection: go.wait(10) and {})
    look = asyncio.create_task(village.agents.standing.look())
    await asyncio.sleep(0.05)

    assert still(village, token)  # from memory, though the look hangs
    village.clock.now += STALE + 0.1
    with pytest.raises(StandingUnknown):
        village.identity.verify(token)
    go.set()
    await look
    with pytest.raises(StandingUnknown):  # what it found is as old as its beginning
        village.identity.verify(token)
    await village.agents.standing.look()
    assert still(village, token)


async def test_a_register_that_fails_is_asked_again_and_believed_again(
    village: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails = [True]
    real = village.agents.standing._read

    def read(connection: Any) -> dict[str, int]:
        if fails.pop() if fails else False:
            raise OperationalError("select", {}, Exception())
        return real(connection)

    monkeypatch.setattr(village.agents.standing, "_read", read)
    monkeypatch.setattr(standing_module, "LOOK", 0.01)
    village.clock.now += STALE + 0.1
    with pytest.raises(StandingUnknown):
        village.agents.standing.holds({})
    looking = asyncio.create_task(village.agents.standing.keep_looking())
    for _ in range(500):
        await asyncio.sleep(0.01)
        if village.agents.standing._looked == village.clock.now:
            break
    looking.cancel()

    assert not fails
    assert village.agents.standing.holds({})


async def test_what_happened_is_recorded_without_a_name_in_clear(town: Town) -> None:
    id_ = await town.user("anna.peeters", "clerk", unit="Population", number=NUMBER)
    await town.patch(id_, {"op": "replace", "path": "roles", "value": [{"value": "parking_clerk"}]})
    await town.leave(id_)

    assert ["agent.joined", "agent.changed", "agent.left"] == town.shelf.names
    last = town.shelf.drafts[-1]
    assert {"id": id_, "unit": "Population", "role": "parking_clerk"} == last.agent
    assert {"org": IXELLES, "app": "hr-ixelles"} == last.clear["consumer"]
    assert not any(word in str([one.clear for one in town.shelf.drafts]) for word in ("anna", NUMBER, id_))


async def test_when_the_ledger_fails_access_is_ended_all_the_same_and_recorded_later(town: Town) -> None:
    id_ = await town.user("anna", "clerk")
    token = await town.token("anna")
    town.shelf.broken = True

    with pytest.raises(LedgerUnwritable):
        await town.leave(id_)
    assert not still(town, token)
    town.shelf.broken = False
    await town.agents.acts.record()

    assert ["agent.joined", "agent.left"] == town.shelf.names


async def test_sessions_of_whoever_leaves_end_before_it_is_recorded(town: Town) -> None:
    ended: list[str] = []

    async def end(person: str) -> None:
        ended.append(person)

    town.agents.end_sessions_by(end)
    id_ = await town.user("anna", externalId="HR-1")
    assert await town.agents.may_work("oidc-1", IXELLES, "externalId", "HR-1")
    town.shelf.broken = True
    with pytest.raises(LedgerUnwritable):
        await town.leave(id_)

    assert ["oidc-1"] == ended
    assert not await town.agents.may_work("oidc-1", IXELLES, "externalId", "HR-1")


async def test_an_official_whom_no_hr_told_of_may_sign_in_and_one_who_was_deleted_may_not(town: Town) -> None:
    id_ = await town.user("anna", number=NUMBER)
    await town.scim.delete(town.hr, USER, id_, None)

    assert await town.agents.may_work("oidc-2", None, "externalId", "nobody")
    assert not await town.agents.may_work("oidc-1", None, "nationalNumber", NUMBER)
    assert await town.agents.may_work("oidc-1", ANDERLECHT, "nationalNumber", NUMBER)


async def test_what_ended_long_ago_takes_no_memory(town: Town) -> None:
    """No token of then is believed anyway, so what a token of then says need not be known."""
    standing = town.agents.standing
    id_ = await town.user("anna", "clerk")
    await town.leave(id_)
    await standing.look()
    assert {id_: 2} == standing._ends
    town.clock.now += KEPT + 1
    await standing.look()

    assert {} == standing._ends == standing._own


def test_the_key_of_the_tags_is_made_once_and_is_for_its_owner_alone(village: Town, tmp_path: Path) -> None:
    path = tmp_path / "agent-keys" / "tags.key"

    assert (0o600, 32) == (path.stat().st_mode & 0o777, len(path.read_bytes()))
    assert NUMBER not in village.agents.tags.of(NUMBER)


async def test_two_feeds_at_once_lose_nothing(town: Town) -> None:
    told = await asyncio.gather(
        *(town.scim.create(town.hr, USER, user(f"agent-{letter}", "clerk")) for letter in "abcdefgh")
    )

    assert 8 == len({one["id"] for one in told})
    assert 8 == (await town.scim.search(town.hr, USER, {}, address=False))["totalResults"]
