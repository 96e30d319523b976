"""What an agent's own token must be to be believed: OpenID Connect Core §3.1.3.7 and RFC 8725, one wound a test."""

from __future__ import annotations

import asyncio
import hmac
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from integrator.agents import issuers as issuers_module
from integrator.agents import proofs
from integrator.agents.issuers import AGAIN, KEPT, LONGEST_OUTAGE, RESTING, Issuers, IssuerSilent, read_issuers
from integrator.errors import ConfigurationError
from integrator.identity.assertions import NotBelieved
from tests.unit.agents.town import IAM, ID_TOKEN, ISSUERS, Clock, Keys, Town

ACCESS = "urn:ietf:params:oauth:token-type:access_token"


class Desk:
    """Issuers alone, without a town."""

    def __init__(self) -> None:
        self.clock, self.keys = Clock(), Keys()
        self.issuers = Issuers(read_issuers(ISSUERS, sandbox=False), self.keys.fetch, self.clock)

    vouch, claims = Town.vouch, Town.claims

    async def check(self, token: str, kind: str = ID_TOKEN) -> proofs.Proof:
        return await proofs.check(token, kind, self.issuers, self.clock.now)

    async def refused(self, token: str, kind: str = ID_TOKEN) -> str:
        with pytest.raises(NotBelieved) as error:
            await self.check(token, kind)
        return str(error.value)


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_a_whole_token_says_who_and_how_surely(desk: Desk) -> None:
    proof = await desk.check(desk.vouch("anna"))

    assert ("iam", "anna", "substantial") == (proof.issuer.name, proof.identifier, proof.assurance)


@pytest.mark.parametrize("level", ["low", "substantial", "high"])
async def test_the_issuers_words_for_how_surely_become_ours(desk: Desk, level: str) -> None:
    assert (
        level
        == (
            await desk.check(desk.vouch("anna", acr={"low": "low", "substantial": "loa3", "high": "loa4"}[level]))
        ).assurance
    )


WOUNDS: dict[str, dict[str, Any]] = {
    "issuer_of_nobody": {"iss": "https://evil.example"}, "issuer_with_a_slash_more": {"iss": IAM + "/"}, "no_issuer": {"iss": None}, "issuer_a_list": {"iss": [IAM]},
    "for_somebody_else": {"aud": "another"}, "for_nobody": {"aud": None}, "for_an_empty_list": {"aud": []}, "audience_a_number": {"aud": 1},
    "for_several_without_azp": {"aud": ["integrator", "another"]}, "asked_by_another": {"aud": ["integrator", "another"], "azp": "another"}, "azp_of_another": {"azp": "another"},
    "expired": {"exp": 1_794_999_900}, "no_end": {"exp": None}, "end_as_text": {"exp": "1795000600"}, "end_true": {"exp": True},
    "from_the_future": {"iat": 1_795_000_100}, "no_beginning": {"iat": None}, "made_an_hour_ago": {"iat": 1_794_996_400}, "not_yet": {"nbf": 1_795_000_100},
    "lives_for_days": {"exp": 1_795_000_000 + 14 * 86_400}, "ends_before_it_begins": {"iat": 1_795_000_010, "exp": 1_795_000_005},
    "assurance_unknown": {"acr": "loa9"}, "no_assurance": {"acr": None}, "assurance_a_list": {"acr": ["loa3"]}, "nobody": {"preferred_username": None},
    "nobody_in_particular": {"preferred_username": ""}, "identifier_a_number": {"preferred_username": 7},
}  # fmt: skip


@pytest.mark.parametrize("wound", WOUNDS)
async def test_claims_with_a_wound(desk: Desk, wound: str) -> None:
    words = await desk.refused(raw(desk, {"alg": "ES256", "kid": "1", "typ": "JWT"}, **WOUNDS[wound]))

    assert "anna" not in words and "another" not in words


async def test_several_audiences_are_right_when_ours_asked(desk: Desk) -> None:
    assert await desk.check(desk.vouch("anna", aud=["another", "integrator"], azp="portal"))


HEADERS: dict[str, dict[str, Any]] = {
    "key_of_nobody": {"kid": "2"}, "no_kid": {"kid": None}, "kid_a_path": {"kid": "../../etc/passwd"}, "key_from_the_token": {"jku": "https://evil.example/jwks"},
    "key_in_the_token": {"jwk": {"kty": "EC"}}, "critical_unknown": {"crit": ["exp"], "exp": 1}, "an_access_token_for_an_id_token": {"typ": "at+jwt"},
    "a_logout_token": {"typ": "logout+jwt"}, "certificates": {"x5c": ["x"]},
}  # fmt: skip


@pytest.mark.parametrize("wound", HEADERS)
async def test_headers_with_a_wound(desk: Desk, wound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    token = raw(desk, {"alg": "ES256", "kid": "1", "typ": "JWT", **HEADERS[wound]})

    assert await desk.refused(token)


def raw(desk: Desk, header: dict[str, Any], key: Any = None, **changes: Any) -> str:
    """Signed by the issuer's key with any header at all."""
    encode = jwt.utils.base64url_encode
    clean = {name: value for name, value in header.items() if value is not None}
    signing = b".".join(encode(json.dumps(part).encode()) for part in (clean, desk.claims("anna", **changes)))
    algorithm = jwt.algorithms.ECAlgorithm(jwt.algorithms.ECAlgorithm.SHA256)
    return (signing + b"." + encode(algorithm.sign(signing, key or desk.keys.private["1"]))).decode()


async def test_signed_by_somebody_else(desk: Desk) -> None:
    assert await desk.refused(raw(desk, {"alg": "ES256", "kid": "1"}, ec.generate_private_key(ec.SECP256R1())))


async def test_not_signed_at_all(desk: Desk) -> None:
    token = jwt.encode(desk.claims("anna"), None, "none", headers={"kid": "1"})

    assert await desk.refused(token)
    assert await desk.refused(token + "x")


async def test_signed_with_the_public_key_as_if_it_were_a_secret(desk: Desk) -> None:
    """RFC 8725 §2.1: the algorithm is decided by the key's kind, not by the token."""
    public = json.dumps(desk.keys.jwks()["keys"][0]).encode()
    signing = raw(desk, {"alg": "HS256", "kid": "1"}).rpartition(".")[0]
    signature = hmac.digest(public, signing.encode(), "sha256")

    assert await desk.refused(f"{signing}.{jwt.utils.base64url_encode(signature).decode()}")


async def test_the_same_key_under_another_algorithm(desk: Desk) -> None:
    assert await desk.refused(raw(desk, {"alg": "ES384", "kid": "1"}))


@pytest.mark.parametrize(
    ("algorithm", "believed"),
    [
        ("RS256", True),
        ("PS256", True),
        ("EdDSA", True),
        ("ES384", True),
        ("RS512", False),
        ("RS256 of 1024 bits", False),
    ],
    ids=range(6),
)
async def test_which_algorithms_are_believed(desk: Desk, algorithm: str, believed: bool) -> None:
    name = algorithm.split()[0]
    key: Any = {
        "R": lambda: rsa.generate_private_key(65_537, 1024 if "1024" in algorithm else 2048), "P": lambda: rsa.generate_private_key(65_537, 2048),
        "E": lambda: ed25519.Ed25519PrivateKey.generate() if name == "EdDSA" else ec.generate_private_key(ec.SECP384R1()),
    }[name[0]]()  # fmt: skip
    maker = jwt.get_algorithm_by_name(name)
    published = {"keys": [{**json.loads(maker.to_jwk(key.public_key())), "kid": "1", "use": "sig", "alg": name}]}
    published["keys"][0].pop("key_ops", None)
    desk.keys.jwks = lambda: published  # type: ignore[method-assign]
    if "1024" in algorithm:  # by hand: the library would not sign with it
        signing = raw(desk, {"alg": name, "kid": "1"}).rpartition(".")[0]
        signature = key.sign(signing.encode(), PKCS1v15(), SHA256())
        token = f"{signing}.{jwt.utils.base64url_encode(signature).decode()}"
    else:
        token = jwt.encode(desk.claims("anna"), key, name, headers={"kid": "1"})

    assert (await desk.check(token) is not None) if believed else await desk.refused(token)


@pytest.mark.parametrize(
    "change",
    [{"use": "enc"}, {"key_ops": ["sign"]}, {"alg": "ES384"}, {"kty": "oct", "k": "AA"}, {"d": "AA"}],
    ids=range(5),
)
async def test_a_key_that_is_for_something_else(desk: Desk, change: dict[str, Any]) -> None:
    published = desk.keys.jwks()
    published["keys"][0] |= change
    desk.keys.jwks = lambda: published  # type: ignore[method-assign]

    assert await desk.refused(desk.vouch("anna"))


async def test_two_ways_to_write_one_token_are_one_too_many(desk: Desk) -> None:
    header, claims, signature = desk.vouch("anna").split(".")

    assert await desk.refused(f"{header}.{claims}.{signature}=")
    assert await desk.refused(f"{header}.{claims}.{signature}.{signature}")


async def test_an_access_token_says_that_it_is_one(desk: Desk) -> None:
    assert await desk.check(raw(desk, {"alg": "ES256", "kid": "1", "typ": "at+jwt"}), ACCESS)
    assert await desk.refused(desk.vouch("anna"), ACCESS)


# --- the issuer's keys ------------------------------------------------------------------------------------------------


async def test_keys_are_asked_once_for_many_tokens(desk: Desk) -> None:
    for _ in range(5):
        await desk.check(desk.vouch("anna"))

    assert 1 == desk.keys.asked


async def test_a_new_key_is_believed_at_once_and_the_one_taken_away_when_the_set_is_old(desk: Desk) -> None:
    old = desk.vouch("anna")
    await desk.check(old)
    desk.clock.now += AGAIN + 1
    desk.keys.private = {"2": ec.generate_private_key(ec.SECP256R1())}

    assert await desk.check(desk.vouch("anna", header={"kid": "2"}))
    assert await desk.refused(old)


async def test_invented_key_ids_do_not_make_us_ask_more_than_once_a_minute(desk: Desk) -> None:
    await desk.check(desk.vouch("anna"))
    desk.clock.now += AGAIN + 1
    for number in range(20):
        await desk.refused(desk.vouch("anna", header={"kid": f"x{number}"}))

    assert 2 == desk.keys.asked


async def test_an_issuer_that_is_down_is_believed_by_the_keys_last_seen_for_a_day(desk: Desk) -> None:
    await desk.check(desk.vouch("anna"))
    desk.keys.silent = True
    desk.clock.now += KEPT + 1

    assert await desk.check(desk.vouch("anna"))
    desk.clock.now += LONGEST_OUTAGE
    with pytest.raises(IssuerSilent):
        await desk.check(desk.vouch("anna"))


async def test_a_slow_issuer_is_asked_once_however_many_wait(desk: Desk) -> None:
    desk.keys.slow = asyncio.Event()
    waiting = [asyncio.create_task(desk.check(desk.vouch("anna"))) for _ in range(8)]
    await asyncio.sleep(0.05)
    desk.clock.now += 4  # as long as it takes: nobody who waited asks again
    desk.keys.slow.set()

    assert ["anna"] * 8 == [proof.identifier for proof in await asyncio.gather(*waiting)]
    assert 1 == desk.keys.asked


async def test_a_slow_issuer_that_fails_fails_everybody_at_once_and_refuses_nobody(desk: Desk) -> None:
    desk.keys.slow, desk.keys.silent = asyncio.Event(), True
    waiting = [asyncio.create_task(desk.check(desk.vouch("anna"))) for _ in range(8)]
    await asyncio.sleep(0.05)
    desk.clock.now += 5
    desk.keys.slow.set()
    failed = await asyncio.gather(*waiting, return_exceptions=True)

    assert {IssuerSilent} == {type(one) for one in failed}
    with pytest.raises(IssuerSilent):  # nor whoever comes a moment later
        await desk.check(desk.vouch("anna"))
    assert 1 == desk.keys.asked
    desk.clock.now += RESTING
    desk.keys.silent = False
    assert await desk.check(desk.vouch("anna"))


async def test_while_an_issuer_is_slow_the_keys_last_seen_serve_and_the_new_ones_come(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.check(desk.vouch("anna"))
    monkeypatch.setattr(issuers_module, "BRIEFLY", 0.05)
    desk.clock.now += KEPT + 1
    desk.keys.slow = asyncio.Event()

    assert await asyncio.wait_for(desk.check(desk.vouch("anna")), 5)
    old = desk.vouch("anna")
    desk.keys.private = {"2": ec.generate_private_key(ec.SECP256R1())}
    desk.keys.slow.set()
    await asyncio.sleep(0.05)

    assert await desk.refused(old)
    assert 2 == desk.keys.asked


async def test_a_key_nobody_can_ask_for_is_not_an_unknown_one(desk: Desk) -> None:
    await desk.check(desk.vouch("anna"))
    desk.clock.now += AGAIN + 1
    desk.keys.private["2"] = ec.generate_private_key(ec.SECP256R1())
    desk.keys.silent = True

    for _ in range(3):
        with pytest.raises(IssuerSilent):
            await desk.check(desk.vouch("anna", header={"kid": "2"}))
    assert 2 == desk.keys.asked
    assert await desk.check(desk.vouch("anna"))


async def test_an_issuer_never_reached_is_no_no_but_not_now(desk: Desk) -> None:
    desk.keys.silent = True

    with pytest.raises(IssuerSilent):
        await desk.check(desk.vouch("anna"))


@pytest.mark.parametrize(
    "change",
    [{"issuer": "http://iam.example"}, {"jwks": "http://iam.example/jwks"}, {"jwks": "file:///etc/passwd"}, {"audience": []}, {"assurance": {"claim": "acr", "map": {"x": "certain"}}},
     {"assurance": {"claim": "acr", "map": {}}}, {"identifier": {"claim": "sub", "matches": "displayName"}}, {"identifier": None},
     {"organisations": None}, {"organisations": []}, {"organisations": "everybody"}, {"organisations": [1992100975]}, {"organisations": ["cpas-ixelles"]}],
    ids=range(13),
)  # fmt: skip
def test_an_issuer_that_could_not_be_trusted_stops_the_start(change: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        read_issuers([{**ISSUERS[0], **change}], sandbox=False)
    with pytest.raises(ConfigurationError):
        read_issuers([ISSUERS[0], ISSUERS[0]], sandbox=False)
