"""RFC 8725 (JWT) and RFC 9700 (OAuth 2.0 security), item by item: a test for what applies, a reason for what does not.

Beside them the details of RFC 7523, 8414, 8705 and 9068. The table is the list an auditor goes through; a test of its own
sees that every item has either a test that exists or a reason.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from integrator.errors import ConfigurationError, UnknownCaller
from integrator.identity import keys
from integrator.identity.assertions import LONGEST, make
from integrator.identity.enrolment.proofs import make_order, make_proof
from integrator.identity.tokens import LIFE

HERE = Path(__file__).parent
BASE = "https://hub.example"

# (document, section, item, test here or elsewhere as file::test; or the reason why it does not apply)
ITEMS: tuple[tuple[str, str, str, str], ...] = (
    ("RFC 8725", "3.1", "algorithm verification", "test_algorithm_is_the_registered_keys_own"),
    ("RFC 8725", "3.2", "appropriate algorithms", "test_only_signatures_of_today_are_known"),
    ("RFC 8725", "3.3", "all cryptographic operations validated", "test_assertions.py::test_changed_claim"),
    ("RFC 8725", "3.4", "cryptographic inputs validated", "test_point_that_is_not_on_the_curve_is_no_key"),
    ("RFC 8725", "3.5", "sufficient entropy of keys", "test_no_key_is_a_secret_somebody_could_guess"),
    ("RFC 8725", "3.6", "no compression before encryption", "not applicable: no JWT here is encrypted, and `zip` is no header member we accept"),
    ("RFC 8725", "3.7", "UTF-8", "test_claims_in_another_encoding_are_no_claims"),
    ("RFC 8725", "3.8", "issuer and subject validated", "test_issuer_and_subject_are_the_applications_and_the_key_is_its_own"),
    ("RFC 8725", "3.9", "audience used and validated", "test_audience_is_this_hub_and_one_string"),
    ("RFC 8725", "3.10", "received claims not trusted (kid, jku, x5u)", "test_no_header_member_leads_anywhere"),
    ("RFC 8725", "3.11", "explicit typing", "test_every_kind_of_jwt_has_its_type"),
    ("RFC 8725", "3.12", "mutually exclusive validation rules", "test_no_jwt_of_ours_passes_for_another_kind"),
    ("RFC 9700", "2.1", "redirect-based flows", "not applicable: the hub has no authorization endpoint; people sign in at their own issuer, with PKCE (consoles/signin)"),
    ("RFC 9700", "2.2", "tokens bound to their sender, replay prevented", "test_certificates.py::test_token_asked_with_a_certificate_is_worth_nothing_without_it"),
    ("RFC 9700", "2.2.2", "refresh tokens", "test_there_are_no_refresh_tokens"),
    ("RFC 9700", "2.3", "tokens restricted in privilege and audience", "test_token_is_for_one_hub_and_one_purpose_only"),
    ("RFC 9700", "2.4", "no resource owner password credentials", "test_other_grants_do_not_exist"),
    ("RFC 9700", "2.5", "clients authenticated asymmetrically", "test_no_client_has_a_secret"),
    ("RFC 9700", "2.6", "metadata published", "test_metadata_is_complete"),
    ("RFC 9700", "2.6", "end-to-end TLS, or a proxy that sanitizes", "tests/unit/api/test_mutual_tls.py::test_header_of_somebody_who_is_no_proxy_is_refused"),
    ("RFC 9700", "4.1", "redirect URIs", "not applicable: no redirect is part of getting a token here"),
    ("RFC 9700", "4.2", "leaks by Referer", "not applicable: no code and no token ever stands in an address"),
    ("RFC 9700", "4.3", "leaks by browser history", "not applicable: as 4.2; the one-time code of the page of rights is posted"),
    ("RFC 9700", "4.4", "mix-up", "not applicable: clients talk to one issuer, named in their key file; no redirect"),
    ("RFC 9700", "4.5", "authorization code injection", "not applicable: no authorization code"),
    ("RFC 9700", "4.6", "access token injection", "not applicable: no token comes by a browser; a token is the bearer's own"),
    ("RFC 9700", "4.7", "CSRF", "not applicable: no cookie is looked at by the token endpoint; pages have their own tests"),
    ("RFC 9700", "4.8", "PKCE downgrade", "not applicable: no authorization code"),
    ("RFC 9700", "4.9", "leaks at the resource server", "test_token_is_kept_as_a_digest_only"),
    ("RFC 9700", "4.10", "misuse of stolen tokens", "test_stolen_key_takes_its_tokens_along"),
    ("RFC 9700", "4.11", "open redirection", "not applicable: the hub redirects nowhere by parameter"),
    ("RFC 9700", "4.12", "307 redirect", "not applicable: no redirect with credentials"),
    ("RFC 9700", "4.13", "TLS terminating proxies", "tests/unit/api/test_mutual_tls.py::test_crooked_certificate_is_refused_though_the_proxy_let_it_through"),
    ("RFC 9700", "4.14", "refresh token protection", "test_there_are_no_refresh_tokens"),
    ("RFC 9700", "4.15", "client impersonating a resource owner", "test_sub_of_a_token_is_an_application_and_never_a_person"),
    ("RFC 9700", "4.16", "clickjacking", "not applicable: no page grants anything to an application; consoles send frame-ancestors 'none'"),
    ("RFC 9700", "4.17", "in-browser communication flows", "not applicable: none"),
    ("RFC 7523", "3", "assertions: iss, sub, aud, exp, jti, within five minutes, once", "test_assertion_lives_minutes_and_once"),
    ("RFC 7523", "3.2", "error answers", "test_refused_assertion_is_invalid_client"),
    ("RFC 9068", "2", "access tokens: typ, iss, exp, aud, sub, client_id, iat, jti", "test_access_token_is_as_the_profile_wants_it"),
    ("RFC 8414", "2", "metadata", "test_metadata_is_complete"),
    ("RFC 8705", "3", "certificate-bound tokens", "tests/unit/api/test_mutual_tls.py::test_token_asked_over_mutual_tls_is_bound_to_the_certificate"),
    ("RFC 8705", "5", "endpoint aliases", "tests/unit/api/test_mutual_tls.py::test_metadata_says_where_and_that_tokens_are_bound"),
)  # fmt: skip


def test_every_item_has_a_test_that_exists_or_a_reason() -> None:
    missing = [
        (document, section, what) for document, section, _, what in ITEMS
        if not what.startswith("not applicable: ") and not exists(what)
    ]  # fmt: skip

    assert [] == missing
    assert {f"3.{number}" for number in range(1, 13)} == {
        section for document, section, *_ in ITEMS if document == "RFC 8725"
    }
    assert {f"4.{number}" for number in range(1, 18)} <= {
        section for document, section, *_ in ITEMS if document == "RFC 9700"
    }


def exists(what: str) -> bool:
    file, _, name = what.rpartition("::")
    path = Path(__file__) if not file else HERE.parents[2] / file if file.startswith("tests/") else HERE / file
    return re.search(rf"^(?:async )?def {name}\(", path.read_text(encoding="utf-8"), re.M) is not None


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    header, claims, _ = token.split(".")
    return tuple(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in (header, claims))  # type: ignore[return-value]


async def refused(shop: Any, **changes: Any) -> str:
    status, body = await shop.ask(**changes)
    assert status in (400, 401), body
    return str(body["error"])


def believed(shop: Any, token: str) -> bool:
    try:
        shop.identity.verify(token)
    except UnknownCaller:
        return False
    return True


# --- RFC 8725 -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "RS256", "PS256", "ES384", "EdDSA", ""])
async def test_algorithm_is_the_registered_keys_own(shop: Any, algorithm: str) -> None:
    assertion = shop.assertion(header=shop.header(alg=algorithm))

    assert "invalid_client" == await refused(shop, client_assertion=assertion)


def test_only_signatures_of_today_are_known() -> None:
    assert ("ES256", "EdDSA") == keys.ALGORITHMS


def test_point_that_is_not_on_the_curve_is_no_key() -> None:
    good = keys.public(keys.new_key("sandbox"))
    for x, y in ((good["y"], good["x"]), ("AA", "AA"), ("A" * 43, "A" * 43)):
        with pytest.raises(ConfigurationError):
            keys.read_public(good | {"x": x, "y": y}, "sandbox")


def test_no_key_is_a_secret_somebody_could_guess() -> None:
    with pytest.raises(ConfigurationError):
        keys.read_public({"kty": "oct", "k": "c2VjcmV0", "alg": "HS256", "kid": "sandbox.x"}, "sandbox")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "latin-1"])
async def test_claims_in_another_encoding_are_no_claims(shop: Any, forge: Callable[..., str], encoding: str) -> None:
    claims = json.dumps(shop.claims(note="é"), ensure_ascii=False).encode(encoding)
    assertion = forge(keys.private_key(shop.jwk), shop.header(), claims)

    assert "invalid_client" == await refused(shop, client_assertion=assertion)


async def test_issuer_and_subject_are_the_applications_and_the_key_is_its_own(shop: Any) -> None:
    for claims in (
        {"iss": "forest-parking"},
        {"sub": "forest-parking"},
        {"iss": "forest-parking", "sub": "forest-parking"},
        {"iss": None},
        {"sub": None},
    ):
        assert "invalid_client" == await refused(shop, client_assertion=shop.assertion(**claims))


@pytest.mark.parametrize("audience", [None, "", "https://other.example/oauth/token", ["https://hub.example/oauth/token"], "https://hub.example/production", "https://hub.example"])  # fmt: skip
async def test_audience_is_this_hub_and_one_string(shop: Any, audience: Any) -> None:
    assert "invalid_client" == await refused(shop, client_assertion=shop.assertion(aud=audience))


@pytest.mark.parametrize("member", ["jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "cty"])
async def test_no_header_member_leads_anywhere(shop: Any, member: str) -> None:
    value: Any = [member] if member in ("crit", "x5c") else "https://attacker.example/keys"

    assert "invalid_client" == await refused(
        shop, client_assertion=shop.assertion(header=shop.header(**{member: value}))
    )


async def test_every_kind_of_jwt_has_its_type(shop: Any) -> None:
    now, issuer = shop.clock.now, shop.identity.issuer
    kinds = [
        parts(await shop.token())[0]["typ"],
        parts(make_proof(shop.jwk, "ixelles-parking", issuer, now))[0]["typ"],
        parts(make_order(shop.jwk, "ixelles-parking", issuer, now, act="revoke", kid="x"))[0]["typ"],
    ]

    assert ["at+jwt", "key-proof+jwt", "key-order+jwt"] == kinds


async def test_no_jwt_of_ours_passes_for_another_kind(shop: Any) -> None:
    now, issuer, name = shop.clock.now, shop.identity.issuer, "ixelles-parking"
    token = await shop.token()
    proof, order = (
        make_proof(shop.jwk, name, issuer, now),
        make_order(shop.jwk, name, issuer, now, act="revoke", kid="x"),
    )
    assertion = make(shop.jwk, name, issuer, now)

    assert ["invalid_client"] * 3 == [await refused(shop, client_assertion=one) for one in (token, proof, order)]
    assert [False] * 3 == [believed(shop, one) for one in (assertion, proof, order)]


# --- RFC 9700 -----------------------------------------------------------------------------------------------------------


async def test_there_are_no_refresh_tokens(shop: Any) -> None:
    status, body = await shop.ask()

    assert (200, False, LIFE) == (status, "refresh_token" in body, body["expires_in"])
    assert LIFE <= 300


async def test_token_is_for_one_hub_and_one_purpose_only(shop: Any) -> None:
    _, claims = parts(await shop.token())

    assert (BASE, [{"type": "purpose", "purpose": "resident_permit"}]) == (
        claims["aud"],
        claims["authorization_details"],
    )
    assert "invalid_target" == await refused(shop, resource="https://other.example")


@pytest.mark.parametrize(
    "grant",
    ["password", "authorization_code", "implicit", "refresh_token", "urn:ietf:params:oauth:grant-type:jwt-bearer", ""],
)
async def test_other_grants_do_not_exist(shop: Any, grant: str) -> None:
    assert "unsupported_grant_type" == await refused(shop, grant_type=grant, username="a", password="b")


async def test_no_client_has_a_secret(shop: Any) -> None:
    assert "invalid_client" == await refused(shop, client_secret="secret")
    assert ["private_key_jwt"] == shop.identity.metadata()["token_endpoint_auth_methods_supported"]


async def test_token_is_kept_as_a_digest_only(shop: Any) -> None:
    token = await shop.token()
    shop.identity.verify(token)

    assert token not in str(vars(shop.identity._tokens)["_believed"])
    assert all(isinstance(one, bytes) and len(one) == 32 for one in shop.identity._tokens._believed)


async def test_stolen_key_takes_its_tokens_along(shop: Any) -> None:
    from integrator.identity.changes import revoke_key

    token = await shop.token()
    before = believed(shop, token)
    revoke_key(
        shop.folder / "applications", "ixelles-parking", shop.jwk["kid"], "sandbox", shop.clock.now, by="operator"
    )
    shop.clock.now += 0.9

    assert (True, False) == (before, believed(shop, token))


async def test_sub_of_a_token_is_an_application_and_never_a_person(shop: Any) -> None:
    _, claims = parts(await shop.token())

    assert claims["sub"] == claims["client_id"] == "ixelles-parking"
    assert "invalid_authorization_details" == await refused(
        shop,
        purpose=None,
        authorization_details='[{"type":"purpose","purpose":"resident_permit","agent":"85660812341"}]',
    )


# --- RFC 7523, 8414, 9068 -----------------------------------------------------------------------------------------------


async def test_assertion_lives_minutes_and_once(shop: Any) -> None:
    now = int(shop.clock.now)
    once = shop.assertion()

    assert LONGEST <= 300
    assert "invalid_client" == await refused(shop, client_assertion=shop.assertion(exp=now + 301))
    assert (200, "invalid_client") == (
        (await shop.ask(client_assertion=once))[0],
        await refused(shop, client_assertion=once),
    )


async def test_refused_assertion_is_invalid_client(shop: Any) -> None:
    stranger = ec.generate_private_key(ec.SECP256R1())
    status, body = await shop.ask(client_assertion=shop.assertion(stranger))

    assert (401, "invalid_client") == (status, body["error"])


async def test_access_token_is_as_the_profile_wants_it(shop: Any) -> None:
    header, claims = parts(await shop.token())

    assert "at+jwt" == header["typ"]
    assert {"iss", "exp", "aud", "sub", "client_id", "iat", "jti"} <= claims.keys()
    assert header["kid"] in {key["kid"] for key in shop.identity.jwks()["keys"]}


def test_metadata_is_complete(shop: Any) -> None:
    told = shop.identity.metadata()

    assert {
        "issuer", "token_endpoint", "jwks_uri", "scopes_supported", "grant_types_supported", "response_types_supported",
        "token_endpoint_auth_methods_supported", "token_endpoint_auth_signing_alg_values_supported", "authorization_details_types_supported",
        "tls_client_certificate_bound_access_tokens", "service_documentation", "ui_locales_supported",
    } == told.keys()  # fmt: skip
    assert ["ES256", "EdDSA"] == told["token_endpoint_auth_signing_alg_values_supported"]
    assert False is told["tls_client_certificate_bound_access_tokens"]
