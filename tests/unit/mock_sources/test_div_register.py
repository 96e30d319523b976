"""DIV: tokens, refusals, what is found, pages, and the two lies it can be told to tell."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from mock_sources.credentials import ClientSecret
from mock_sources.sources.div.app import Registrations
from mock_sources.world.facts import (
    Address,
    Coded,
    Denomination,
    Enterprise,
    Holder,
    Municipality,
    Name,
    Names,
    Person,
    Persona,
    PlacedAt,
    Residence,
    Street,
    Vehicle,
)

ANNA, BORIS, FLEET = "71640618918", "90651300312", "0314595348"
CLIENT = ClientSecret("hub", "s3cret/+ é")
STREET = Street(9001, "1234", "21009", "1050", Names("Voorbeeldstraat", "Rue de l’Exemple"))
HOME = Address(501, STREET, "12", "B3", x=149_500.0, y=168_000.0)
OLD_HOME = Address(502, STREET, "7")


def person(ssin: str, first: str, last: str, **more: Any) -> Person:
    facts: dict[str, Any] = {
        "register": "RR",
        "sex": "2",
        "birth_date": "1971-04-06",
        "birth_place": ("21009", "Elsene"),
        "names": (Name((last,), (first,), "1971-04-06"),),
        "nationalities": (Coded("150", "1971-04-06"),),
        "civil_states": (),
        "registers": (Coded("2", "1971-04-06"),),
        "residences": (
            Residence("main", HOME, None, None, "2021-05-01"),
            Residence("main", OLD_HOME, None, None, "1999-01-01", "2021-05-01"),
        ),
        "language": "nl",
    }
    return Person(ssin=ssin, **(facts | more))


def car(plate: str, vin: str, **more: Any) -> Vehicle:
    facts: dict[str, Any] = {
        "plate_type": "NM",
        "unifier": "01",
        "holder": Holder(ssin=ANNA),
        "driver": None,
        "lease": False,
        "make": "VOLKSWAGEN",
        "model": "Golf",
        "category": "M1",
        "first_registration": "2018-06-15",
        "registered_since": "2020-02-20",
    }
    return Vehicle(plate=plate, vin=vin, **(facts | more))


LEASED = car("1LEA001", "WVWZZZ1KZPW000003", holder=Holder(cbe=FLEET), driver=ANNA, lease=True)
GONE = car(
    "1OUT001", "WVWZZZ1KZPW000004", holder=Holder(ssin=BORIS), status="deregistered", deregistered_on="2024-03-01"
)
BORIS_CAR = car("MIJNAUTO", "WVWZZZ1KZPW000005", holder=Holder(ssin=BORIS))
ANNA_CARS = tuple(
    car(f"1ANA{n:03d}", f"WVWZZZ1KZPW0001{n:02d}", registered_since=f"20{10 + n}-01-01") for n in range(5)
)


class Garage:
    """A world of two people, one enterprise and eight cars."""

    today = date(2026, 11, 23)

    def __init__(self) -> None:
        self.cars = {one.plate: one for one in (LEASED, GONE, BORIS_CAR, *ANNA_CARS)}
        self.people = {
            ANNA: person(ANNA, "Anna", "Serruÿs"),
            BORIS: person(BORIS, "Boris", "Zoë-Łukasz", language="fr"),
        }
        self.personas = {
            f"case-{plate}": Persona(plate, Names("", ""), "", "", None, plate, None, (), None)
            for plate in ("1OUT001", "1ANA000", "MIJNAUTO")
        }

    def person(self, ssin: str) -> Person | None:
        return self.people.get(ssin)

    def vehicle(self, plate: str) -> Vehicle | None:
        return self.cars.get(plate)

    def vehicles_by_vin(self, vin: str) -> tuple[Vehicle, ...]:
        return tuple(one for one in self.cars.values() if one.vin == vin)

    def vehicles_of(self, ssin: str | None = None, cbe: str | None = None) -> tuple[Vehicle, ...]:
        return tuple(one for one in self.cars.values() if one.holder == Holder(ssin, cbe))

    def enterprise(self, number: str) -> Enterprise | None:
        seat = PlacedAt("REGO", HOME, "2001-01-01")
        name = Denomination("Wagenpark Voorbeeld", "2", "001", "2001-01-01")
        form = Coded("014", "2001-01-01")
        return (
            Enterprise(number, "2", "AC", (name,), (form,), (), (seat,), (), "2001-01-01") if number == FLEET else None
        )

    def municipality(self, nis: str) -> Municipality | None:
        return Municipality("21009", Names("Elsene", "Ixelles"), ("1050",))


@pytest.fixture
def garage() -> Garage:
    return Garage()


@pytest.fixture
def div(garage: Garage, clock: Any) -> Registrations:
    return Registrations(garage, CLIENT, clock)  # type: ignore[arg-type]


@pytest.fixture
def get(div: Registrations, ask: Any) -> Any:
    """Ask with a good token; `path` defaults to registrations."""

    def call(path: str = "registrations", fault: str | None = None, **query: str) -> Any:
        token = {"authorization": f"Bearer {div.tokens.make()}"}
        return ask(div, "GET", f"/v1/mobility/{path}", query=query, headers=token, fault=fault)

    return call


def buy(div: Registrations, ask: Any, form: dict[str, str], basic: str | None = None) -> Any:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    if basic is not None:
        headers["authorization"] = "Basic " + base64.b64encode(basic.encode()).decode()
    return ask(div, "POST", "/oauth/token", headers=headers, body=urlencode(form).encode())


# --- tokens -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["form", "basic"])
def test_a_bought_token_opens_the_register(div: Registrations, ask: Any, way: str) -> None:
    form = {"grant_type": "client_credentials", "scope": "mob_reghist_v1_G"}
    if way == "form":
        sold = buy(div, ask, form | {"client_id": CLIENT.client_id, "client_secret": CLIENT.client_secret})
    else:
        sold = buy(div, ask, form, f"{CLIENT.client_id}:" + urlencode({"": CLIENT.client_secret})[1:])
    token = sold.json["access_token"]
    answer = ask(
        div,
        "GET",
        "/v1/mobility/registrations",
        query={"plateNr": "MIJNAUTO"},
        headers={"authorization": f"bearer {token}"},
    )

    assert (200, "Bearer", 300) == (sold.status, sold.json["token_type"], sold.json["expires_in"])
    assert "no-store" == sold.headers["cache-control"]
    assert 200 == answer.status


@pytest.mark.parametrize(
    ("wound", "status", "error"),
    [
        ({"client_secret": "guess"}, 401, "invalid_client"),
        ({"client_id": "other"}, 401, "invalid_client"),
        ({"client_secret": None, "client_id": None}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": None}, 400, "invalid_request"),
        ({"scope": "everything"}, 400, "invalid_scope"),
    ],
    ids=str,
)
def test_a_refused_token_request_says_which_rule(
    div: Registrations, ask: Any, wound: dict[str, str | None], status: int, error: str
) -> None:
    whole = {"grant_type": "client_credentials", "client_id": CLIENT.client_id, "client_secret": CLIENT.client_secret}
    form = {name: value for name, value in (whole | wound).items() if value is not None}
    refused = buy(div, ask, form)

    assert (status, {"error": error}) == (refused.status, refused.json)


def test_a_client_that_authenticates_twice_is_refused(div: Registrations, ask: Any) -> None:
    form = {"grant_type": "client_credentials", "client_id": CLIENT.client_id, "client_secret": CLIENT.client_secret}

    assert {"error": "invalid_request"} == buy(div, ask, form, "hub:s3cret").json


def test_without_token_nothing_is_told_but_where_to_buy_one(div: Registrations, ask: Any) -> None:
    refused = ask(div, "GET", "/v1/mobility/registrations", query={"plateNr": "MIJNAUTO"})

    assert (401, 'Bearer realm="div"') == (refused.status, refused.headers["www-authenticate"])
    assert "urn:problem-type:belgif:noAccessToken" == refused.json["type"]


@pytest.mark.parametrize("change", ["last", "first", "cut", "rubbish"])
def test_a_changed_token_is_refused(div: Registrations, ask: Any, change: str) -> None:
    token = div.tokens.make()
    broken = {
        "last": token[:-1] + ("A" if token[-1] != "A" else "B"),
        "first": ("B" if token[0] != "B" else "C") + token[1:],
        "cut": token[:-4],
        "rubbish": "é€"[:1] + "x",
    }[change]
    refused = ask(div, "GET", "/v1/mobility/registrations", headers={"authorization": f"Bearer {broken}"})

    assert (401, "urn:problem-type:belgif:invalidAccessToken") == (refused.status, refused.json["type"])
    assert 'error="invalid_token"' in refused.headers["www-authenticate"]


def test_a_token_dies_after_five_minutes_even_when_it_was_used_before(div: Registrations, ask: Any, clock: Any) -> None:
    headers = {"authorization": f"Bearer {div.tokens.make()}"}

    def knock() -> int:
        query = {"plateNr": "MIJNAUTO"}
        return ask(div, "GET", "/v1/mobility/registrations", query=query, headers=headers).status

    alive = knock()
    clock.forward(seconds=300)

    assert (200, 401) == (alive, knock())


def test_a_token_of_another_client_secret_is_refused(div: Registrations, garage: Garage, ask: Any, clock: Any) -> None:
    other = Registrations(garage, ClientSecret("hub", "another"), clock)  # type: ignore[arg-type]
    headers = {"authorization": f"Bearer {other.tokens.make()}"}

    assert 401 == ask(div, "GET", "/v1/mobility/registrations", headers=headers).status


# --- questions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "kind", "name"),
    [
        ({}, "exactlyOneOfExpected", "plateNr,vin,nationalNr,companyNr"),
        (
            {"plateNr": "1ANA000", "vin": "WVWZZZ1KZPW000101"},
            "exactlyOneOfExpected",
            "plateNr,vin,nationalNr,companyNr",
        ),
        ({"plateNr": "1-ANA-000"}, "schemaViolation", "plateNr"),
        ({"plateNr": "1ana000"}, "schemaViolation", "plateNr"),
        ({"plateNr": "1ANA00000"}, "schemaViolation", "plateNr"),
        ({"plateNr": ""}, "schemaViolation", "plateNr"),
        ({"vin": "WVWZZZ1KZPWO00101"}, "schemaViolation", "vin"),
        ({"plateNr": "1ANA000", "unifier": "01"}, "zeroOrAllOfExpected", "vin,unifier"),
        ({"vin": "WVWZZZ1KZPW000101", "unifier": "1"}, "schemaViolation", "unifier"),
        ({"nationalNr": ANNA[:-1] + "9"}, "schemaViolation", "nationalNr"),
        ({"nationalNr": "٧١٦٤٠٦١٨٩١٨"}, "schemaViolation", "nationalNr"),
        ({"companyNr": "0314595349"}, "schemaViolation", "companyNr"),
        ({"plateNr": "1ANA000", "dateTime": "2020-01-01"}, "schemaViolation", "dateTime"),
        ({"plateNr": "1ANA000", "dateTime": "2020-13-01T00:00:00Z"}, "schemaViolation", "dateTime"),
        ({"plateNr": "1ANA000", "pageSize": "0"}, "schemaViolation", "pageSize"),
        ({"plateNr": "1ANA000", "pageSize": "101"}, "schemaViolation", "pageSize"),
        ({"plateNr": "1ANA000", "after": "AAAAAAAAAAA"}, "invalidInput", "after"),
        ({"plateNr": "1ANA000", "colour": "red"}, "unknownInput", "colour"),
    ],
)
def test_a_bad_question_names_the_parameter(get: Any, query: dict[str, str], kind: str, name: str) -> None:
    refused = get(**query)
    found = [(one["type"].rsplit(":", 1)[1], one["name"]) for one in refused.json["issues"]]

    assert (400, "application/problem+json") == (refused.status, refused.headers["content-type"])
    assert (kind, name) in found


def test_a_refused_number_is_not_echoed(get: Any) -> None:
    assert b"71640618919" not in get(nationalNr="71640618919").body


def test_a_repeated_parameter_is_refused(div: Registrations, ask: Any) -> None:
    headers = {"authorization": f"Bearer {div.tokens.make()}"}
    twice = [("plateNr", "1ANA000"), ("plateNr", "1ANA001")]

    assert 400 == ask(div, "GET", "/v1/mobility/registrations", query=twice, headers=headers).status


# --- answers ----------------------------------------------------------------------------------------------------


def test_a_plate_is_found_with_its_holder(get: Any) -> None:
    item = get(plateNr="1ANA003").json["items"][0]

    assert "1ANA003" == item["license"]["plateNr"]
    assert item["titular"]["person"]["nationalNr"] == {"identificator": ANNA}
    assert ["Serruÿs"] == item["titular"]["person"]["lastName"]


def test_the_registration_address_is_the_one_of_that_day(get: Any) -> None:
    contact = get(plateNr="1ANA003").json["items"][0]["titular"]["contactInfo"]

    assert ("7", "12") == (contact["registrationAddress"]["houseNumber"], contact["address"]["houseNumber"])
    assert "Voorbeeldstraat" == contact["address"]["streetName"]["string"]


def test_streets_are_written_in_the_language_of_the_titular(get: Any) -> None:
    item = get(plateNr="MIJNAUTO").json["items"][0]

    assert "FR" == item["license"]["languageCode"]
    assert "Rue de l’Exemple" == item["titular"]["contactInfo"]["address"]["streetName"]["string"]


@pytest.mark.parametrize("unifier", [{}, {"unifier": "01"}])
def test_a_chassis_is_found_with_and_without_unifier(get: Any, unifier: dict[str, str]) -> None:
    assert "MIJNAUTO" == get(vin=BORIS_CAR.vin, **unifier).json["items"][0]["license"]["plateNr"]


def test_a_shared_chassis_number_gives_both_cars(get: Any, garage: Garage) -> None:
    twin = car("1TWN002", BORIS_CAR.vin, unifier="02")
    garage.cars[twin.plate] = twin

    assert 2 == get(vin=twin.vin).json["total"]
    assert ["1TWN002"] == [item["license"]["plateNr"] for item in get(vin=twin.vin, unifier="02").json["items"]]


@pytest.mark.parametrize(
    "query",
    [
        {"plateNr": "9ZZZ999"},
        {"vin": BORIS_CAR.vin, "unifier": "02"},
        {"vin": GONE.vin},
        {"nationalNr": "99691600243"},
        {"companyNr": "0206731645"},
        {"plateNr": "1ANA003", "dateTime": "2012-06-01T00:00:00Z"},
    ],
)
def test_no_hit_is_204_without_body(get: Any, query: dict[str, str]) -> None:
    answer = get(**query)

    assert (204, b"") == (answer.status, answer.body)


def test_a_handed_in_plate_is_not_an_unknown_plate(get: Any) -> None:
    answer = get(plateNr="1OUT001")

    assert (404, "40131") == (answer.status, answer.json["code"])


def test_a_handed_in_plate_was_valid_while_it_lasted(get: Any) -> None:
    on = {
        moment: get(plateNr="1OUT001", dateTime=f"{moment}T10:00:00+01:00").status
        for moment in ("2024-02-29", "2024-03-01")
    }

    assert {"2024-02-29": 200, "2024-03-01": 204} == on


def test_a_holder_gets_all_plates_page_by_page_and_none_twice(get: Any) -> None:
    query = {"nationalNr": ANNA, "pageSize": "2"}
    plates, sizes = [], []
    while True:
        page = get(**query).json
        plates += [item["license"]["plateNr"] for item in page["items"]]
        sizes.append(len(page["items"]))
        if "next" not in page:
            break
        query = dict(parse_qsl(urlsplit(page["next"]).query))

    assert [one.plate for one in ANNA_CARS] == plates
    assert ([2, 2, 1], 5) == (sizes, page["total"])


def test_a_cursor_of_another_question_is_refused(get: Any) -> None:
    page = get(nationalNr=ANNA, pageSize="2").json
    after = dict(parse_qsl(urlsplit(page["next"]).query))["after"]

    assert 400 == get(nationalNr=BORIS, pageSize="2", after=after).status


def test_a_leased_car_has_an_enterprise_for_titular_and_a_driver(get: Any) -> None:
    item = get("registrationsTitular", plateNr="1LEA001").json["items"][0]

    assert (ANNA, "RRN") == (item["driver"]["person"]["nationalNr"], item["driver"]["source"])
    assert "Y" == item["titular"]["organisation"]["isLeaseCompany"]
    assert item["titular"]["organisation"]["companyNr"] == {"identificator": FLEET}


def test_registrations_never_shows_a_driver(get: Any) -> None:
    assert ANNA.encode() not in get(plateNr="1LEA001").body


def test_who_has_no_belgian_address_has_no_address(get: Any, garage: Garage) -> None:
    garage.people[ANNA] = replace(
        garage.people[ANNA], residences=(Residence("struck_off", None, None, None, "2022-01-01"),)
    )
    contact = get(plateNr="1ANA000").json["items"][0]["titular"]["contactInfo"]

    assert {"@type"} == set(contact)


# --- lies -------------------------------------------------------------------------------------------------------


def test_over_delivery_adds_what_nobody_asked(get: Any) -> None:
    true = get(plateNr="MIJNAUTO").json["items"][0]
    item = get(plateNr="MIJNAUTO", fault="over_delivery").json["items"][0]

    assert {"birthDate", "civilStates", "nationalities"} <= set(item["titular"]["person"]) - set(
        true["titular"]["person"]
    )
    assert {"previousPlates", "insurance", "otherPlates"} <= set(item) - set(true)
    assert {name: item[name] for name in ("license", "vehicle")} == {
        name: true[name] for name in ("license", "vehicle")
    }


@pytest.mark.parametrize("collection", ["registrations", "registrationsTitular"])
@pytest.mark.parametrize(
    "query", [{"plateNr": "1ANA000"}, {"plateNr": "MIJNAUTO"}, {"nationalNr": BORIS}, {"vin": LEASED.vin}]
)
def test_wrong_subject_is_somebody_elses_registration(get: Any, collection: str, query: dict[str, str]) -> None:
    body = get(collection, fault="wrong_subject", **query).json
    held = body["items"][0]["titular"]
    licence, vehicle = (body["items"][0] if collection == "registrations" else held)["license"], held.get("vehicle")
    shown = json.dumps([held.get("person"), licence["plateNr"], vehicle])

    assert next(iter(query.values())) not in shown


def test_wrong_subject_does_not_invent_a_hit(get: Any) -> None:
    assert 204 == get(plateNr="9ZZZ999", fault="wrong_subject").status


def test_throttling_is_an_ordinary_200(get: Any) -> None:
    answer = get(plateNr="MIJNAUTO", fault="throttled")

    assert (
        200,
        [],
        "99996",
    ) == (answer.status, answer.json["items"], answer.json["uitzonderingen"][0]["identificatie"])


# --- the published answers --------------------------------------------------------------------------------------


def leaves(document: Any, path: str = "") -> dict[str, set[str]]:
    """Every leaf path with the JSON types seen there; numbers are one type in JSON."""
    if isinstance(document, dict):
        parts = [leaves(value, f"{path}.{name}") for name, value in document.items()]
    elif isinstance(document, list):
        parts = [leaves(value, path + "[]") for value in document]
    else:
        kind = {bool: "boolean", str: "string", type(None): "null"}.get(type(document), "number")
        return {path: {kind}}
    merged: dict[str, set[str]] = {}
    for part in parts:
        for name, kinds in part.items():
            merged.setdefault(name, set()).update(kinds)
    return merged


def published(folder: Path) -> dict[str, set[str]]:
    return leaves([json.loads(one.read_bytes()) for one in sorted(folder.glob("*.json"))])


@pytest.mark.shared
@pytest.mark.parametrize(
    ("collection", "folder", "query"),
    [
        ("registrations", "registrations", {"plateNr": "1ANA000"}),
        ("registrations", "registrations", {"plateNr": "1LEA001"}),
        ("registrationsTitular", "registrationstitular", {"plateNr": "1ANA000"}),
        ("registrationsTitular", "registrationstitular", {"plateNr": "1LEA001"}),
    ],
)
def test_every_leaf_has_the_type_that_was_published(
    get: Any, contracts: Path, collection: str, folder: str, query: dict[str, str]
) -> None:
    theirs, ours = published(contracts / "div/files" / folder), leaves([get(collection, **query).json])
    # `organisation` does not occur among the published titular answers; it is the one of registrations.
    theirs = published(contracts / "div/files/registrations") | theirs
    wrong = {path: kinds for path, kinds in ours.items() if path in theirs and not kinds <= theirs[path]}

    assert {} == wrong
    assert len([path for path in ours if path in theirs]) > 40


@pytest.mark.shared
def test_registrations_invents_no_leaf_and_misses_no_common_one(get: Any, contracts: Path) -> None:
    files = sorted((contracts / "div/files/registrations").glob("*.json"))
    theirs = [set(leaves(json.loads(one.read_bytes()))) for one in files]
    person_like = [paths for paths in theirs if ".items[].titular.person.birthYear" in paths]
    ours = set(leaves(get(plateNr="1ANA000").json))

    assert set() == ours - set.union(*theirs)
    assert set() == set.intersection(*person_like) - ours


@pytest.mark.shared
@pytest.mark.parametrize(
    ("collection", "sample"),
    [("registrations", "registrations/1ABC123.json"), ("registrationsTitular", "registrationstitular/1ABC123.json")],
)
def test_the_envelope_has_the_published_keys(get: Any, contracts: Path, collection: str, sample: str) -> None:
    theirs = json.loads((contracts / "div/files" / sample).read_bytes())
    ours = get(collection, plateNr="1LEA001").json

    assert set(theirs) == set(ours)
    assert theirs["@context"] == ours["@context"]
    assert set(theirs["items"][0]) - set(ours["items"][0]) <= {"driver"}
