"""Every named case, asked at KBO, DIV, BeSt and the parking file: no case breaks a mock, all tell one story."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from lxml import etree

from mock_sources.credentials import ClientSecret
from mock_sources.sources import kbo
from mock_sources.sources.best.app import BelgianAddress
from mock_sources.sources.best.ids import identifier
from mock_sources.sources.div.app import Registrations
from mock_sources.sources.kbo import render
from mock_sources.sources.kbo.names import DATAMODEL, MESSAGES
from mock_sources.sources.parking.cards import records
from mock_sources.world import World

WORLD = World.build(7, lambda: datetime(2026, 11, 23, tzinfo=UTC).date())
PEOPLE = [one for one in WORLD.personas.values() if one.person is not None]
NS = {"d": DATAMODEL}


def _vehicles() -> dict[str, Any]:
    held = [WORLD.vehicles_of(ssin=one.ssin) for one in PEOPLE]
    led = [WORLD.vehicles_of(cbe=one.enterprise) for one in WORLD.personas.values() if one.enterprise]
    asked = [(WORLD.vehicle(one.plate),) for one in WORLD.personas.values() if one.plate]
    return {car.plate: car for cars in (*held, *led, *asked) for car in cars if car is not None}


VEHICLES = _vehicles()
ENTERPRISES = {one.enterprise: WORLD.enterprise(one.enterprise) for one in WORLD.personas.values() if one.enterprise}


@pytest.fixture(scope="module")
def schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(Path(kbo.__file__).with_name("schema") / "messages.xsd")))


@pytest.fixture
def div(ask: Any, clock: Any) -> Any:
    """Ask DIV about one plate, chassis or holder."""
    app = Registrations(WORLD, ClientSecret("a", "b"), clock)
    headers = {"authorization": f"Bearer {app.tokens.make()}"}
    return lambda collection="registrations", **query: ask(
        app, "GET", f"/v1/mobility/{collection}", query=query, headers=headers
    )


def test_there_are_cases_to_ask_about() -> None:
    assert len(VEHICLES) >= 15
    assert len(ENTERPRISES) >= 8


@pytest.mark.parametrize("number", ENTERPRISES)
@pytest.mark.parametrize("over", [False, True], ids=["true", "over-delivery"])
@pytest.mark.parametrize("language", ["nl", "fr", "de", "en"])
def test_kbo_tells_each_enterprise_in_valid_xml(
    schema: etree.XMLSchema, number: str, over: bool, language: str
) -> None:
    record = render.enterprise(WORLD, ENTERPRISES[number], language, over)
    reply = (
        f'<m:ReadEnterpriseResponse xmlns:m="{MESSAGES}" xmlns:dat="{DATAMODEL}">{record}</m:ReadEnterpriseResponse>'
    )
    document = etree.fromstring(reply)

    schema.assertValid(document)
    assert document.findtext("d:Enterprise/d:EnterpriseNumber", namespaces=NS) == number


def test_kbo_hides_no_shop_and_shows_no_home_of_a_hidden_sole_trader() -> None:
    hidden = [one for one in ENTERPRISES.values() if one and one.private_hidden and one.kind == "1"]
    assert hidden
    for one in hidden:
        home = WORLD.person(one.owner_ssin).address
        shown = etree.fromstring(f'<x xmlns:dat="{DATAMODEL}">{render.enterprise(WORLD, one, "nl")}</x>')
        numbers = [found.text for found in shown.findall(".//d:Address/d:HouseNumber", NS)]

        assert {unit.address.number for unit in one.establishments} - {home.number} <= set(numbers)
        assert home.number not in numbers
        assert "bescherming" in shown.findtext(".//d:Address/d:Street", namespaces=NS)


@pytest.mark.parametrize("plate", VEHICLES)
def test_div_answers_each_plate_as_it_is_registered(div: Any, plate: str) -> None:
    car = VEHICLES[plate]
    answer = div(plateNr=plate)

    if car.status != "REG":
        assert (404, "40131") == (answer.status, answer.json["code"])
        return
    item = answer.json["items"][0]
    holder = item["titular"].get("person", {}).get("nationalNr") or item["titular"]["organisation"]["companyNr"]
    assert (plate, car.vin) == (item["license"]["plateNr"], item["vehicle"]["vin"])
    assert holder["identificator"] == (car.holder.ssin or car.holder.cbe)


@pytest.mark.parametrize("plate", [plate for plate, car in VEHICLES.items() if car.status == "REG"])
def test_div_finds_each_chassis_and_holder_again(div: Any, plate: str) -> None:
    car = VEHICLES[plate]
    key = {"nationalNr": car.holder.ssin} if car.holder.ssin else {"companyNr": car.holder.cbe}
    by_vin = div(vin=car.vin, unifier=car.unifier).json
    by_holder = div(**key, pageSize="100").json

    assert [plate] == [item["license"]["plateNr"] for item in by_vin["items"]]
    assert plate in [item["license"]["plateNr"] for item in by_holder["items"]]


def test_div_names_the_driver_of_every_leased_persona_car(div: Any) -> None:
    leased = {car.plate: car.driver for car in VEHICLES.values() if car.driver and car.status == "REG"}
    told = {
        plate: div("registrationsTitular", plateNr=plate).json["items"][0]["driver"]["person"]["nationalNr"]
        for plate in leased
    }

    assert leased
    assert leased == told


def test_best_knows_every_home_of_a_persona(ask: Any) -> None:
    best = BelgianAddress(WORLD)
    homes = {one.person.address for one in PEOPLE if one.person.address is not None}
    wrong = []
    for home in homes:
        place = f"/belgianAddress/v2/addresses/{quote(identifier('address', home.id), safe='')}"
        found = ask(best, "GET", place, headers={"BelGov-Trace-Id": "a"})
        same = (found.json.get("houseNumber"), found.json.get("boxNumber")) == (home.number, home.box)
        if found.status != 200 or not same:
            wrong.append(home.id)

    assert homes
    assert [] == wrong


def test_best_finds_every_home_by_street_name_postcode_and_number(ask: Any) -> None:
    best = BelgianAddress(WORLD)
    lost = []
    for home in {one.person.address for one in PEOPLE if one.person.address is not None}:
        query = {"streetName": home.street.names.fr, "postCode": home.postcode, "houseNumber": home.number}
        found = ask(best, "GET", "/belgianAddress/v2/addresses", query=query, headers={"BelGov-Trace-Id": "a"})
        if identifier("address", home.id) not in [item["id"] for item in found.json["items"]]:
            lost.append((home.id, found.status))

    assert [] == lost


def test_the_parking_file_has_the_cards_of_every_personas_address() -> None:
    held = {(one.plate, one.nis, one.street_code, one.house_number, one.box) for one in records(WORLD)}
    homes = {one.person.address for one in PEOPLE if one.person.address is not None}
    cards = [card for home in homes for card in WORLD.cards_at(home.id)]
    missing = [
        card.plate
        for card in cards
        if (card.plate, card.address.nis, card.address.street.rrn_code, card.address.number, card.address.box or "")
        not in held
    ]

    assert cards
    assert [] == missing


def test_the_parking_file_fits_what_it_is_given() -> None:
    widths = {"plate": 8, "house_number": 12, "box": 12, "holder": 11, "street": 40, "municipality": 30}
    cut = {name for one in records(WORLD) for name, width in widths.items() if len(getattr(one, name)) > width}

    assert set() == cut


def test_what_the_mocks_say_is_json_that_every_parser_takes(div: Any) -> None:
    for plate in VEHICLES:
        body = div(plateNr=plate).body
        assert orjson.loads(body)
        assert not re.search(rb"NaN|Infinity", body)


def test_a_persona_is_found_over_the_admin_api(ask: Any) -> None:
    from mock_sources.admin import Admin
    from mock_sources.faults import Board
    from mock_sources.world.find import find

    admin = Admin(Board(), {}, dict, lambda text, limit: list(find(WORLD, text, limit=limit)))
    one = ask(admin, "GET", "/personas", query={"find": 'slug=="vrolijke-eekhoorn"'}).json
    some = ask(admin, "GET", "/personas", query={"limit": "3"}).json
    bad = ask(admin, "GET", "/personas", query={"find": "__import__('os')"})

    assert (1, ["1ABC123"], 3) == (one["total"], one["items"][0]["plates"], some["total"])
    assert 400 == bad.status
