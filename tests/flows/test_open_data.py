"""The open door over loopback: hub and mock sources as programs of their own, and somebody who does not say who he is."""

from __future__ import annotations

import httpx
import pytest

from tests.flows.ledgers import Book

ADDRESSES = {"postCode": "1050", "streetName": "Voorbeeldstraat", "houseNumber": "12"}


@pytest.fixture
def anybody(hub):
    with httpx.Client(base_url=hub.hub, timeout=20) as client:
        yield client


def test_anybody_finds_an_address_and_the_ledger_says_that_nobody_in_particular_did(anybody, ledger: Book):
    answer = anybody.get("/open/v1/addresses", params=ADDRESSES)

    assert 200 == answer.status_code, answer.text
    assert {"nl": "Voorbeeldstraat"}.items() <= answer.json()["items"][0]["streetName"].items()
    print(answer.headers)
