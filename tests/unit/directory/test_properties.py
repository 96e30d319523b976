"""Whatever is registered, ended, withdrawn and replaced in whatever order: the directory says what a naive model says.

The model keeps, for each key, the plain set of days; a person is the set of numbers that were joined.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections import defaultdict
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrator.directory import Directory, Key, Period
from integrator.directory.periods import hull, union, without
from integrator.errors import SourceRefused
from tests.unit.audit.kit import ENGINES, engine_url
from tests.unit.directory.kit import ANN, BEA, CAS, CENTRE, OTHER_CENTRE, PURPOSE, a_directory

FIRST = date(2026, 1, 1)
LENGTH = 12  # days: short, so that everything meets
DAYS = [FIRST + timedelta(days=number) for number in range(LENGTH)]

days = st.sampled_from(DAYS)
periods = st.builds(lambda one, other: Period(*sorted((one, other))), days, days)
keys = st.builds(
    Key,
    st.sampled_from([CENTRE, OTHER_CENTRE]),
    st.sampled_from([ANN, BEA, CAS]),
    st.just(PURPOSE),
    st.sampled_from(["1", "2"]),
)
acts = st.one_of(
    st.tuples(st.just("register"), keys, periods),
    st.tuples(st.just("unregister"), keys, days),
    st.tuples(st.just("withdraw"), keys, days),
    st.tuples(st.just("replaced"), st.sampled_from([(ANN, BEA), (BEA, CAS), (CAS, ANN)])),
)


class Model:
    """Sets of days, nothing else."""

    def __init__(self) -> None:
        self.person = {number: number for number in (ANN, BEA, CAS)}
        self.days: dict[tuple[str, str, str], set[date]] = defaultdict(set)

    def place(self, key: Key) -> tuple[str, str, str]:
        return key.organisation, self.person[key.subject], key.quality

    def run_of(self, key: Key, day: date) -> set[date]:
        """The days around one, without a gap."""
        known, found = self.days[self.place(key)], set()
        for step in (timedelta(days=1), timedelta(days=-1)):
            at = day
            while at in known:
                found.add(at)
                at += step
        return found

    def play(self, act: tuple[Any, ...]) -> None:
        if act[0] == "replaced":
            old, new = (self.person[number] for number in act[1])
            if old != new:
                for organisation in (CENTRE, OTHER_CENTRE):
                    for quality in ("1", "2"):
                        self.days[organisation, new, quality] |= self.days.pop((organisation, old, quality), set())
                self.person = {number: new if head == old else head for number, head in self.person.items()}
            return
        key = act[1]
        if act[0] == "register":
            self.days[self.place(key)] |= {day for day in DAYS if act[2].holds(day)}
        elif act[0] == "unregister":
            self.days[self.place(key)] -= {day for day in self.run_of(key, act[2]) if day > act[2]}
        elif act[2] - timedelta(days=1) not in self.days[self.place(key)]:
            self.days[self.place(key)] -= self.run_of(key, act[2])


async def play(directory: Directory, act: tuple[Any, ...]) -> None:
    if act[0] == "replaced":
        await directory.replaced(*act[1])
        return
    with contextlib.suppress(SourceRefused):
        await getattr(directory, act[0])(*act[1:])


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(played=st.lists(acts, max_size=12))
def test_the_directory_says_what_a_set_of_days_says(engine: str, played: list[tuple[Any, ...]]):
    async def compared(directory: Directory) -> None:
        model = Model()
        for act in played:
            await play(directory, act)
            model.play(act)
        for organisation in (CENTRE, OTHER_CENTRE):
            for number in (ANN, BEA, CAS):
                for day in DAYS:
                    wanted = {q for q in ("1", "2") if day in model.days[organisation, model.person[number], q]}
                    assert wanted == await directory.qualities(organisation, number, PURPOSE, day)
            for number in (ANN, BEA, CAS):
                for quality in ("1", "2"):
                    held = await directory.list(organisation, PURPOSE, subject=number, quality=quality)
                    assert len(held) == len(union(one.period for one in held))  # nothing overlaps, nothing touches

    with (
        tempfile.TemporaryDirectory() as folder,
        engine_url(engine, Path(folder)) as url,
        a_directory(url, Path(folder)) as directory,
    ):
        asyncio.run(compared(directory))


@given(st.lists(periods, max_size=6))
def test_a_union_has_the_same_days_and_no_two_that_touch(some: list[Period]):
    merged = union(some)

    assert {day for one in some for day in DAYS if one.holds(day)} == {
        day for one in merged for day in DAYS if one.holds(day)
    }
    assert not any(one.touches(other) for one, other in pairwise(merged))
    assert merged == union(reversed(some))


@given(st.lists(periods, max_size=4), st.lists(periods, max_size=4))
def test_what_is_left_of_periods_is_every_day_that_the_others_lack(wanted: list[Period], known: list[Period]):
    left = without(wanted, known)
    expected = [
        day for day in DAYS if any(one.holds(day) for one in wanted) and not any(one.holds(day) for one in known)
    ]

    assert expected == [day for day in DAYS if any(one.holds(day) for one in left)]
    assert union(left) == left


@given(periods, periods)
def test_periods_overlap_when_they_share_a_day_and_touch_when_no_day_lies_between(one: Period, other: Period):
    shared = {day for day in DAYS if one.holds(day)} & {day for day in DAYS if other.holds(day)}

    assert bool(shared) == one.overlaps(other) == other.overlaps(one)
    assert one.touches(other) == other.touches(one) == (1 == len(union((one, other))))
    assert hull((one, other)).covers(one) and hull((one, other)).covers(other)


def test_a_period_without_an_end_has_nothing_left_after_it():
    assert [] == without([Period(FIRST)], [Period(FIRST - timedelta(days=1))])
    assert [Period(FIRST, DAYS[1]), Period(DAYS[4])] == without([Period(FIRST)], [Period(DAYS[2], DAYS[3])])


def test_a_period_that_ends_before_it_begins_does_not_exist():
    with pytest.raises(ValueError, match="first day"):
        Period(DAYS[1], DAYS[0])
