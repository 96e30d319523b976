"""Proofs of who asks: the ones that are believed, and every way of RFC 8725 to forge, bend or repeat one."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from integrator.identity import keys
from integrator.identity.assertions import make

BASE = "https://hub.example"


async def refused(shop: Any, assertion: str) -> bool:
    status, body = await shop.ask(client_assertion=assertion)
    return (status, body["error"], "access_token" in body) == (401, "invalid_client", False)


async def test_own_key_is_believed(shop: Any) -> None:
    assert 200 == (await shop.ask())[0]


async def test_ed25519_is_believed(shop: Any) -> None:
    assertion = make(shop.other_jwk, "forest-parking", f"{BASE}/oauth/token", shop.clock.now)

    assert 200 == (await shop.ask(client_assertion=assertion))[0]


@pytest.mark.parametrize("kind", ["JWT", "client-authentication+jwt"])
async def test_type_may_be_said(shop: Any, kind: str) -> None:
    assert 200 == (await shop.ask(client_assertion=shop.assertion(header=shop.header(typ=kind))))[0]


async def test_issuer_is_an_audience_too(shop: Any) -> None:
    assert 200 == (await shop.ask(client_assertion=shop.assertion(aud=f"{BASE}/sandbox")))[0]


# --- algorithm and key (RFC 8725 §3.1, §3.2) ------------------------------------------------------------------------


async def test_unsigned(shop: Any, forge: Callable[..., str]) -> None:
    head, claims, _ = shop.assertion().split(".")
    unsigned = forge(b"x", shop.header(alg="none"), shop.claims()).rpartition(".")[0]

    assert await refused(shop, f"{unsigned}.")
    assert await refused(shop, f"{head}.{claims}.")


@pytest.mark.parametrize(
    "word",
    ["none", "None", "NONE", "nOnE", "", None, "ES384", "ES256K", "RS256", "PS256", "HS256", "EdDSA", "es256", 256],
)
async def test_algorithm_is_the_keys_own_and_no_other(shop: Any, word: Any) -> None:
    assert await refused(shop, shop.assertion(header=shop.header(alg=word)))


def _pem(shop: Any) -> bytes:
    public = keys.read_public(keys.public(shop.jwk), "sandbox").key
    return bytes(public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))


async def test_hmac_with_the_public_key_as_secret(shop: Any) -> None:
    for secret in (_pem(shop), json.dumps(keys.public(shop.jwk)).encode()):
        assert await refused(shop, shop.assertion(secret, shop.header(alg="HS256")))


async def test_other_applications_key(shop: Any) -> None:
    theirs = keys.private_key(shop.other_jwk)

    assert await refused(shop, shop.assertion(theirs, {"alg": "EdDSA", "kid": shop.other_jwk["kid"]}))
    assert await refused(shop, shop.assertion(theirs, shop.header(alg="EdDSA")))


async def test_strangers_key_under_our_kid(shop: Any) -> None:
    assert await refused(shop, shop.assertion(ec.generate_private_key(ec.SECP256R1())))


async def test_rsa_key(shop: Any) -> None:
    assert await refused(shop, shop.assertion(rsa.generate_private_key(65537, 2048), shop.header(alg="RS256")))


@pytest.mark.parametrize("kid", [None, "", "../../etc/passwd", "' OR 1=1 --", "sandbox.unknown", 1, ["x"], {"a": 1}])
async def test_kid_is_a_pinned_name_and_nothing_else(shop: Any, kid: Any) -> None:
    assert await refused(shop, shop.assertion(header=shop.header(kid=kid)))


EXTRA = {
    "jku": "https://evil.example/jwks", "x5u": "https://evil.example/cert", "jwk": {"kty": "EC"}, "x5c": ["MII"], "crit": ["exp"], "b64": False,
    "zip": "DEF", "cty": "JWT", "enc": "A256GCM", "p2c": 10_000_000, "x5t": "x",
}  # fmt: skip


@pytest.mark.parametrize("member", list(EXTRA))
async def test_header_member_that_could_lead_elsewhere(shop: Any, member: str) -> None:
    assert await refused(shop, shop.assertion(header=shop.header(**{member: EXTRA[member]})))


@pytest.mark.parametrize("kind", ["at+jwt", "dpop+jwt", "", 1, ["JWT"]])
async def test_token_of_another_kind(shop: Any, kind: Any) -> None:
    assert await refused(shop, shop.assertion(header=shop.header(typ=kind)))


async def test_own_access_token_is_no_proof(shop: Any) -> None:
    assert await refused(shop, await shop.token())


async def test_empty_signature_of_zeros(shop: Any) -> None:
    head, claims, _ = shop.assertion().split(".")

    assert await refused(shop, f"{head}.{claims}.{'A' * 86}")


async def test_changed_claim(shop: Any) -> None:
    head, _, signature = shop.assertion().split(".")
    changed = shop.assertion(sub="forest-parking", iss="forest-parking").split(".")[1]

    assert await refused(shop, f"{head}.{changed}.{signature}")


# --- one way to write it --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bend",
    [
        lambda t: t + "=", lambda t: t.replace(".", "=.", 1), lambda t: t.replace(".", "==."), lambda t: t + "\n", lambda t: " " + t, lambda t: t + ".",
        lambda t: "." + t, lambda t: t.replace(".", ".."), lambda t: t.rpartition(".")[0], lambda t: t.replace("_", "/").replace("-", "+") + "+",
        lambda t: t[:-1] + chr(ord(t[-1]) + 1), lambda t: json.dumps({"payload": t}), lambda t: t + "." + t + ".x", lambda t: "", lambda t: "é" + t,
    ],
    ids=["padded_end", "padded_head", "padded_all", "newline", "space", "dot_behind", "dot_before", "double_dots", "two_parts", "plain_base64",
         "last_bits", "json_form", "six_parts", "empty", "not_ascii"],
)  # fmt: skip
async def test_written_another_way(shop: Any, bend: Callable[[str], str]) -> None:
    assert await refused(shop, bend(shop.assertion()))


async def test_duplicate_claims(shop: Any, forge: Callable[..., str]) -> None:
    text = json.dumps(shop.claims())[:-1] + ', "sub": "forest-parking"}'

    assert await refused(shop, forge(keys.private_key(shop.jwk), shop.header(), text.encode()))


async def test_duplicate_header_members(shop: Any, forge: Callable[..., str]) -> None:
    text = b'{"alg":"none","alg":"ES256","kid":"' + shop.jwk["kid"].encode() + b'"}'

    assert await refused(shop, forge(keys.private_key(shop.jwk), text, shop.claims()))


@pytest.mark.parametrize(
    "claims", [b"[]", b"1", b"", b"{", b'{"sub":NaN}', b"\xff\xfe{}", b'{"a":' * 50 + b"1" + b"}" * 50]
)
async def test_claims_that_are_no_strict_object(shop: Any, forge: Callable[..., str], claims: bytes) -> None:
    assert await refused(shop, forge(keys.private_key(shop.jwk), shop.header(), claims))


async def test_assertion_of_a_megabyte(shop: Any) -> None:
    assert await refused(shop, shop.assertion(filler="x" * 1_000_000))


# --- claims ---------------------------------------------------------------------------------------------------------

CLAIMS = {
    "other_issuer": {"iss": "forest-parking"}, "no_issuer": {"iss": None}, "subject_unknown": {"iss": "nobody", "sub": "nobody"}, "no_subject": {"sub": None},
    "subject_a_list": {"sub": ["ixelles-parking"]}, "subject_with_path": {"iss": "../ixelles-parking", "sub": "../ixelles-parking"},
    "other_audience": {"aud": "https://other.example/oauth/token"}, "no_audience": {"aud": None}, "audience_a_list": {"aud": [f"{BASE}/oauth/token"]},
    "audience_longer": {"aud": f"{BASE}/oauth/token/"}, "audience_the_resource": {"aud": BASE}, "audience_other_world": {"aud": f"{BASE}/production"},
    "no_expiry": {"exp": None}, "expiry_a_text": {"exp": "99999999999"}, "expiry_true": {"exp": True}, "expiry_huge": {"exp": 10**18}, "expiry_before_issue": {"exp": 1},
    "no_issue_time": {"iat": None}, "issue_time_true": {"iat": True}, "no_jti": {"jti": None}, "jti_short": {"jti": "abc"}, "jti_long": {"jti": "a" * 129},
    "jti_number": {"jti": 12345678901234}, "jti_with_space": {"jti": "a b c d e f g"}, "not_before_text": {"nbf": "0"},
}  # fmt: skip


@pytest.mark.parametrize("wound", list(CLAIMS))
async def test_claim_that_does_not_fit(shop: Any, wound: str) -> None:
    assert await refused(shop, shop.assertion(**CLAIMS[wound]))


@pytest.mark.parametrize(
    ("times", "status"),
    [
        ({"iat": 0, "exp": 300}, 200), ({"iat": 0, "exp": 301}, 401), ({"iat": 5, "exp": 60}, 200), ({"iat": 6, "exp": 60}, 401),
        ({"iat": -60, "exp": -4}, 200), ({"iat": -60, "exp": -5}, 401), ({"iat": -299, "exp": 1}, 200), ({"iat": -300, "exp": 1}, 401),
        ({"iat": 0, "exp": 60, "nbf": 5}, 200), ({"iat": 0, "exp": 60, "nbf": 6}, 401), ({"iat": 0, "exp": 0}, 401),
    ],
    ids=["five_minutes", "a_second_longer", "clock_5s_ahead", "clock_6s_ahead", "expired_4s_ago", "expired_5s_ago", "old_but_valid", "old_and_long",
         "not_before_in_5s", "not_before_in_6s", "no_life"],
)  # fmt: skip
async def test_clock_may_differ_by_five_seconds(shop: Any, times: dict[str, int], status: int) -> None:
    moments = {name: int(shop.clock.now) + seconds for name, seconds in times.items()}

    assert status == (await shop.ask(client_assertion=shop.assertion(**moments)))[0]


# --- once -----------------------------------------------------------------------------------------------------------


async def test_same_assertion_twice(shop: Any) -> None:
    assertion = shop.assertion()

    assert 200 == (await shop.ask(client_assertion=assertion))[0]
    assert await refused(shop, assertion)


async def test_same_jti_in_a_new_assertion(shop: Any) -> None:
    assert 200 == (await shop.ask(client_assertion=shop.assertion(jti="once-only")))[0]
    assert await refused(shop, shop.assertion(jti="once-only", exp=int(shop.clock.now) + 90))


async def test_same_jti_of_another_application_is_its_own(shop: Any) -> None:
    theirs = shop.assertion(
        keys.private_key(shop.other_jwk),
        {"alg": "EdDSA", "kid": shop.other_jwk["kid"]},
        iss="forest-parking",
        sub="forest-parking",
        jti="once-only",
    )

    assert 200 == (await shop.ask(client_assertion=shop.assertion(jti="once-only")))[0]
    assert 200 == (await shop.ask(client_assertion=theirs))[0]


async def test_restart_does_not_forget(shop: Any) -> None:
    assertion = shop.assertion()
    await shop.ask(client_assertion=assertion)
    shop.identity.close()
    shop.identity = shop.start()

    assert await refused(shop, assertion)


async def test_other_process_knows_too(shop: Any) -> None:
    assertion = shop.assertion()
    await shop.ask(client_assertion=assertion)
    second = shop.start()
    status, _ = await second.token(shop.form(client_assertion=assertion))
    second.close()

    assert 401 == status


async def test_many_at_once_only_one_wins(shop: Any) -> None:
    import asyncio

    assertion = shop.assertion()
    answers = await asyncio.gather(*(shop.ask(client_assertion=assertion) for _ in range(8)))

    assert [200, *[401] * 7] == sorted(status for status, _ in answers)


async def test_refused_purpose_uses_the_assertion_up(shop: Any) -> None:
    assertion = shop.assertion()
    await shop.ask(client_assertion=assertion, purpose="school_enrolment")

    assert await refused(shop, assertion)


async def test_register_of_used_assertions_does_not_grow_for_ever(shop: Any) -> None:
    import sqlite3

    for _ in range(3):
        await shop.ask()
        shop.clock.now += 400
    await shop.ask()
    with sqlite3.connect(shop.folder / "assertions.sqlite") as connection:
        rows = connection.execute("select count(*) from used_assertions").fetchone()[0]
    connection.close()

    assert rows <= 2


async def test_register_that_cannot_be_written_gives_no_token(shop: Any) -> None:
    import sqlite3

    with sqlite3.connect(shop.folder / "assertions.sqlite") as connection:
        connection.execute("drop table used_assertions")
    connection.close()
    status, body = await shop.ask()

    assert (503, "temporarily_unavailable") == (status, body["error"])


# --- the words of a refusal -----------------------------------------------------------------------------------------


async def test_unknown_application_and_wrong_key_are_one_answer(shop: Any) -> None:
    unknown = (await shop.ask(client_assertion=shop.assertion(iss="nobody", sub="nobody")))[1]
    wrong = (await shop.ask(client_assertion=shop.assertion(ec.generate_private_key(ec.SECP256R1()))))[1]

    assert unknown == wrong


async def test_refusal_repeats_nothing(shop: Any) -> None:
    for claims in ({"iss": "85660812341", "sub": "85660812341"}, {"aud": "85660812341"}, {"jti": "85660812341 "}):
        assert "85660812341" not in str(await shop.ask(client_assertion=shop.assertion(**claims)))


def test_what_is_made_is_believed_by_the_real_clock_too(tmp_path: Path) -> None:
    from integrator.identity.applications import create_application, read
    from integrator.identity.assertions import check

    jwk = keys.new_key("sandbox", "EdDSA")
    create_application(
        tmp_path,
        "abc-app",
        organisation="0207373429",
        purposes=["resident_permit"],
        world="sandbox",
        now=time.time(),
        jwk=keys.public(jwk),
    )
    application = read(tmp_path / "abc-app.json", "sandbox")
    proof = check(make(jwk, "abc-app", "x", time.time()), {"abc-app": application}.get, ("x",), time.time())

    assert application is proof.application
