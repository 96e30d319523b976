"""The open door over loopback: hub and mock sources as programs of their own, and somebody who does not say who he is."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import time

import httpx
import pytest

from integrator import settings as settings_module
from integrator.commands import opendata
from integrator.database import Database
from integrator.opened.published import ROOM, Published
from tests.flows.conftest import SetFault
from tests.flows.ledgers import Book
from tests.flows.sandboxes import Callers, beside

ADDRESSES = {"postCode": "1050", "streetName": "Voorbeeldstraat", "houseNumber": "12"}
COMPANY, BAKER = "1800001185", "1800001086"  # a company, and a natural person with something to hide
ANYONE = "1970001407"


@pytest.fixture
def anybody(hub):
    with httpx.Client(base_url=hub.hub, timeout=20) as client:
        yield client


def test_anybody_finds_an_address_and_the_ledger_says_that_nobody_in_particular_did(anybody, ledger: Book):
    start = ledger.size()
    answer = anybody.get("/open/v1/addresses", params={**ADDRESSES, "houseNumber": "11"})
    entries = [one for one in ledger.since(start) if one["trace_id"] == answer.headers["belgov-trace-id"]]

    assert 200 == answer.status_code, answer.text
    assert [("intent", ANYONE), ("outcome", ANYONE)] == [(one["type"], one["consumer"]["org"]) for one in entries]
    assert "system" == entries[0]["initiator"]


def test_the_same_question_soon_after_is_given_the_recorded_copy(anybody, ledger: Book):
    first = anybody.get("/open/v1/addresses", params=ADDRESSES)
    size = ledger.size()
    again = anybody.get("/open/v1/addresses", params=ADDRESSES)

    assert (first.content, first.headers["integrator-ledger-entries"], size) == (
        again.content, again.headers["integrator-ledger-entries"], ledger.size()
    )  # fmt: skip


def test_who_has_it_already_is_told_so_without_being_given_it_again(anybody):
    first = anybody.get("/open/v1/addresses", params=ADDRESSES)
    by_tag = anybody.get("/open/v1/addresses", params=ADDRESSES, headers={"if-none-match": first.headers["etag"]})
    by_date = anybody.get(
        "/open/v1/addresses", params=ADDRESSES, headers={"if-modified-since": first.headers["last-modified"]}
    )
    other_form = anybody.get(
        "/open/v1/addresses", params={**ADDRESSES, "format": "csv"}, headers={"if-none-match": first.headers["etag"]}
    )

    assert [(304, b""), (304, b""), 200] == [
        (by_tag.status_code, by_tag.content), (by_date.status_code, by_date.content), other_form.status_code
    ]  # fmt: skip
    assert first.headers["etag"] == by_tag.headers["etag"]


def test_json_says_how_it_is_linked_data_and_csv_is_a_table(anybody):
    plain = anybody.get("/open/v1/addresses", params=ADDRESSES)
    linked = anybody.get("/open/v1/addresses", params=ADDRESSES, headers={"accept": "application/ld+json"})
    table = anybody.get("/open/v1/addresses", params=ADDRESSES, headers={"accept": "text/csv"})
    rows = list(csv.DictReader(io.StringIO(table.text)))

    assert "/open/v1/context.jsonld" == linked.json()["@context"]
    assert 'rel="http://www.w3.org/ns/json-ld#context"' in plain.headers["link"]
    assert plain.json()["items"][0]["streetName"]["nl"] == rows[0]["streetName.nl"]
    assert len(plain.json()["items"]) == len(rows)
    assert "@context" in anybody.get("/open/v1/context.jsonld").json()


def test_pages_are_linked(anybody):
    first = anybody.get(
        "/open/v1/addresses", params={"postCode": "1050", "streetName": "Voorbeeldstraat", "pageSize": 1}
    )
    assert first.json()["isComplete"] is False
    second = anybody.get(first.links["next"]["url"])

    assert first.json()["items"] != second.json()["items"]
    assert "page=1" in second.links["prev"]["url"]


def test_a_page_of_another_site_may_read_it(anybody):
    answer = anybody.get("/open/v1/municipalities", headers={"origin": "https://elsewhere.example"})
    asked = anybody.options("/open/v1/addresses", headers={"access-control-request-method": "GET"})

    assert ("*", "cross-origin") == (
        answer.headers["access-control-allow-origin"], answer.headers["cross-origin-resource-policy"]
    )  # fmt: skip
    assert (204, "GET, HEAD, OPTIONS") == (asked.status_code, asked.headers["access-control-allow-methods"])
    assert "set-cookie" not in answer.headers
    assert anybody.head("/open/v1/municipalities").content == b""


def test_a_company_is_open_and_the_baker_is_unknown(anybody):
    company = anybody.get(f"/open/v1/enterprises/{COMPANY}")
    baker = anybody.get(f"/open/v1/enterprises/{BAKER}")
    nobody = anybody.get("/open/v1/enterprises/1800009994")

    assert COMPANY == company.json()["enterpriseNumber"]
    assert (404, 404) == (baker.status_code, nobody.status_code)
    known = ("type", "title", "status", "detail", "code", "source")
    assert [nobody.json().get(name) for name in known] == [
        baker.json().get(name) for name in known
    ]  # not a sign of him


def test_a_search_by_name_says_nothing_of_a_natural_person(anybody):
    found = anybody.get("/open/v1/enterprises", params={"name": "Mésange"})

    assert 200 == found.status_code
    assert BAKER not in found.text


@pytest.mark.parametrize("path", ["persons/get", "households/get", "person/v1/persons/get", "../person/v1/persons/get"])
def test_there_is_no_person_at_the_open_door(anybody, path, ledger: Book):
    start = ledger.size()
    answer = anybody.request("GET", f"/open/v1/{path}")

    assert (404, start) == (answer.status_code, ledger.size())


def test_a_national_number_in_the_address_is_refused_unread(anybody):
    answer = anybody.get("/open/v1/addresses/84651797654")

    assert 400 == answer.status_code
    assert "84651797654" not in answer.text


def test_a_token_for_the_open_purpose_opens_nothing_else(doors: Callers, ledger: Book):
    """Nobody but anybody has it: an application that asks its own services for it is refused, and recorded."""
    start = ledger.size()
    refused = doors.ask("address.search", {"postCode": "1050", "streetName": "Voorbeeldstraat"}, purpose="open_data")

    assert 403 == refused.status
    assert ["denied"] == [one["type"] for one in ledger.since(start)]


def test_a_source_that_is_down_is_no_empty_list(anybody, fault: SetFault):
    fault("best", "reset")
    answer = anybody.get("/open/v1/streets", params={"postCode": "1030"})

    assert (503, "*") == (answer.status_code, answer.headers["access-control-allow-origin"])
    assert int(answer.headers["retry-after"]) > 0


def test_what_is_not_asked_for_properly_says_where(anybody):
    for query in (
        {"postCode": "1050"},
        {**ADDRESSES, "history": "true"},
        {**ADDRESSES, "dossierReference": "X"},
        {**ADDRESSES, "format": "xls"},
    ):
        answer = anybody.get("/open/v1/addresses", params=query)
        assert (400, "*") == (answer.status_code, answer.headers["access-control-allow-origin"])


def test_the_catalogue_leads_to_every_data_set(anybody):
    answer = anybody.get("/open/v1/catalog")
    catalogue = answer.json()

    assert "application/ld+json" == answer.headers["content-type"]
    assert {"addresses", "enterprises", "exchanges"} <= {one["dct:identifier"] for one in catalogue["dcat:dataset"]}
    for one in catalogue["dcat:dataset"]:
        assert {"nl", "fr", "en"} == {title["@language"] for title in one["dct:title"]}
        for distribution in one["dcat:distribution"]:
            assert anybody.get(distribution["dcat:accessURL"]["@id"]).status_code in (200, 400)  # 400: which street?


def test_figures_of_a_month_are_published_once_and_everybody_sees_them(anybody, hub, hub_settings, monkeypatch, capsys):
    for number in range(12):
        anybody.get("/open/v1/addresses", params={**ADDRESSES, "houseNumber": str(100 + number)})
    monkeypatch.setattr(settings_module, "load", lambda local=None: hub_settings)
    month, later = (
        time.strftime("%Y-%m", time.gmtime()),
        time.strftime("%Y-%m-%d", time.gmtime(time.time() + 40 * 86_400)),
    )
    parser = _parser()

    assert 0 == opendata.run(parser.parse_args(["open", "publish", "--as-of", later]))
    listed = anybody.get("/open/v1/statistics/exchanges").json()["items"]
    figures = anybody.get(f"/open/v1/statistics/exchanges/{month}")
    assert [month] == [one["period"] for one in listed]
    items = figures.json()["items"]
    assert any({"exchanges"} == one.keys() for one in items)  # the total of all
    assert [] == [one for one in items if one["exchanges"] < 10 or one["exchanges"] % 5]

    anybody.get("/open/v1/addresses", params={**ADDRESSES, "houseNumber": "200"})
    assert 0 == opendata.run(parser.parse_args(["open", "publish", "--as-of", later]))
    assert "nothing to publish" in capsys.readouterr().out
    assert figures.content == anybody.get(f"/open/v1/statistics/exchanges/{month}").content
    assert 404 == anybody.get("/open/v1/statistics/exchanges/2020-01").status_code


def _parser():
    import argparse

    parser = argparse.ArgumentParser()
    opendata.add(parser.add_subparsers())
    return parser


def test_figures_are_never_published_before_their_time_in_production(tmp_path, monkeypatch, hub_settings):
    from dataclasses import replace

    from integrator.errors import ConfigurationError

    real = replace(
        hub_settings, mode="production", opened={**hub_settings.opened, "database": f"sqlite:///{tmp_path}/o.db"}
    )
    monkeypatch.setattr(settings_module, "load", lambda local=None: real)
    with pytest.raises(ConfigurationError):
        opendata.run(_parser().parse_args(["open", "publish", "--as-of", "2030-01-01"]))

    assert [] == Published(Database(real.opened["database"], ROOM)).periods("exchanges")


@pytest.fixture
def another(hub, tmp_path):
    """A hub with another open door; its own minute, so that nobody else waits."""
    with contextlib.ExitStack() as stack:

        def started(**opened):
            other = stack.enter_context(beside(hub, tmp_path / "state", opened=opened))
            return stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{other.settings.port}", timeout=20))

        yield started


def test_one_network_that_asks_without_end_is_told_to_wait(another):
    client = another(perMinute=5)
    statuses = [client.get("/open/v1/nothing").status_code for _ in range(12)]
    refused = client.get("/open/v1/municipalities")

    assert 429 in statuses
    assert (429, 5) == (refused.status_code, json.loads(refused.text)["limit"])
    assert 0 < int(refused.headers["retry-after"]) <= 60


def test_a_door_that_is_closed_is_not_there_and_not_described(another):
    client = another(run=False)

    assert 404 == client.get("/open/v1/municipalities").status_code
    assert [] == [path for path in client.get("/openapi.json").json()["paths"] if path.startswith("/open/")]
