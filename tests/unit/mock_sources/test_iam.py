"""The three issuers for rehearsals speak as the real ones do, of people who do not exist."""

from __future__ import annotations

import json
import re

import jwt
import pytest

from mock_sources.iam.vouching import MANNERS, Vouching, feed, staff

NOW = 1_795_000_000.0


@pytest.mark.parametrize("name", MANNERS)
def test_a_token_is_signed_with_the_published_key_and_says_who(name: str) -> None:
    issuer = Vouching(name, lambda: NOW)
    token = issuer.token(f"http://mocks/{name}", "an.peeters")
    [published] = issuer.keys()["keys"]

    claims = jwt.decode(
        token,
        jwt.PyJWK(published).key,
        [published["alg"]],
        audience="integrator",
        options={"verify_exp": False, "verify_iat": False},
    )

    assert staff()["an.peeters"][issuer.manner.source] == claims[issuer.manner.claim]
    assert "d" not in published


def test_nobody_bears_the_numbers_of_the_staff() -> None:
    for one in staff().values():
        number = one["number"]
        assert re.fullmatch(r"\d{2}(6[1-9]|7[0-2])\d{7}", number)
        assert 97 - int(number[:9]) % 97 == int(number[9:])


def test_keys_change_when_told() -> None:
    issuer = Vouching("iam", lambda: NOW)
    before = issuer.keys()
    issuer.rotate()

    assert before["keys"][0]["kid"] != issuer.keys()["keys"][0]["kid"]


def test_a_feed_holds_one_organisation() -> None:
    told = feed("1992100975")

    assert 3 == len(told["Operations"])
    assert "dries" not in json.dumps(told)
