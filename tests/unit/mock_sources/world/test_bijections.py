"""Every number leads back to exactly what it was made from, and to nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.be import nn, vat

from mock_sources.world import World
from mock_sources.world.arithmetic import Shuffle
from mock_sources.world.blocks import BLOCKS, SLOTS
from mock_sources.world.identifiers import (
    LAST_DERIVED_SERIAL,
    birth_year,
    enterprise_number,
    national_check,
    national_number,
)
from mock_sources.world.motors import VEHICLES_IN_BLOCK, Registration

slots = st.integers(0, len(SLOTS) - 1)
blocks = st.integers(0, BLOCKS - 1)
people = st.integers(0, 1_249_999)
many = settings(max_examples=60, deadline=None)


@given(st.integers(1, 400), st.integers(0, 2**60))
@settings(max_examples=30, deadline=None)
def test_a_shuffle_gives_every_index_a_place_of_its_own(size: int, key: int) -> None:
    shuffle = Shuffle(size, key)

    assert list(range(size)) == sorted(shuffle[index] for index in range(size))


@given(st.integers(1, 10**8), st.data())
@many
def test_a_shuffle_runs_backwards(size: int, data: st.DataObject) -> None:
    shuffle, index = Shuffle(size, 7), data.draw(st.integers(0, size - 1))

    assert index == shuffle.back(shuffle[index])


@given(slots, blocks)
@many
def test_a_national_number_leads_back_to_one_chair(world: World, slot: int, block: int) -> None:
    roll = world.region.roll

    assert (slot, block) == roll.locate(roll.number(slot, block))


def test_no_two_people_of_a_slot_share_a_number(world: World) -> None:
    numbers = {world.region.roll.number(60, block) for block in range(BLOCKS)}

    assert len(numbers) == BLOCKS


@given(st.integers(0, 99_999_999_999))
@settings(max_examples=150, deadline=None)
def test_whatever_number_is_asked_only_its_own_person_answers(world: World, number: int) -> None:
    asked = f"{number:011d}"
    person = world.region.person(asked)

    assert person is None or person.ssin == asked


@given(people)
@many
def test_a_derived_number_is_a_test_number_with_good_check_digits(world: World, index: int) -> None:
    number = world.region.resident_number(index)

    assert 61 <= int(number[2:4]) <= 72
    assert birth_year(number) is not None


@given(people)
@many
def test_the_serial_says_the_sex_and_stays_below_the_personas(world: World, index: int) -> None:
    number = world.region.resident_number(index)
    person = world.person(number)

    assert person is not None
    assert person.sex == ("1" if int(number[6:9]) % 2 else "2")
    assert int(number[6:9]) <= LAST_DERIVED_SERIAL


@pytest.mark.parametrize("year", [1931, 1999, 2000, 2019])
def test_check_digits_are_those_of_python_stdnum(year: int) -> None:
    number = national_number(year, 11, 5, 883)

    assert year == birth_year(number)
    assert nn._checksum(number)


def test_a_number_with_one_digit_off_is_nobodys(world: World) -> None:
    number = world.region.resident_number(123_456)
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)

    assert world.person(wrong) is None


@pytest.mark.parametrize(
    "text", ["", "7164061891", "716406189188", "71.64.06-189.18", "７１６４０６１８９１８", "x" * 11, "71640618918\n"],
    ids=["empty", "short", "long", "dotted", "full-width", "letters", "newline"],
)  # fmt: skip
def test_what_is_no_number_is_nobody(world: World, text: str) -> None:
    assert world.person(text) is None


@given(blocks, st.integers(0, VEHICLES_IN_BLOCK - 1))
@many
def test_a_plate_leads_back_to_its_registration(world: World, block: int, place: int) -> None:
    motors, registration = world.region.motors, Registration(block, place)

    assert registration == motors.by_plate(motors.plate(registration))


@given(blocks, st.integers(0, VEHICLES_IN_BLOCK - 1))
@many
def test_a_vin_leads_back_to_its_registration(world: World, block: int, place: int) -> None:
    motors, registration = world.region.motors, Registration(block, place)
    vin = motors.vin(registration)

    assert registration == motors.by_vin(vin)
    assert len(vin) == 17
    assert not set(vin) & set("IOQ")


@pytest.mark.parametrize("plate", ["", "1ABC12", "1abc123", "3ABC123", "1A-B123", "MIJNAUTO", "1BÉC123", "1BBC12٣"])
def test_what_is_no_derived_plate_is_no_vehicle(world: World, plate: str) -> None:
    assert world.region.vehicle(plate) is None


@given(blocks, st.integers(0, 10))
@many
def test_an_enterprise_number_leads_back_and_passes_its_check(world: World, block: int, place: int) -> None:
    firms = world.region.firms
    number = firms.number(block, place)

    assert (block, place) == firms.locate(number)
    assert vat.is_valid(number)


@given(blocks, st.integers(0, 10))
@settings(max_examples=50, deadline=None)
def test_an_establishment_leads_back_to_its_enterprise(world: World, block: int, place: int) -> None:
    for unit in world.region.firms.enterprise(block, place).establishments:
        assert unit == world.establishment(unit.number)
        assert unit.number[0] in "2345678"
        assert enterprise_number(int(unit.number[:8])) == unit.number


@given(st.integers(0, 559_999))
@many
def test_a_household_is_found_at_its_address(world: World, index: int) -> None:
    families = world.region.families

    assert index in families.households_at(families.home(index))


def test_numbers_of_two_seeds_differ() -> None:
    assert World.build(seed=7).region.resident_number(0) != World.build(seed=8).region.resident_number(0)


def test_the_century_is_in_the_check_digits() -> None:
    assert national_check(10_199_881, 1901) != national_check(10_199_881, 2001)
