"""Every source tells the same story: what one side says of the other, the other says back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import date
from itertools import islice, pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_sources.world import World
from mock_sources.world.arithmetic import Shuffle
from mock_sources.world.facts import Household, Person
from mock_sources.world.families import HORIZON
from mock_sources.world.municipalities import TERRITORIES

people = st.integers(0, 1_249_999)
some = settings(max_examples=40, deadline=None)


def somebody(world: World, index: int) -> Person:
    person = world.person(world.region.resident_number(index))
    assert person is not None
    return person


def home(world: World, person: Person) -> Household:
    household = world.household_of(person.ssin)
    assert household is not None
    return household


def year(person: Person) -> int:
    return int(person.birth_date[:4])


def sample(world: World, count: int) -> Iterator[Person]:
    order = Shuffle(1_250_000, key=3)
    return (somebody(world, order[place]) for place in range(count))


@given(people)
@some
def test_members_of_a_household_all_name_the_same_household(world: World, index: int) -> None:
    household = home(world, somebody(world, index))

    assert [household] * len(household.members) == [world.household_of(member.ssin) for member in household.members]


@given(people)
@some
def test_a_member_lives_where_the_household_lives(world: World, index: int) -> None:
    person = somebody(world, index)
    household = home(world, person)

    assert household.address == person.address
    assert household in world.households_at(household.address.id if household.address else 0)


@given(people)
@some
def test_position_and_membership_agree(world: World, index: int) -> None:
    person = somebody(world, index)
    mine = next(member for member in home(world, person).members if member.ssin == person.ssin)

    assert person.position is not None
    assert (person.position.code, person.position.since) == (mine.code, mine.since)


@given(people)
@some
def test_the_reference_person_comes_first_and_alone(world: World, index: int) -> None:
    codes = [member.code for member in home(world, somebody(world, index)).members]

    assert codes[0] == "01"
    assert codes.count("01") == 1


@given(people)
@some
def test_parents_and_children_know_each_other_and_lie_eighteen_years_apart(world: World, index: int) -> None:
    person = somebody(world, index)
    for ssin in filter(None, person.parents):
        parent = world.person(ssin)
        assert parent is not None
        assert person.ssin in parent.children
        assert date.fromisoformat(person.birth_date) >= date.fromisoformat(parent.birth_date).replace(
            year=year(parent) + 18, day=1
        )


@given(people)
@some
def test_siblings_are_born_nine_months_apart(world: World, index: int) -> None:
    children = [world.person(ssin) for ssin in somebody(world, index).children]
    born = sorted(date.fromisoformat(child.birth_date) for child in children if child)

    assert all((later - earlier).days >= 270 for earlier, later in pairwise(born))


@given(people)
@some
def test_spouses_name_each_other_and_are_near_in_age(world: World, index: int) -> None:
    person = somebody(world, index)
    state = person.civil_states[0]
    if state.code == "20":
        spouse = world.person(state.spouse or "")
        assert spouse is not None
        assert (state.start, person.ssin) == (spouse.civil_states[0].start, spouse.civil_states[0].spouse)
        assert abs(year(person) - year(spouse)) <= 5


@given(people)
@some
def test_legal_cohabitants_name_each_other_and_are_unmarried(world: World, index: int) -> None:
    person = somebody(world, index)
    bond = person.legal_cohabitation
    if bond is not None:
        partner = world.person(bond.partner or "")
        assert partner is not None
        assert partner.legal_cohabitation is not None
        assert partner.legal_cohabitation.partner == person.ssin
        assert person.civil_states[0].code == "10"


def test_a_widows_spouse_died_on_the_day_she_became_one(world: World) -> None:
    widow = next(person for person in sample(world, 500) if person.civil_states[0].code == "30")
    late = world.person(widow.civil_states[0].spouse or "")

    assert late is not None
    assert late.death is not None
    assert widow.civil_states[0].start == late.death.date
    assert late.household_id is None


@given(people)
@some
def test_histories_run_back_without_overlap_and_end_open(world: World, index: int) -> None:
    person = somebody(world, index)
    for history in (person.residences, person.civil_states, person.nationalities, person.registers):
        assert history[0].end is None
        assert all(older.end is not None and older.start < older.end <= newer.start
                   for newer, older in pairwise(history))  # fmt: skip


@given(people)
@some
def test_no_derived_event_lies_after_the_horizon_or_before_birth(world: World, index: int) -> None:
    person = somebody(world, index)
    last = date.fromordinal(HORIZON).isoformat()
    starts = [entry.start for entry in (*person.residences, *person.civil_states, *person.nationalities)]

    assert all(person.birth_date <= start < last for start in starts)


@given(people)
@some
def test_a_holder_and_the_vehicle_point_at_each_other(world: World, index: int) -> None:
    ssin = somebody(world, index).ssin
    held = world.vehicles_of(ssin=ssin)

    assert [ssin] * len(held) == [vehicle.holder.ssin for vehicle in held]
    assert list(held) == [world.vehicle(vehicle.plate) for vehicle in held]
    assert list(held) == [world.vehicle_by_vin(vehicle.vin, vehicle.unifier) for vehicle in held]


@given(people)
@some
def test_a_driver_is_not_the_holder_and_the_enterprise_has_the_car(world: World, index: int) -> None:
    ssin = somebody(world, index).ssin
    for vehicle in world.vehicles_driven_by(ssin):
        assert (ssin, None) == (vehicle.driver, vehicle.holder.ssin)
        assert vehicle in world.vehicles_of(cbe=vehicle.holder.cbe)
        assert world.enterprise(vehicle.holder.cbe or "") is not None


def test_every_registration_of_a_block_has_a_holder_who_says_so(world: World) -> None:
    from mock_sources.world.motors import Registration

    for place in range(60):
        vehicle = world.region.registered(Registration(4321, place))
        assert vehicle in world.vehicles_of(ssin=vehicle.holder.ssin, cbe=vehicle.holder.cbe)


def test_nobody_holds_a_vehicle_before_eighteen(world: World) -> None:
    for person in sample(world, 300):
        for vehicle in world.vehicles_of(ssin=person.ssin):
            assert int(vehicle.registered_since[:4]) - year(person) >= 18


def test_a_leasing_company_holds_the_cars_of_fifty_blocks(world: World) -> None:
    number = world.region.firms.number(50, 10)

    assert len(world.vehicles_of(cbe=number)) == 200
    assert (world.enterprise(number).activities[0].nace, world.enterprise(number).status) == ("77110", "AC")  # type: ignore[union-attr]


@given(people)
@some
def test_an_owner_and_the_enterprise_point_at_each_other(world: World, index: int) -> None:
    ssin = somebody(world, index).ssin
    for enterprise in world.enterprises_of(ssin):
        assert (ssin, "1") == (enterprise.owner_ssin, enterprise.kind)
        assert enterprise == world.enterprise(enterprise.number)


def test_a_company_is_found_by_the_words_of_its_name(world: World) -> None:
    company = world.region.firms.enterprise(77, 6)
    first, second, third = company.names[0].text.split()

    assert company in world.enterprises_named(f"{third} {first.lower()} {second[:4]}")


def test_a_municipality_is_found_by_name_and_number(world: World) -> None:
    found = world.enterprises_named("Elsene", 5)

    assert {"411", "412"} == {enterprise.legal_forms[0].code for enterprise in found}
    assert found == [world.enterprise(enterprise.number) for enterprise in found]


@given(people)
@some
def test_cards_of_an_address_are_for_vehicles_of_people_who_live_there(world: World, index: int) -> None:
    address = somebody(world, index).address
    assert address is not None
    for card in world.cards_at(address.id):
        vehicle = world.vehicle(card.plate)
        holder = world.person(card.holder or "")
        assert vehicle is not None
        assert holder is not None
        assert card.holder in (vehicle.holder.ssin, vehicle.driver)
        assert holder.address == card.address == address
        assert (card,) == world.cards_for(card.plate)


def test_cards_of_a_municipality_all_lie_in_it(world: World) -> None:
    cards = list(islice(world.cards("21003"), 200))

    assert {"21003"} == {card.address.nis for card in cards}
    assert len({card.plate for card in cards}) == 200


@given(st.integers(0, 18), st.integers(0, 10**6))
@some
def test_an_address_lies_in_its_street_its_municipality_and_its_postcode(world: World, where: int, rank: int) -> None:
    municipality = TERRITORIES[where].municipality
    address = world.region.places.anywhere(rank * 19, where)

    assert address == world.address(address.id)
    assert municipality.nis == address.nis
    assert address.postcode in municipality.postcodes
    assert [address] == list(world.addresses(address.street.id, address.number, address.box))
    assert address.street == world.street(address.street.id)


def test_a_postcode_does_not_tell_the_municipality(world: World) -> None:
    assert {"21004", "21009"} == {street.nis for street in world.streets(postcode="1050")}


def test_a_street_is_found_in_both_languages_and_by_sound(world: World) -> None:
    street = next(world.streets("21009"))
    asked = (street.names.nl, street.names.fr.upper(), f"*{street.names.fr.split()[-1]}", f"~{street.names.nl}")

    assert [street in world.streets("21009", name=name) for name in asked] == [True] * 4


def test_streets_of_a_municipality_have_names_and_codes_of_their_own(world: World) -> None:
    streets = list(world.streets("21004"))

    assert len(streets) == len({s.names.nl for s in streets}) == len({s.names.fr for s in streets})
    assert len(streets) == len({s.rrn_code for s in streets})


def test_people_are_found_by_how_their_name_sounds(world: World) -> None:
    person = somebody(world, 424_242)
    last = person.name.last[0].upper().replace("É", "E")

    assert person in world.identify(last, person.name.first[0][:3].lower(), person.birth_date)
    assert person in world.identify(last, None, person.birth_date, sex=person.sex)


@pytest.mark.parametrize("cut", ["{}-{}-00", "{}-00-00"], ids=["month", "year"])
def test_people_are_found_with_half_a_birth_date(world: World, cut: str) -> None:
    person = somebody(world, 13)
    asked = cut.format(*person.birth_date.split("-"))

    assert person in world.identify(person.name.last[0], None, asked, limit=999)


def test_a_search_gives_no_more_than_asked_for(world: World) -> None:
    assert len(world.identify("Rossinelli", None, "1980-00-00", 20, limit=3)) == 3


@pytest.mark.parametrize("birth_date", ["1980-13-01", "1980-02-30", "80-1-1-1", "", "1980-00-0x"])
def test_a_birth_date_that_is_none_is_refused(world: World, birth_date: str) -> None:
    with pytest.raises(ValueError):
        world.identify("Vos", None, birth_date)


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple | list | frozenset):
        for item in value:
            yield from texts(item)
    elif is_dataclass(value):
        for field in fields(value):
            yield from texts(getattr(value, field.name))


def test_no_fact_is_empty_or_padded(world: World) -> None:
    for person in sample(world, 200):
        assert all(text == text.strip() and text for text in texts(person))
