"""BeSt Address: trace ids, ids in paths, names with stars and accents, pages, embedding, positions, refusals, lies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import pytest

from mock_sources.sources.best.app import BelgianAddress
from mock_sources.sources.best.geo import lambert72, wgs84
from mock_sources.sources.best.ids import identifier
from mock_sources.sources.best.spelling import Spellings, fold
from mock_sources.world.facts import Names

BASE = "/belgianAddress/v2/"


@pytest.fixture(scope="module")
def best(world: Any) -> BelgianAddress:
    return BelgianAddress(world)


@pytest.fixture
def get(best: BelgianAddress, ask: Any) -> Any:
    """get(collection or path, **query) with a trace id."""

    def call(path: str, fault: str | None = None, headers: dict[str, str] | None = None, **query: str) -> Any:
        sent = {"BelGov-Trace-Id": "trace-1", "Host": "best.test"} if headers is None else headers
        return ask(best, "GET", path if path.startswith("/") else BASE + path, query=query, headers=sent, fault=fault)

    return call


@pytest.fixture
def street(world: Any) -> Any:
    return next(world.streets(nis="21009"))


def follow(link: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(link).query))


# --- trace ids and paths ----------------------------------------------------------------------------------------


def test_every_answer_has_a_trace_id_of_its_own_and_names_the_callers(get: Any) -> None:
    first, second = (get("municipalities").headers for _ in range(2))

    assert first["belgov-trace-id"] != second["belgov-trace-id"]
    assert ("trace-1", 36) == (first["belgov-related-trace-id"], len(first["belgov-trace-id"]))


@pytest.mark.parametrize(
    "headers", [{}, {"BelGov-Trace-Id": ""}, {"BelGov-Trace-Id": "x" * 37}, {"BelGov-Trace-Id": "a b"}]
)
def test_without_a_good_trace_id_nothing_is_answered(get: Any, headers: dict[str, str]) -> None:
    refused = get("municipalities", headers=headers)

    assert (400, "BelGov-Trace-Id") == (refused.status, refused.json["issues"][0]["name"])
    assert "belgov-trace-id" in refused.headers


def test_health_needs_no_trace_id(get: Any) -> None:
    assert (200, {"status": "UP"}) == ((answer := get("/health", headers={})).status, answer.json)


@pytest.mark.parametrize(
    ("collection", "kind", "number"),
    [("municipalities", "municipality", 21009), ("postalInfos", "postalinfo", 1050), ("streets", "streetname", 90000)],
)
def test_an_object_is_found_under_its_encoded_id(get: Any, collection: str, kind: str, number: int) -> None:
    name = identifier(kind, number)

    assert name == get(f"{collection}/{quote(name, safe='')}").json["id"]


@pytest.mark.parametrize(
    "path",
    [
        "streets/" + identifier("streetname", 90000),  # not encoded
        "streets/" + quote(identifier("streetname", 90000)[:-1] + "9", safe=""),  # another version
        "streets/" + quote(identifier("streetname", 99), safe=""),
        "streets/" + quote(identifier("municipality", 21009), safe=""),  # another kind
        "streets/90000",
        "houses",
        "../health",
    ],
)
def test_an_id_that_is_none_is_404(get: Any, path: str) -> None:
    assert (404, "urn:problem-type:belgif:resourceNotFound") == ((no := get(path)).status, no.json["type"])


def test_what_is_not_a_get_is_refused(best: BelgianAddress, ask: Any) -> None:
    assert 405 == ask(best, "POST", BASE + "streets", headers={"BelGov-Trace-Id": "a"}).status


# --- questions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("collection", "query", "kind", "name"),
    [
        ("streets", {"colour": "red"}, "unknownInput", "colour"),
        ("streets", {"streetName": "x"}, "unknownInput", "streetName"),
        ("streets", {"nisCode": "2100"}, "schemaViolation", "nisCode"),
        ("streets", {"postCode": "1050A"}, "schemaViolation", "postCode"),
        ("streets", {"name": "**"}, "schemaViolation", "name"),
        ("streets", {"municipalityId": "21009"}, "schemaViolation", "municipalityId"),
        ("streets", {"page": "0"}, "schemaViolation", "page"),
        ("streets", {"pageSize": "101"}, "schemaViolation", "pageSize"),
        ("streets", {"embed": "yes"}, "schemaViolation", "embed"),
        ("addresses", {}, "anyOfExpected", "streetId,streetName,postCode,nisCode,municipalityName"),
        ("addresses", {"houseNumber": "1"}, "anyOfExpected", "streetId,streetName,postCode,nisCode,municipalityName"),
        ("addresses", {"postCode": "1050", "xLong": "4.3"}, "zeroOrAllOfExpected", "xLong,yLat,radius"),
        ("addresses", {"postCode": "1050", "crs": "lam72"}, "zeroOrAllOfExpected", "xLong,yLat,radius,crs"),
        ("addresses", {"streetId": identifier("address", 9000000)}, "schemaViolation", "streetId"),
        ("addresses", {"postCode": "1050", "houseNumber": "1; drop"}, "schemaViolation", "houseNumber"),
    ],
)
def test_a_bad_question_names_the_parameter(
    get: Any, collection: str, query: dict[str, str], kind: str, name: str
) -> None:
    refused = get(collection, **query)

    assert 400 == refused.status
    assert (kind, name) in [(one["type"].rsplit(":", 1)[1], one["name"]) for one in refused.json["issues"]]


def test_all_nineteen_municipalities_have_names_and_codes(get: Any) -> None:
    body = get("municipalities").json

    assert {f"210{n:02d}" for n in range(1, 20)} == {item["nisCode"] for item in body["items"]}
    assert (19, 19, 1) == (body["total"], len(body["items"]), body["totalPages"])
    assert {"fr", "nl"} == set(body["items"][0]["name"])


@pytest.mark.shared
def test_municipalities_and_postcodes_are_the_published_ones(get: Any, contracts: Path) -> None:
    rows = (contracts / "codes/brussels_municipalities.csv").read_text("utf-8").splitlines()[1:]
    theirs = {nis: {"fr": fr, "nl": nl} for nis, fr, nl, *_ in (row.split(",") for row in rows)}
    codes = {code for row in rows for code in row.split(",")[3].split()}

    assert theirs == {item["nisCode"]: item["name"] for item in get("municipalities").json["items"]}
    assert codes == {item["postCode"] for item in get("postalInfos").json["items"]}


def test_a_postcode_does_not_tell_the_municipality(get: Any) -> None:
    found = {item["nisCode"] for item in get("municipalities", postCode="1050").json["items"]}

    assert {"21004", "21009"} == found


def test_a_part_of_town_has_its_own_postal_name(get: Any) -> None:
    assert [{"fr": "Laeken", "nl": "Laken"}] == [
        item["name"] for item in get("postalInfos", postCode="1020").json["items"]
    ]
    assert {"1000", "1020", "1050", "1120", "1130"} == {
        item["postCode"] for item in get("postalInfos", nisCode="21004").json["items"]
    }


@pytest.mark.parametrize("spelled", ["nl", "fr", "upper", "bare"])
def test_a_street_is_found_in_either_language_whatever_the_capitals(get: Any, street: Any, spelled: str) -> None:
    names = street.names
    wanted = {"nl": names.nl, "fr": names.fr, "upper": names.fr.upper(), "bare": fold(names.fr)}[spelled]
    found = get("streets", name=wanted, nisCode="21009").json["items"]

    assert identifier("streetname", street.id) in [item["id"] for item in found]


def test_stars_find_a_part_of_a_name(get: Any, street: Any) -> None:
    part = street.names.nl[2:-2]
    found = get("streets", name=f"*{part}*", nisCode="21009").json

    assert found["total"] >= 1
    assert all(
        fold(part) in fold(item["name"]["nl"]) or fold(part) in fold(item["name"]["fr"]) for item in found["items"]
    )


def test_a_wave_forgives_a_slip(get: Any, street: Any) -> None:
    slip = street.names.nl[:3] + street.names.nl[4:]
    found = get("streets", name=f"~{slip}", nisCode="21009").json["items"]

    assert get("streets", name=slip, nisCode="21009").json["total"] == 0
    assert identifier("streetname", street.id) in [item["id"] for item in found]


def test_streets_of_a_municipality_by_code_and_by_id_are_the_same(get: Any) -> None:
    by_code = get("streets", nisCode="21014").json
    by_id = get("streets", municipalityId=identifier("municipality", 21014)).json

    assert by_code["items"] == by_id["items"]
    assert by_code["total"] > 10


def test_pages_hold_everything_once(get: Any) -> None:
    query, seen, pages = {"nisCode": "21014", "pageSize": "7"}, [], 0
    while True:
        page = get("streets", **query).json
        seen += [item["id"] for item in page["items"]]
        pages += 1
        if "next" not in page:
            break
        query = follow(page["next"])

    assert (page["total"], page["totalPages"]) == (len(seen), pages)
    assert len(seen) == len(set(seen))
    assert "prev" in page


def test_a_page_past_the_end_is_empty_not_an_error(get: Any) -> None:
    page = get("streets", nisCode="21014", page="999").json

    assert ([], False) == (page["items"], "next" in page)


# --- addresses --------------------------------------------------------------------------------------------------


def test_a_house_is_found_by_street_and_number(get: Any, world: Any, street: Any) -> None:
    known = list(world.addresses(street.id, "4"))
    found = get("addresses", streetId=identifier("streetname", street.id), houseNumber="4").json

    assert [identifier("address", one.id) for one in known] == [item["id"] for item in found["items"]]
    assert ["1", "2", "3"] == [item["boxNumber"] for item in found["items"]]


def test_a_box_narrows_it_to_one(get: Any, street: Any) -> None:
    query = {"streetId": identifier("streetname", street.id), "houseNumber": "4", "boxNumber": "2"}

    assert 1 == get("addresses", **query).json["total"]


@pytest.mark.parametrize("where", ["street", "name", "municipality"])
def test_addresses_by_page_are_all_there_once(get: Any, world: Any, street: Any, where: str) -> None:
    narrow = {
        "street": {"streetId": identifier("streetname", street.id)},
        "name": {"streetName": street.names.fr, "municipalityName": "elsene"},
        "municipality": {"nisCode": "21014", "postCode": "1210"},
    }[where]
    first = get("addresses", **narrow).json
    second = get("addresses", **narrow, page="2").json
    ids = [item["id"] for item in first["items"] + second["items"]]

    assert (100, len(ids)) == (len(first["items"]), len(set(ids)))
    assert first["total"] == second["total"]
    assert -(-first["total"] // 100) == first["totalPages"]


def test_every_address_of_a_street_comes_in_its_order(get: Any, world: Any, street: Any) -> None:
    query: dict[str, str] = {"streetId": identifier("streetname", street.id), "pageSize": "50"}
    seen: list[str] = []
    while query:
        page = get("addresses", **query).json
        seen += [item["id"] for item in page["items"]]
        query = follow(page["next"]) if "next" in page else {}

    assert [identifier("address", one.id) for one in world.addresses(street.id)] == seen


def test_embedding_gives_what_the_items_point_to(get: Any, street: Any) -> None:
    query = {"streetId": identifier("streetname", street.id), "houseNumber": "4"}
    plain, whole = get("addresses", **query).json, get("addresses", **query, embed="true").json
    pointed = {item[name]["href"] for item in whole["items"] for name in item if name.startswith("has")}

    assert "embedded" not in plain
    assert pointed == set(whole["embedded"])
    assert all(place == thing["href"] for place, thing in whole["embedded"].items())
    assert street.names.fr in [thing["name"]["fr"] for thing in whole["embedded"].values()]


def test_hrefs_carry_the_whole_id_encoded(get: Any, street: Any) -> None:
    item = get("addresses", streetId=identifier("streetname", street.id), houseNumber="1").json["items"][0]
    place = item["hasStreetName"]["href"]

    assert identifier("streetname", street.id) == unquote(place.removeprefix(BASE + "streets/"))
    assert place == get(place).json["href"]


def test_self_is_absolute_on_the_callers_host(get: Any) -> None:
    assert get("streets", nisCode="21014").json["self"] == "http://best.test/belgianAddress/v2/streets?nisCode=21014"


def test_an_unpositioned_address_lies_in_france(best: BelgianAddress, get: Any, world: Any) -> None:
    lost = next(
        one for street in world.streets(nis="21014") for one in world.addresses(street.id) if not one.positioned
    )
    position = get(f"addresses/{quote(identifier('address', lost.id), safe='')}").json["addressPosition"]

    assert {"x": 0.0, "y": 0.0} == position["lambert72"]
    assert (49, 2) == (int(position["wgs84"]["lat"]), int(position["wgs84"]["long"]))


@pytest.mark.parametrize("crs", ["lam72", "wgs84"])
def test_a_point_and_a_radius_find_the_neighbours_and_no_lost_ones(get: Any, world: Any, street: Any, crs: str) -> None:
    home = next(one for one in world.addresses(street.id) if one.positioned)
    lat, long = wgs84(home.x, home.y)
    x, y = (home.x, home.y) if crs == "lam72" else (round(long, 7), round(lat, 7))
    found = get(
        "addresses",
        nisCode="21009",
        streetId=identifier("streetname", street.id),
        crs=crs,
        xLong=str(x),
        yLat=str(y),
        radius="30",
    ).json
    expected = {
        identifier("address", one.id)
        for one in world.addresses(street.id)
        if one.positioned and (one.x - home.x) ** 2 + (one.y - home.y) ** 2 <= 900
    }

    assert expected == {item["id"] for item in found["items"]}
    assert 1 < len(expected) < len(list(world.addresses(street.id)))


# --- spelling and the grids -------------------------------------------------------------------------------------


def test_names_are_found_by_part_by_slip_and_not_at_random() -> None:
    book = Spellings([(1, Names("Kerkstraat", "Rue de l’Église")), (2, Names("Lindelaan", "Avenue des Tilleuls"))])

    assert ([1], [1], []) == (book.find("RUE DE L'EGLISE"), book.find("kerkstraat"), book.find("kerk"))
    assert ([1], [2], [1, 2]) == (book.find("kerk*"), book.find("*tilleul*"), book.find("*e*"))
    assert ([1], [2], []) == (book.find("~kerkstrat"), book.find("~avenue tilleuls"), book.find("~zzz"))


def test_a_star_is_no_regular_expression() -> None:
    assert [] == Spellings([(1, Names("Kerkstraat", "Rue"))]).find("*.[a-z]+*")


def test_the_national_institutes_own_example_comes_out_within_a_metre() -> None:
    # longitude, latitude and Lambert 72 as its own software converts them
    x, y = lambert72("wgs84", 4.468493, 50.856057)

    assert (0, 0) == (round(x - 157022.870), round(y - 171745.084))


def test_there_and_back_is_the_same_place() -> None:
    lat, long = wgs84(150_000.0, 170_000.0)
    x, y = lambert72("wgs84", long, lat)

    assert (150_000.0, 170_000.0) == (round(x, 2), round(y, 2))


def test_the_two_lambert_grids_lie_half_a_million_metres_apart() -> None:
    x, y = lambert72("lam08", 650_000.0, 670_000.0)

    assert (150_000, 170_000) == (round(x, -1), round(y, -1))


# --- lies -------------------------------------------------------------------------------------------------------


def test_over_delivery_embeds_and_adds_unasked(get: Any, street: Any) -> None:
    query = {"streetId": identifier("streetname", street.id), "houseNumber": "4"}
    true, body = get("addresses", **query).json, get("addresses", fault="over_delivery", **query).json

    assert "embedded" in body
    assert {"isAssignedToAddressableObject", "assignedBy"} <= set(body["items"][0]) - set(true["items"][0])


@pytest.mark.parametrize(
    ("collection", "query"),
    [
        ("addresses", {"nisCode": "21009", "houseNumber": "4"}),
        ("streets", {"nisCode": "21009"}),
        ("municipalities", {"nisCode": "21009"}),
        ("municipalities", {"nisCode": "21001"}),
        ("postalInfos", {"postCode": "1083"}),
    ],
)
def test_wrong_subject_is_another_object_of_the_same_kind(get: Any, collection: str, query: dict[str, str]) -> None:
    true, lie = get(collection, **query).json["items"], get(collection, fault="wrong_subject", **query).json["items"]

    assert (1, set(true[0])) == (len(lie), set(lie[0]) | {"boxNumber"} & set(true[0]))
    assert lie[0]["id"] not in {item["id"] for item in true}
    assert "hasMunicipality" not in lie[0] or lie[0]["hasMunicipality"] != true[0]["hasMunicipality"]


def test_wrong_subject_also_answers_for_one_id(get: Any) -> None:
    path = f"streets/{quote(identifier('streetname', 90000), safe='')}"

    assert get(path).json["id"] != get(path, fault="wrong_subject").json["id"]


def test_throttling_is_an_ordinary_200(get: Any) -> None:
    answer = get("streets", fault="throttled", nisCode="21014")

    assert (200, "application/json", 429) == (answer.status, answer.headers["content-type"], answer.json["status"])


# --- the documented answer --------------------------------------------------------------------------------------


@pytest.mark.shared
def test_the_documented_shape_is_ours(get: Any, street: Any, contracts: Path) -> None:
    theirs = json.loads((contracts / "samples-written/best_addresses_response.json").read_bytes())
    ours = get("addresses", streetId=identifier("streetname", street.id), houseNumber="4", embed="true").json
    kinds = {key: type(value) for key, value in theirs.items()}

    assert kinds == {key: type(ours[key]) for key in theirs}
    assert _shape(theirs["items"][0]) <= _shape(ours["items"][0])
    for place, thing in theirs["embedded"].items():
        collection = place.removeprefix(BASE).split("/")[0]
        same = next(held for key, held in ours["embedded"].items() if key.startswith(BASE + collection))
        assert _shape(thing) <= _shape(same)


def _shape(document: Any, path: str = "") -> set[tuple[str, str]]:
    if isinstance(document, dict):
        return set().union(*(_shape(value, f"{path}.{name}") for name, value in document.items()))
    return {(path, type(document).__name__)}
