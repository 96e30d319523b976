"""Emergencies: few, never one's own second person, and never forgotten."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from audit import FileKeyRing, Ledger, open_store
from audit.alerts import Alerts
from audit.errors import LedgerError
from integrator.database import Database
from integrator.emergency import Emergencies, Most, Rules, SecondPersonRefused, Store
from integrator.emergency.store import CLAIM
from integrator.errors import ConditionUnknown
from integrator.model import Caller, Request, Trace
from tests.unit.audit.kit import ENGINES, engine_url

ONE, OTHER = "0207000010", "0207000109"
NOON = 1_795_435_200.0
HOUR = 3600
traces = itertools.count(1)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=ENGINES)
def office(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Emergencies]:
    with engine_url(request.param, tmp_path) as url:
        found = Emergencies(
            Store(Database(url, "emergency")), Rules(of_agent=Most(3, 2), of_application=Most(6, 4)), clock
        )
        yield found
        found.close()


def asked(agent: str | None = "a.7f3", organisation: str = ONE) -> Request:
    trace = Trace(f"{next(traces):032x}", f"{1:016x}")
    return Request(
        "person.get",
        Caller(organisation, "desk", "youth_support", agent),
        {},
        trace,
        emergency="the child is at the door",
    )


async def test_an_emergency_without_a_named_agent_is_none(office):
    assert await office.open(asked(None), "OUTSIDE_HOURS") is None
    assert [] == await office.known(None)


async def test_an_agent_who_waits_for_confirmation_gets_no_third_one(office):
    found = [await office.open(asked(), "OUTSIDE_HOURS") for _ in range(3)]

    assert [True, True, False] == [one is not None for one in found]
    assert 2 == len(await office.known(None))
    assert await office.open(asked("a.other"), "OUTSIDE_HOURS") is not None


async def test_confirmed_or_not_a_day_has_a_last_emergency(office, clock):
    for _ in range(3):
        one = await office.open(asked(), "OUTSIDE_HOURS")
        await office.decide(one.id, "dpo-1", ONE, confirmed=True)
    assert await office.open(asked(), "OUTSIDE_HOURS") is None
    clock.now += 25 * HOUR

    assert await office.open(asked(), "OUTSIDE_HOURS") is not None


async def test_an_application_that_invents_agents_has_no_more_emergencies_for_it(office, clock):
    found = [await office.open(asked(f"a.invented-{number}"), "OUTSIDE_HOURS") for number in range(5)]
    assert [True] * 4 + [False] == [one is not None for one in found]  # too many wait for a second person
    for one in found[:4]:
        await office.decide(one.id, "dpo-1", ONE, confirmed=True)
    more = [await office.open(asked(f"a.more-{number}"), "OUTSIDE_HOURS") for number in range(3)]
    assert [True, True, False] == [one is not None for one in more]  # and too many a day

    assert await office.open(asked("a.invented-0", OTHER), "OUTSIDE_HOURS") is not None  # another body's are its own
    clock.now += 25 * HOUR
    assert await office.open(asked("a.later"), "OUTSIDE_HOURS") is not None


async def test_nobody_confirms_his_own(office):
    question = asked("a.7f3")
    lent = replace(question, caller=replace(question.caller, on_behalf_of="a.boss", assurance="high"))
    one = await office.open(lent, "NOT_REGISTERED")
    refused = []
    for second in ("a.7f3", "a.boss"):  # nor that of whom he acted for
        with pytest.raises(SecondPersonRefused) as raised:
            await office.decide(one.id, second, ONE, confirmed=True)
        refused.append(raised.value.reason)

    assert ["SAME_PERSON", "SAME_PERSON"] == refused
    assert (("a.boss", True), one) == ((one.on_behalf_of, one.vouched), (await office.known(ONE))[0])


async def test_the_first_word_counts(office):
    one = await office.open(asked(), "NOT_REGISTERED")
    decided = await office.decide(one.id, "dpo-1", ONE, confirmed=False)
    with pytest.raises(SecondPersonRefused) as raised:
        await office.decide(one.id, "dpo-2", ONE, confirmed=True)

    assert ("rejected", "dpo-1", "DECIDED") == (decided.state, decided.second, raised.value.reason)


async def test_another_organisation_neither_sees_nor_decides_it(office):
    one = await office.open(asked(), "NOT_REGISTERED")
    refused = []
    for id_ in (one.id, "0" * 16):  # there, and not there: the same word
        with pytest.raises(SecondPersonRefused) as raised:
            await office.decide(id_, "dpo-9", OTHER, confirmed=True)
        refused.append(raised.value.reason)

    assert ["NOT_THERE", "NOT_THERE"] == refused
    assert [] == await office.known(OTHER)


async def test_what_nobody_confirmed_in_time_is_told_once(office, clock):
    written: list[Any] = []
    one = await office.open(asked(), "NOT_REGISTERED")
    await office.placed(one, "shard", 7)
    clock.now += 23 * HOUR
    assert 0 == office.settle(written.extend)
    clock.now += HOUR
    office.settle(written.extend)
    office.settle(written.extend)

    (alert,) = written
    assert ("alert", "alert.EMERGENCY_UNCONFIRMED", "shard", 7) == (
        alert.type,
        alert.name,
        alert.clear["shard"],
        alert.clear["index"],
    )
    assert "open" == (await office.known(ONE))[0].state  # it still waits


async def test_a_decision_stands_in_the_ledger_once_and_names_who_decided_only_sealed(office):
    written: list[Any] = []
    one = await office.open(asked(), "NOT_REGISTERED")
    await office.decide(one.id, "dpo-1", ONE, confirmed=True)
    office.settle(written.extend)
    office.settle(written.extend)

    (entry,) = written
    entry.check()
    assert ("annotate", "emergency.confirmed", {"id": "dpo-1"}) == (entry.type, entry.name, entry.agent)
    assert "dpo-1" not in str(entry.clear) and "a.7f3" not in str(entry.clear)


async def test_an_emergency_of_which_nobody_knows_where_it_stands_is_told_once_too(office, clock, tmp_path):
    """The hub died before its intent was written, or could not say where it was: in a real ledger, read as alerts are."""
    await office.open(asked(), "NOT_REGISTERED")
    clock.now += 25 * HOUR
    store = open_store(f"sqlite:///{tmp_path}/ledger.db")
    with Ledger(store, FileKeyRing(tmp_path / "keys"), shard="hub/test/emergencies/2026") as ledger:
        assert [1, 0, 0] == [office.settle(ledger.append_blocking) for _ in range(3)]
        (alert,) = Alerts(store, ledger.append_blocking).open(ONE).alerts
    store.close()

    assert ("EMERGENCY_UNCONFIRMED", "open", "desk") == (alert.rule, alert.state, alert.app)


@pytest.mark.parametrize("what", ["a decision", "an alert"])
async def test_of_two_processes_that_look_at_once_one_writes(office, clock, what):
    """The second looks while the first is writing."""
    one = await office.open(asked(), "NOT_REGISTERED")
    if what == "a decision":
        await office.decide(one.id, "dpo-1", ONE, confirmed=True)
    clock.now += 25 * HOUR
    written: list[Any] = []

    def first(drafts: Any) -> None:
        assert 0 == office.settle(written.extend)
        written.extend(drafts)

    assert 1 == office.settle(first)
    assert 1 == len(written)


async def test_a_decision_that_came_while_the_alert_was_written_is_written_too(office, clock):
    one = await office.open(asked(), "NOT_REGISTERED")
    clock.now += 25 * HOUR
    written: list[Any] = []

    def first(drafts: Any) -> None:
        office.decide_now(one.id, "dpo-1", ONE, confirmed=False)
        written.extend(drafts)

    office.settle(first)
    office.settle(written.extend)

    assert ["alert.EMERGENCY_UNCONFIRMED", "emergency.rejected"] == [entry.name for entry in written]


async def test_what_a_process_that_died_had_begun_is_written_by_the_next_under_the_same_trace(office, clock):
    await office.open(asked(), "NOT_REGISTERED")
    clock.now += 25 * HOUR
    written: list[Any] = []

    def dies(drafts: Any) -> None:
        written.extend(drafts)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        office.settle(dies)
    assert 0 == office.settle(written.extend)  # left to it for a minute
    clock.now += CLAIM + 1
    assert 1 == office.settle(written.extend)

    assert 1 == len({entry.trace_id for entry in written})


async def test_a_ledger_that_fails_loses_no_alert(office, clock):
    written: list[Any] = []

    def broken(_: Any) -> None:
        raise LedgerError("gone")

    await office.open(asked(), "NOT_REGISTERED")
    clock.now += 25 * HOUR
    assert 0 == office.settle(broken)
    office.settle(written.extend)

    assert ["alert"] == [entry.type for entry in written]


async def test_what_came_to_nothing_is_no_emergency(office):
    one = await office.open(asked(), "NOT_REGISTERED")
    await office.drop(one)

    assert [] == await office.known(None)


async def test_when_it_cannot_be_kept_nothing_gives_way(office, monkeypatch):
    def broken(*_: Any, **__: Any) -> bool:
        raise OperationalError("add", {}, Exception("gone"))

    monkeypatch.setattr(office._store, "add", broken)
    with pytest.raises(ConditionUnknown):
        await office.open(asked(), "NOT_REGISTERED")
