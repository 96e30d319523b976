"""Access tokens: believed while and as long as everything in them is still true, in every process."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from integrator.errors import UnknownCaller
from integrator.identity import keys, tokens
from integrator.identity.applications import set_disabled

BASE = "https://hub.example"


def believed(shop: Any, token: str) -> bool:
    try:
        shop.identity.verify(token)
    except UnknownCaller:
        return False
    return True


async def test_own_token_says_who_asks(shop: Any) -> None:
    caller = shop.identity.verify(await shop.token()).caller

    assert ("0207373429", "ixelles-parking", "resident_permit", None) == (
        caller.organisation,
        caller.application,
        caller.purpose,
        caller.agent,
    )


async def test_case_and_agent_come_along(shop: Any) -> None:
    token = await shop.token(
        purpose=None,
        authorization_details='[{"type":"purpose","purpose":"resident_permit","dossier":"IX-1","agent":"a.7f3"}]',
    )
    found = shop.identity.verify(token)

    assert ("IX-1", "a.7f3") == (found.dossier, found.caller.agent)


async def test_token_is_over_after_five_minutes_also_when_remembered(shop: Any) -> None:
    token = await shop.token()
    shop.identity.verify(token)
    shop.clock.now += 299
    before = believed(shop, token)
    shop.clock.now += 1
    with pytest.raises(UnknownCaller) as caught:
        shop.identity.verify(token)

    assert (True, "expiredAccessToken") == (before, caught.value.problem)


async def test_other_process_of_the_same_hub_believes_it(shop: Any) -> None:
    token = await shop.token()
    second = shop.start()
    caller = second.verify(token).caller
    second.close()

    assert "ixelles-parking" == caller.application


@pytest.mark.parametrize("before", [False, True], ids=["new", "remembered"])
async def test_deleted_application_asks_no_more(shop: Any, before: bool) -> None:
    token = await shop.token()
    if before:
        shop.identity.verify(token)
    (shop.folder / "applications" / "ixelles-parking.json").unlink()
    shop.clock.now += 1

    assert not believed(shop, token)


async def test_disabled_application_asks_no_more_until_it_may(shop: Any) -> None:
    token = await shop.token()
    shop.identity.verify(token)
    set_disabled(shop.folder / "applications", "ixelles-parking", True, "sandbox")
    shop.clock.now += 1
    during = believed(shop, token)
    set_disabled(shop.folder / "applications", "ixelles-parking", False, "sandbox")
    shop.clock.now += 1

    assert (False, True) == (during, believed(shop, token))


@pytest.mark.parametrize(
    "change",
    [{"purposes": ["permit_renewal"]}, {"organisation": "0314595348"}],
    ids=["purpose_taken_away", "other_organisation"],
)
async def test_application_that_changed_is_looked_at_again(shop: Any, change: dict[str, Any]) -> None:
    token = await shop.token()
    shop.identity.verify(token)
    path = shop.folder / "applications" / "ixelles-parking.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    shop.clock.now += 1

    assert not believed(shop, token)


async def test_application_touched_but_the_same_asks_on(shop: Any) -> None:
    token = await shop.token()
    shop.identity.verify(token)
    path = shop.folder / "applications" / "ixelles-parking.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"name": "Other title"}))
    shop.clock.now += 1

    assert believed(shop, token)


async def test_broken_application_file_stops_its_tokens_and_no_others(shop: Any) -> None:
    token = await shop.token()
    (shop.folder / "applications" / "forest-parking.json").write_text("{")
    shop.clock.now += 1

    assert believed(shop, token)
    assert {"forest-parking.json"} == set(shop.identity.applications.broken)


# --- forged ---------------------------------------------------------------------------------------------------------


class Forger:
    """Makes tokens from a true one."""

    def __init__(self, shop: Any, token: str, sign: Callable[..., str]) -> None:
        self.header, self.claims = (
            jwt.get_unverified_header(token),
            jwt.decode(token, options={"verify_signature": False}),
        )
        self.key, self.sign = shop.hub_key(), sign

    def __call__(self, header: dict[str, Any] | None = None, key: Any = None, **claims: Any) -> str:
        header = {n: v for n, v in (self.header | (header or {})).items() if v is not None}
        return self.sign(key or self.key, header, {n: v for n, v in (self.claims | claims).items() if v is not None})


@pytest.fixture
async def forger(shop: Any, forge: Callable[..., str]) -> Forger:
    return Forger(shop, await shop.token(), forge)


async def test_forger_without_a_wound_is_believed(shop: Any, forger: Forger) -> None:
    assert believed(shop, forger())


CLAIMS = {
    "other_issuer": {"iss": "https://evil.example/sandbox"}, "other_world": {"iss": f"{BASE}/production"}, "no_issuer": {"iss": None},
    "other_audience": {"aud": "https://other.example"}, "audience_a_list": {"aud": [BASE]}, "no_audience": {"aud": None},
    "other_organisation": {"organisation": "0314595348"}, "other_application": {"client_id": "forest-parking"}, "unknown_application": {"client_id": "nobody", "sub": "nobody"},
    "application_a_list": {"client_id": ["ixelles-parking"]}, "other_subject": {"sub": "forest-parking"},
    "purpose_not_enrolled": {"authorization_details": [{"type": "purpose", "purpose": "school_enrolment"}]}, "no_purpose": {"authorization_details": []},
    "two_purposes": {"authorization_details": [{"type": "purpose", "purpose": "resident_permit"}] * 2}, "no_details": {"authorization_details": None},
    "life_of_a_day": {"exp": 1_795_086_400}, "no_expiry": {"exp": None}, "expiry_a_text": {"exp": "1795000300"}, "issued_tomorrow": {"iat": 1_795_086_400, "exp": 1_795_086_500},
    "extra_claim": {"scope": "all"}, "no_jti": {"jti": None},
}  # fmt: skip


@pytest.mark.parametrize("wound", list(CLAIMS))
async def test_claim_that_does_not_fit(shop: Any, forger: Forger, wound: str) -> None:
    assert not believed(shop, forger(**CLAIMS[wound]))


HEADERS = {
    "type_jwt": {"typ": "JWT"}, "no_type": {"typ": None}, "type_media": {"typ": "application/at+jwt"}, "alg_none": {"alg": "none"}, "alg_hs": {"alg": "HS256"},
    "alg_eddsa": {"alg": "EdDSA"}, "kid_unknown": {"kid": "sandbox.x"}, "no_kid": {"kid": None}, "kid_a_list": {"kid": ["x"]}, "jku": {"jku": "https://evil.example"},
    "crit": {"crit": ["exp"]}, "jwk": {"jwk": {"kty": "EC"}},
}  # fmt: skip


@pytest.mark.parametrize("wound", list(HEADERS))
async def test_header_that_does_not_fit(shop: Any, forger: Forger, wound: str) -> None:
    assert not believed(shop, forger(HEADERS[wound]))


async def test_strangers_signature(shop: Any, forger: Forger) -> None:
    assert not believed(shop, forger(key=ec.generate_private_key(ec.SECP256R1())))


async def test_applications_own_key_makes_no_token(shop: Any, forger: Forger) -> None:
    assert not believed(shop, forger({"kid": shop.jwk["kid"]}, keys.private_key(shop.jwk)))


async def test_hmac_with_the_published_key(shop: Any, forger: Forger) -> None:
    secret = json.dumps(shop.identity.jwks()["keys"][0]).encode()

    assert not believed(shop, forger({"alg": "HS256"}, secret))


async def test_client_assertion_is_no_token(shop: Any) -> None:
    assert not believed(shop, shop.assertion())


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "x" * 10_000, "é.é.é", "\ud800", "a.b.c.d.e"])
def test_text_that_is_no_token(shop: Any, token: str) -> None:
    assert not believed(shop, token)


@pytest.mark.parametrize(
    "bend",
    [lambda t: t + "=", lambda t: t + " ", lambda t: t[:-1] + chr(ord(t[-1]) + 1)],
    ids=["padded", "space", "last_bits"],
)
async def test_token_written_another_way(shop: Any, bend: Callable[[str], str]) -> None:
    token = await shop.token()
    shop.identity.verify(token)

    assert not believed(shop, bend(token))


async def test_what_is_remembered_has_a_bound(shop: Any, forger: Forger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "REMEMBERED", 3)
    for number in range(10):
        assert believed(shop, forger(jti=f"number-{number}"))

    assert 3 == len(shop.identity.verify.__self__._believed)


async def test_refused_tokens_are_not_remembered(shop: Any, forger: Forger) -> None:
    for number in range(10):
        believed(shop, forger(jti=f"number-{number}", iss="x"))

    assert {} == shop.identity.verify.__self__._believed
