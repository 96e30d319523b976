"""The Region is as large as promised, varied, the same in every process, and weighs nothing."""

from __future__ import annotations

import gc
import hashlib
import subprocess
import sys
import tracemalloc
from collections import Counter
from pathlib import Path

import pytest

import mock_sources
from mock_sources.world import World
from mock_sources.world.arithmetic import Shuffle
from mock_sources.world.blocks import BLOCKS, KINDS, RESIDENT_SEATS, SEATS
from mock_sources.world.facts import Person
from mock_sources.world.municipalities import share_out

ORDER = Shuffle(1_250_000, key=5)


def crowd(world: World, count: int) -> list[Person]:
    found = [world.person(world.region.resident_number(ORDER[place])) for place in range(count)]
    return [person for person in found if person is not None]


def test_a_block_is_fifty_six_households_and_a_hundred_and_twenty_five_people() -> None:
    homes = [seats for seats in RESIDENT_SEATS if seats]

    assert (len(homes), sum(map(len, homes))) == (56, 125)
    assert len(SEATS) == sum(kind.times for kind in KINDS)


def test_the_region_is_as_large_as_promised(world: World) -> None:
    counts = world.counts

    assert (counts["people"], counts["households"], counts["vehicles"]) == (1_250_000, 560_000, 600_000)
    assert 100_000 <= counts["enterprises"] <= 120_000
    assert counts["addresses"] > counts["households"]


def test_the_nineteen_municipalities_share_all_households(world: World) -> None:
    assert len(world.municipalities()) == 19
    assert sum(share_out(560_000)) == 560_000
    assert sum(len(world.region.places.ranks_in(one.nis)) for one in world.municipalities()) == BLOCKS * 56


def test_people_vary_as_people_do(world: World) -> None:
    people = crowd(world, 1000)
    share = Counter[str]()
    for person in people:
        share["women"] += person.sex == "2"
        share["minors"] += person.birth_date > "2008"
        share["old"] += person.birth_date < "1961"
        share["foreign"] += person.nationalities[0].code != "150"
        share["dutch"] += person.language == "nl"
        share["married"] += person.civil_states[0].code == "20"
        share["licensed"] += any(licence.category == "B" for licence in person.licences)
        share["moved"] += len(person.residences) > 1
        share["wage"] += any(wage.end is None for wage in person.living_wage)
        share["unknown to the KSZ"] += not person.integrations
    percent = {name: round(count / 10) for name, count in share.items()}

    bounds = {"women": (46, 54), "minors": (10, 22), "old": (12, 28), "foreign": (20, 36), "dutch": (8, 20),
              "married": (20, 36), "licensed": (45, 65), "moved": (30, 60), "wage": (1, 4),
              "unknown to the KSZ": (4, 9)}  # fmt: skip
    assert {name: percent[name] for name, (low, high) in bounds.items() if not low <= percent[name] <= high} == {}


def test_another_process_tells_the_same_story(world: World) -> None:
    script = (
        "import hashlib, datetime\n"
        "from mock_sources.world import World\n"
        "world = World.build(7, lambda: datetime.date(2026, 11, 23))\n"
        "number = world.region.resident_number(99)\n"
        "person = world.person(number)\n"
        "told = (person, world.household_of(number), world.vehicles_of(ssin=number), world.personas['buurman-das'])\n"
        "told = told[:1] and [repr(told[0]).replace(repr(person.statuses), ''), *map(repr, told[1:3])]\n"
        "print(hashlib.sha256(''.join(told).encode()).hexdigest())\n"
    )
    root = str(Path(mock_sources.__file__).parents[1])
    told = subprocess.run(
        [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {root!r})\n{script}"],
        capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "12345"},
    ).stdout.strip()  # fmt: skip

    number = world.region.resident_number(99)
    person = world.person(number)
    assert person is not None
    here = [repr(person).replace(repr(person.statuses), ""), repr(world.household_of(number)),
            repr(world.vehicles_of(ssin=number))]  # fmt: skip
    assert hashlib.sha256("".join(here).encode()).hexdigest() == told


def ask(world: World, first: int, last: int) -> None:
    for place in range(first, last):
        number = world.region.resident_number(ORDER[place])
        world.person(number)
        world.vehicles_of(ssin=number)


def test_nothing_is_kept_of_two_thousand_answers(world: World) -> None:
    ask(world, 0, 100)
    gc.collect()
    before = sys.getallocatedblocks()
    ask(world, 100, 2100)
    gc.collect()

    assert sys.getallocatedblocks() - before < 500  # one kept number per answer would be 2000


@pytest.mark.soak
def test_memory_is_flat_over_twenty_thousand_answers(world: World) -> None:
    def traced() -> int:
        gc.collect()  # which empties CPython's stock of spare tuples too: those are bounded, but look like growth
        return tracemalloc.get_traced_memory()[0]

    ask(world, 0, 200)
    tracemalloc.start()
    try:
        ask(world, 200, 400)
        before = traced()
        ask(world, 400, 20_400)
        after = traced()
    finally:
        tracemalloc.stop()

    assert after - before < 10_000  # bytes
