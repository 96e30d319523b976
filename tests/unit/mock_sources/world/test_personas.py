"""Named cases: written well, coherent with each other and with the Region, never somebody derived."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import mock_sources
from mock_sources.world import World
from mock_sources.world.casebook import Casebook, CaseError, cases
from mock_sources.world.facts import Person, Persona
from mock_sources.world.identifiers import LAST_DERIVED_SERIAL, birth_year, checked_first_eight
from mock_sources.world.world import _refuse_doubles

FOLDER = Path(mock_sources.__file__).parent / "personas"
FILES = sorted(FOLDER.glob("*.yaml"))
SLUGS = [case["persona"] for case in cases()]
DEMO = "vrolijke-eekhoorn"


@pytest.fixture(scope="session")
def book(world: World) -> Casebook:
    return world._book


def everybody(book: Casebook) -> list[Person]:
    return list(book.people.values())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_keeps_to_the_schema(file: Path) -> None:
    schema = json.loads((FOLDER / "persona.schema.json").read_text(encoding="utf-8"))
    problems = jsonschema.Draft202012Validator(schema).iter_errors(yaml.safe_load(file.read_text(encoding="utf-8")))

    assert [f"{problem.json_path}: {problem.message}" for problem in problems] == []


def test_there_are_at_least_forty_and_each_has_a_name_of_its_own() -> None:
    assert len(SLUGS) >= 40
    assert [slug for slug, count in Counter(SLUGS).items() if count > 1] == []


def test_every_case_breaks_something_of_its_own() -> None:
    reasons = [case["why"] for case in cases()]

    assert len(reasons) == len(set(reasons))


@pytest.mark.parametrize("slug", SLUGS)
def test_its_number_is_a_test_number_or_a_bis_number_with_good_check_digits(world: World, slug: str) -> None:
    persona = world.personas[slug]
    told = [persona.ssin] if persona.ssin else []

    assert all(birth_year(number) is not None for number in told)
    assert all(61 <= int(number[2:4]) <= 72 or 21 <= int(number[2:4]) <= 32 or 41 <= int(number[2:4]) <= 52
               for number in told)  # fmt: skip


def test_numbers_of_everybody_around_the_personas_are_valid_and_kept_apart(book: Casebook) -> None:
    for person in everybody(book):
        assert birth_year(person.ssin) == int(person.birth_date[:4])
        assert int(person.ssin[6:9]) > LAST_DERIVED_SERIAL
        assert person.register == "BIS" or 61 <= int(person.ssin[2:4]) <= 72


def test_only_bis_people_have_bis_numbers(book: Casebook) -> None:
    months = {person.ssin[2:4]: person.register for person in everybody(book) if int(person.ssin[2:4]) < 61}

    assert {"BIS"} == set(months.values())
    assert {"2", "4"} == {month[0] if month[0] != "3" else "2" for month in months} - {"5"}


def test_enterprise_numbers_of_personas_pass_their_check(book: Casebook) -> None:
    numbers = [*book.enterprises, *book.establishments]

    assert [number for number in numbers if checked_first_eight(number) is None] == []


def test_no_persona_is_somebody_derived(world: World, book: Casebook) -> None:
    region = world.region

    assert [ssin for ssin in book.people if region.person(ssin)] == []
    assert [plate for plate in book.vehicles if region.vehicle(plate)] == []
    assert [number for number in book.enterprises if region.enterprise(number)] == []
    assert [id for id in book.addresses if region.places.address(id)] == []


def test_a_persona_who_would_be_somebody_derived_is_refused(world: World) -> None:
    taken = world.region.resident_number(5)
    case: dict[str, Any] = {
        "persona": "double", "title": {"nl": "", "fr": "", "en": ""}, "why": "", "tags": [],
        "me": {"ssin": taken, "name": "Dubbel, Dirk", "sex": 1, "born": "1980-01-01"},
    }  # fmt: skip
    book = Casebook((case,), world.region.places, date(2026, 11, 23))

    with pytest.raises(CaseError, match="double"):
        _refuse_doubles(book, world.region)


def test_a_number_told_twice_is_refused(world: World) -> None:
    me = {"ssin": "71640688197", "name": "Dubbel, Dirk", "sex": 1, "born": "1971-04-06"}
    told: dict[str, Any] = {"title": {"nl": "", "fr": "", "en": ""}, "why": "", "tags": [], "me": me}

    with pytest.raises(CaseError, match="twice"):
        Casebook(({**told, "persona": "a"}, {**told, "persona": "b"}), world.region.places, date(2026, 11, 23))


def test_a_file_that_breaks_the_schema_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "persona.schema.json").write_text((FOLDER / "persona.schema.json").read_text(encoding="utf-8"))
    (tmp_path / "broken.yaml").write_text("- {persona: no-title, why: there is no title here at all, tags: [x]}\n")

    with pytest.raises(CaseError, match=r"broken\.yaml.*title"):
        cases(tmp_path)


# --- coherence


def test_every_number_a_persona_names_is_somebody(world: World, book: Casebook) -> None:
    named = set[str]()
    for person in everybody(book):
        named |= {state.spouse for state in person.civil_states if state.spouse}
        others = (*person.parents, *person.children, person.replaced_by, person.replaces)
        named |= {number for number in others if number}
        named |= {person.legal_cohabitation.partner or ""} - {""} if person.legal_cohabitation else set()
    named |= {vehicle.holder.ssin or vehicle.driver or "" for vehicle in book.vehicles.values()} - {""}
    named |= {card.holder for card in book.cards if card.holder}
    named |= {enterprise.owner_ssin for enterprise in book.enterprises.values() if enterprise.owner_ssin}

    assert [number for number in named if world.person(number) is None] == []


def test_parents_and_children_of_personas_know_each_other(book: Casebook) -> None:
    parents = {(person.ssin, number) for person in everybody(book) for number in person.parents if number}
    children = {(number, person.ssin) for person in everybody(book) for number in person.children}

    assert parents == children


def test_children_of_personas_are_eighteen_years_younger(book: Casebook) -> None:
    for person in everybody(book):
        for child in person.children:
            assert int(book.people[child].birth_date[:4]) - int(person.birth_date[:4]) >= 18


def test_current_spouses_of_personas_name_each_other(book: Casebook) -> None:
    for person in everybody(book):
        state = person.civil_states[0]
        if state.code == "20" and state.spouse and state.end is None:
            other = book.people[state.spouse].civil_states[0]
            assert (person.ssin, "20", state.start) == (other.spouse, other.code, other.start)


def test_replaced_and_replacing_numbers_name_each_other(book: Casebook) -> None:
    replaced = {person.ssin: person.replaced_by for person in everybody(book) if person.replaced_by}
    replacing = {person.replaces: person.ssin for person in everybody(book) if person.replaces}

    assert replaced == replacing


def test_households_of_personas_begin_with_one_reference_person(book: Casebook) -> None:
    codes = [[member.code for member in household.members] for household in book.households.values()]

    assert [told for told in codes if told[0] != "01" or told.count("01") != 1] == []


def test_nobody_dead_or_gone_is_a_member_of_a_household(book: Casebook) -> None:
    members = {member.ssin for household in book.households.values() for member in household.members}

    assert [ssin for ssin in members if book.people[ssin].death or not book.people[ssin].residences] == []


def test_members_live_where_their_household_lives(world: World, book: Casebook) -> None:
    for household in book.households.values():
        assert {household.address} == {book.people[member.ssin].address for member in household.members}
        assert household.address is not None
        assert household in world.households_at(household.address.id)


def test_histories_of_personas_run_back(book: Casebook) -> None:
    for person in everybody(book):
        for history in (person.residences, person.civil_states, person.names):
            for newer, older in pairwise(history):
                assert older.end is not None
                assert older.start <= older.end <= newer.start


def test_persona_houses_stand_in_the_personas_street_of_their_municipality(world: World, book: Casebook) -> None:
    for address in book.addresses.values():
        assert world.region.places.persona_street(address.nis) == address.street
        assert address in world.addresses(address.street.id, address.number, address.box)
        assert address == world.address(address.id)


def test_the_personas_street_holds_nobody_derived(world: World) -> None:
    street = world.region.places.persona_street("21009")

    assert list(world.region.places.addresses_in(street.id)) == []


# --- the cases the project promises, one by one


def person(world: World, slug: str) -> Person:
    found = world.personas[slug].person
    assert found is not None
    return found


def test_the_demo_has_a_happy_case(world: World) -> None:
    happy = person(world, DEMO)
    household = world.household_of(happy.ssin)
    assert household is not None
    assert household.address is not None
    cards = world.cards_at(household.address.id)

    assert (happy.address.nis if happy.address else "", len(household.members)) == ("21009", 4)
    assert [vehicle.plate for vehicle in world.vehicles_of(ssin=happy.ssin) if vehicle.status == "REG"] == ["1ABC123"]
    assert [card.plate for card in cards if card.status == "A"] == ["1ABC123"]
    assert any(licence.category == "B" and not licence.withdrawn for licence in happy.licences)
    assert {(65, 0), (17, 1), (48, 0)} == {(one.sector, one.institution) for one in happy.integrations}


PROMISED = {
    "replaced number": lambda w: w.person(person(w, "oude-koekoek").replaced_by).replaces,
    "BIS, sex known": lambda w: 41 <= int(person(w, "stille-uil").ssin[2:4]) <= 52,
    "BIS, sex unknown": lambda w: re.match(r"..31.*0$", w.personas["mysterieuze-lynx"].ssin[:9] + person(w, "mysterieuze-lynx").sex),
    "deceased": lambda w: person(w, "laatste-hert").death and w.vehicles_of(ssin=person(w, "laatste-hert").ssin),
    "not communicable": lambda w: person(w, "discrete-vos").not_communicable,
    "incomplete birth date": lambda w: person(w, "vergeten-mol").birth_date.endswith("-00"),
    "struck off": lambda w: person(w, "geschrapte-kraai").residences[0].kind == "struck_off",
    "moved yesterday": lambda w: person(w, "hirondelle-pressee").residences[0].start
    == (w.today - timedelta(days=1)).isoformat(),
    "minor": lambda w: person(w, "kleine-egel").birth_date > "2009",
    "collective household": lambda w: w.household_of(person(w, "zuster-bij").ssin).collective == "05",
    "twelve in one household": lambda w: len(w.household_of(person(w, "grote-mierenhoop").ssin).members) == 12,
    "homonyms": lambda w: len(w.identify("Merel", "Zingende", "1985-01-21")) == 2,
    "letters": lambda w: set("éßŁ’-") <= set(repr(person(w, "eland-van-ver").name)),
    "sixty characters": lambda w: len(person(w, "eindeloze-duizendpoot").name.last[0]) == 60,
    "two vehicles": lambda w: len(w.vehicles_of(ssin=person(w, "verzamelende-hamster").ssin)) == 2,
    "leased": lambda w: w.vehicle("2AGS016").lease and w.vehicle("2AGS016").driver == person(w, "gehuurde-gans").ssin,
    "de-registered": lambda w: w.vehicle(w.personas["krekel-zonder-plaat"].plate).status == "deregistered",
    "personalised": lambda w: len(w.personas["trotse-pauw"].plate) == 8,
    "sole trader": lambda w: w.enterprise(w.personas["bakkende-mees"].enterprise).private_hidden,
    "stopped": lambda w: w.enterprise(w.personas["gestopte-spin"].enterprise).status == "ST",
    "annulled": lambda w: w.enterprise(w.personas["geannuleerde-luis"].enterprise).status == "AN",
    "cards at the limit": lambda w: len(w.cards_at(person(w, "trage-schildpad").address.id)) == 2,
    "licence withdrawn": lambda w: all(one.withdrawn for one in person(w, "lievre-trop-vite").licences),
    "no licence": lambda w: not person(w, "fietsende-ooievaar").licences,
    "unknown person": lambda w: w.person(w.personas["spook-zonder-spoor"].ssin) is None,
    "unknown plate": lambda w: w.vehicle(w.personas["onbekende-plaat"].plate) is None,
    "abroad": lambda w: person(w, "cigogne-partie").residence.kind == "abroad",
    "legal cohabitant": lambda w: person(w, "wettelijke-hermelijn").legal_cohabitation,
    "widow": lambda w: person(w, "trouwe-duif").civil_states[0].code == "30",
    "single name": lambda w: person(w, "enkele-naam").name.first == (),
    "refugee": lambda w: person(w, "gevluchte-gazelle").nationalities[0].code == "822",
    "RAD": lambda w: person(w, "vergeten-rat").register == "RAD",
    "waiting register": lambda w: person(w, "wachtende-pelikaan").registers[0].code == "5",
    "living wage": lambda w: person(w, "dappere-mus").living_wage[0].end is None,
    "living wage ended": lambda w: all(wage.end for wage in person(w, "herstelde-mus").living_wage),
    "social statuses": lambda w: len(person(w, "volle-mandarijn").statuses) == 7,
    "never integrated": lambda w: not person(w, "onbekende-kwal").integrations,
    "another quality": lambda w: [one.quality for one in person(w, "andere-hoed").integrations] == [7],
    "integration expired": lambda w: all(one.end < str(w.today) for one in person(w, "verlopen-melk").integrations),
    "lives elsewhere": lambda w: person(w, "pie-voyageuse").address.nis != "21009",
    "household member holds": lambda w: w.vehicle("1AMN707").holder.ssin in [
        one.ssin for one in w.household_of(person(w, "fidele-moineau").ssin).members[1:]],
    "company car": lambda w: w.vehicle("1ABV030").holder.cbe and not w.vehicle("1ABV030").lease,
    "oldtimer": lambda w: w.vehicle(w.personas["oude-karper"].plate).first_registration < "1960",
    "motorbike": lambda w: w.vehicle(w.personas["snelle-libel"].plate).category == "L3e",
    "unpositioned": lambda w: not person(w, "verdwaalde-mug").address.positioned,
    "retired address": lambda w: person(w, "slakkenhuis").address.status == "retired",
    "centenarian": lambda w: person(w, "wijze-schubvis").birth_date < "1926",
    "born in 2000": lambda w: person(w, "schrikkel-kikker").birth_date == "2000-02-29",
    "one chassis, two cars": lambda w: len(w.vehicles_by_vin(w.vehicle("1ATW001").vin)) == 2,
}  # fmt: skip


@pytest.mark.parametrize("promise", list(PROMISED))
def test_a_promised_case_is_there(world: World, promise: str) -> None:
    assert PROMISED[promise](world)


def test_yesterday_moves_with_today(world: World) -> None:
    day = date(2027, 2, 1)
    later = World(world.region, today=lambda: day)

    assert person(later, "hirondelle-pressee").residences[0].start == "2027-01-31"


def test_a_running_world_notices_midnight(world: World) -> None:
    days = iter([date(2026, 12, 31), date(2026, 12, 31), date(2027, 1, 1)])
    night = World(world.region, today=lambda: next(days))
    before, same, after = (night._book for _ in range(3))

    assert before is same
    assert before is not after


def test_a_persona_says_what_to_ask(world: World) -> None:
    shown: list[Persona] = list(world.personas.values())

    assert [one.slug for one in shown if not (one.ssin or one.plate or one.enterprise)] == []
