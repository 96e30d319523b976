"""The cadastre: one person, one parcel, one first of January; what is not told, and to whom."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from mock_sources.assertion import CLIENT
from mock_sources.sources.cadastre.app import PLACE, TOKEN, Cadastre
from mock_sources.sources.cadastre.land import Land, parcel_of
from mock_sources.world import World

KEY = ec.generate_private_key(ec.SECP256R1())
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUSE, GARAGE = "21809A0012/00B000P0000", "21809A0019/00_000P0000"
FAMILY_HOUSE, BEFORE, AFTER = "21817A0030/00_000P0000", "21816A0070/00_000P0000", "21816A0070/00A000P0000"
OWNER, HUSBAND, TENANT = "84651797654", "82710398973", "71632295922"
WIDOW, SON, HAMSTER = "48712395950", "74642499001", "75652593554"


@pytest.fixture(scope="module")
def world() -> World:
    return World.build(today=lambda: date(2026, 11, 23))


@pytest.fixture
def call(ask: Any, world: World) -> Any:
    cadastre = Cadastre(Land(world), KEY.public_key(), lambda: NOW)
    now = int(NOW.timestamp())
    told = {"iss": CLIENT, "sub": CLIENT, "aud": f"https://x{TOKEN}", "jti": str(uuid.uuid4()), "exp": now + 60}
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    form = {"grant_type": "client_credentials", "client_assertion_type": kind}
    form["client_assertion"] = jwt.encode(told, KEY, "ES256")
    token = ask(cadastre, "POST", TOKEN, body=urlencode(form).encode()).json["access_token"]

    def go(document: Any, place: str = PLACE, method: str = "POST", **more: Any) -> Any:
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        return ask(cadastre, method, place, headers={**headers, **more.pop("headers", {})}, body=json.dumps(document).encode(), **more)  # fmt: skip

    return go


def question(ssin: str = OWNER, parcel: str = HOUSE, year: Any = 2026, **more: Any) -> dict[str, Any]:
    said = {"onBehalfOf": {"enterpriseNumber": "1970000219"}, "legalBasis": "TAX:PROPERTY", "taxYear": year}
    return {**said, "parcelId": parcel, "holder": {"ssin": ssin}, **more}


def rights(answer: Any) -> list[tuple[str, int, int]]:
    shares = [(one["right"]["code"], one["right"]["share"]) for one in answer.json["items"]]
    return [(code, share["numerator"], share["denominator"]) for code, share in shares]


@pytest.mark.parametrize(("asked", "told"), [
    (question(), [("PP", 1, 2)]), (question(HUSBAND), [("PP", 1, 2)]), (question(parcel=GARAGE), [("PP", 1, 2)]),
    (question(TENANT), []), (question(WIDOW, FAMILY_HOUSE), [("US", 1, 1)]), (question(SON, FAMILY_HOUSE), [("NP", 1, 1)]),
], ids=["half", "other_half", "second_parcel", "tenant", "usufruct", "bare_ownership"])  # fmt: skip
def test_a_person_has_the_rights_of_the_story(call: Any, asked: Any, told: Any) -> None:
    assert told == rights(call(asked))


@pytest.mark.parametrize(("parcel", "years"), [(BEFORE, [2024, 2025]), (AFTER, [2026])], ids=["before", "after"])
def test_a_parcel_that_changed_in_the_course_of_a_year_counts_as_it_was_on_its_first_day(
    call: Any, parcel: str, years: list[int]
) -> None:
    assert years == [year for year in (2024, 2025, 2026) if rights(call(question(HAMSTER, parcel, year)))]


def test_of_a_person_with_two_parcels_only_the_one_asked_about_is_told(call: Any) -> None:
    answer = call(question())

    assert [HOUSE] == [one["parcel"]["parcelId"] for one in answer.json["items"]]
    assert GARAGE not in answer.body.decode()
    assert HUSBAND not in answer.body.decode()


def test_two_derived_households_out_of_five_own_the_home_they_live_in(world: World) -> None:
    land, ranks = Land(world), range(0, 4000, 20)
    homes = [home for home in map(world.region.household, ranks) if home is not None and home.address is not None]
    owned = [home for home in homes if land.goods(home.members[0].ssin, 2026)]

    assert 0.25 < len(owned) / len(homes) < 0.5
    assert all(parcel_of(home.address) == land.goods(home.members[0].ssin, 2026)[0].parcel for home in owned)  # type: ignore[arg-type]


def test_the_shares_of_those_who_own_a_home_together_make_one(world: World) -> None:
    land = Land(world)
    for home in filter(None, map(world.region.household, range(0, 4000, 20))):
        shares = [good.share for one in home.members for good in land.goods(one.ssin, 2026)]
        assert sum(1 / whole for _, whole in shares) in (0, 1)


@pytest.mark.parametrize(("document", "status", "name"), [
    (question(legalBasis="ELSE"), 403, None), (question(year=2027), 409, None),
    (question(year=2017), 400, "/taxYear"), (question(year="2026"), 400, "/taxYear"), (question(year=True), 400, "/taxYear"),
    (question(parcel="21809A0012"), 400, "/parcelId"), (question("84651797655"), 400, "/holder/ssin"),
    (question(onBehalfOf={"enterpriseNumber": "1970000218"}), 400, "/onBehalfOf/enterpriseNumber"),
    (question(owner=OWNER), 400, "/owner"), ([], 400, ""),
    ({name: value for name, value in question().items() if name != "parcelId"}, 400, "/parcelId"),
], ids=["basis", "year_to_come", "year_before_all", "year_as_text", "year_as_yes", "no_capakey", "check_digits", "body_of_nobody",
        "unknown_member", "list", "all_goods_of_a_person"])  # fmt: skip
def test_a_question_out_of_order_is_refused_without_its_values(
    call: Any, document: Any, status: int, name: str | None
) -> None:
    refused = call(document)
    named = refused.json["issues"][0]["name"] if status == 400 else None

    assert (status, name) == (refused.status, named)
    assert OWNER not in refused.body.decode()


def test_a_stranger_a_query_and_another_method_get_nothing(ask: Any, call: Any, world: World) -> None:
    cadastre = Cadastre(Land(world), KEY.public_key(), lambda: NOW)
    stranger = ask(cadastre, "POST", PLACE, body=json.dumps(question()).encode())
    other = call(question(), headers={"content-type": "text/plain"})

    assert [401, 404, 405, 415] == [
        stranger.status, call(question(), PLACE + "/all").status, call(question(), method="GET").status, other.status,
    ]  # fmt: skip
