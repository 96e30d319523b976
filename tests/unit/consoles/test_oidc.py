"""Sign-in by the issuer: the whole flow against the mock issuer in this process, and everything that must not pass."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import orjson
import pytest

from integrator.consoles.signin.claims import Claims
from integrator.consoles.signin.oidc import FLOW, Oidc, SignInFailed, checked
from integrator.consoles.vault import Vault
from integrator.errors import ConfigurationError
from mock_sources.oidc import Door, Issuer
from tests.unit.api.stand_in import Caller, Reply
from tests.unit.consoles.doorstep import Clock

NUMBER = "85610100147"
ISSUER = "http://hub.example/oidc"
BACK = "http://127.0.0.1:8080/console/signin/callback"
ROLES = {"integrator-dpo": "dpo", "integrator-hub-dpo": "hub_dpo", "integrator-auditor": "auditor"}
NAMES = {"number": "egovNRN", "organisation": "cbeNumber"}


class Stand:
    """The mock issuer, our side of it, and a browser between them."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.fault = Clock(), ""
        self.issuer = Issuer(folder, self.clock)
        self.metadata: dict[str, Any] = {}
        door = Door(self.issuer, lambda: [(NUMBER, "a case")])

        async def under(scope: Any, receive: Any, send: Any) -> None:
            path = scope["path"].removeprefix("/oidc")
            await door({**scope, "path": path, "root_path": "/oidc", "mock.fault": self.fault}, receive, send)

        self.call = Caller(under)
        settings = {"issuer": ISSUER, "client": str(folder / "oidc" / "client.json"), "scopes": ["openid"]}
        claims = Claims(NAMES, ROLES, {"1992100975", "0207373429"}, Vault(bytes(32)), frozenset())
        self.ours = Oidc(settings, BACK, claims, self, Vault(bytes(32)), self.clock)  # type: ignore[arg-type]

    def request(self, method: str, address: str, **what: Any) -> Any:
        return _Asked(self, method, address, what)

    async def choose(self, address: str, who: str = "dpo-ixelles") -> dict[str, str]:
        """What the issuer sends the browser back with."""
        reply = await self.form(address, {"who": who})
        assert 303 == reply.status, reply.body
        return dict(parse_qsl(urlsplit(reply.headers["location"]).query))

    async def form(self, address: str, form: dict[str, str], **headers: str) -> Reply:
        target = address.removeprefix("http://hub.example")
        return await self.call(
            "POST", target, urlencode(form).encode(), headers=headers, kind="application/x-www-form-urlencoded"
        )


class _Asked:
    """One request of aiohttp, answered by the mock in this process."""

    def __init__(self, stand: Stand, method: str, address: str, what: dict[str, Any]) -> None:
        self.stand, self.method, self.address, self.what = stand, method, address, what

    async def __aenter__(self) -> Any:
        if self.method == "POST":
            reply = await self.stand.form(self.address, self.what["data"], **self.what["headers"])
        else:
            reply = await self.stand.call("GET", self.address.removeprefix("http://hub.example"))
        body = reply.body
        if "openid-configuration" in self.address:
            body = orjson.dumps({**reply.json(), **self.stand.metadata})

        async def read(most: int) -> bytes:
            return body[:most]

        return SimpleNamespace(status=reply.status, content=SimpleNamespace(read=read))

    async def __aexit__(self, *_: object) -> None:
        return None


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    return Stand(tmp_path)


async def test_an_official_comes_back_with_the_role_and_organisation_that_settings_map(stand):
    address, flow = await stand.ours.start()
    person = await stand.ours.finish(flow, await stand.choose(address))

    assert (frozenset({"dpo"}), "1992100975", None) == (person.roles, person.org, person.subject)


async def test_whoever_has_a_number_is_a_citizen_and_is_not_known_by_it(stand):
    address, flow = await stand.ours.start()
    person = await stand.ours.finish(flow, await stand.choose(address, NUMBER))

    assert (frozenset({"citizen"}), NUMBER) == (person.roles, person.subject.id)
    assert NUMBER not in person.id


async def test_the_question_has_pkce_state_and_nonce_and_no_secret(stand):
    address, flow = await stand.ours.start()
    asked = dict(parse_qsl(urlsplit(address).query))

    assert ("code", "S256", BACK) == (asked["response_type"], asked["code_challenge_method"], asked["redirect_uri"])
    assert 43 == len(asked["code_challenge"]) == len(asked["state"]) == len(asked["nonce"])
    assert "client_secret" not in asked
    assert asked["state"] not in flow


async def refusal(stand: Stand, flow: str, answer: dict[str, str]) -> str:
    with pytest.raises(SignInFailed) as refused:
        await stand.ours.finish(flow, answer)
    return refused.value.reason


async def test_an_answer_to_another_flow_signs_nobody_in(stand):
    address, flow = await stand.ours.start()
    _, other = await stand.ours.start()
    answer = await stand.choose(address)

    assert "STATE" == await refusal(stand, other, answer)
    assert "STATE" == await refusal(stand, flow, {**answer, "state": ""})
    assert "NO_FLOW" == await refusal(stand, "", answer)
    assert "NO_FLOW" == await refusal(stand, flow[:-4] + "AAAA", answer)


async def test_a_code_that_was_stolen_is_worth_nothing_in_another_browser(stand):
    victims, _ = await stand.ours.start()
    thiefs, flow = await stand.ours.start()
    stolen = (await stand.choose(victims))["code"]
    own = await stand.choose(thiefs)

    assert "ISSUER_SAYS_NO" == await refusal(stand, flow, {**own, "code": stolen})  # the verifier is another


async def test_a_code_works_once_and_a_flow_not_after_ten_minutes(stand):
    address, flow = await stand.ours.start()
    answer = await stand.choose(address)
    await stand.ours.finish(flow, answer)

    assert "ISSUER_SAYS_NO" == await refusal(stand, flow, answer)

    stand.clock.now += FLOW + 1

    assert "TOO_LATE" == await refusal(stand, flow, answer)


@pytest.mark.parametrize("change", [{"iss": "https://attacker.invalid"}, {"iss": None}])
async def test_the_answer_of_another_issuer_is_refused(stand, change):
    address, flow = await stand.ours.start()
    answer = {**await stand.choose(address), **change}

    assert "MIX_UP" == await refusal(stand, flow, {name: value for name, value in answer.items() if value})


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("wrong_nonce", "NONCE"), ("wrong_audience", "InvalidAudienceError"), ("wrong_issuer", "InvalidIssuerError"), ("expired", "TIMES")],
)  # fmt: skip
async def test_a_token_that_is_well_signed_but_meant_for_another_is_refused(stand, fault, reason):
    address, flow = await stand.ours.start()
    answer, stand.fault = await stand.choose(address), fault

    assert reason == await refusal(stand, flow, answer)


@pytest.mark.parametrize("token", ["none", "hs256", "unknown_key"])
async def test_a_token_without_the_issuers_signature_is_refused(stand, token, monkeypatch):
    import jwt as jose

    address, flow = await stand.ours.start()
    answer = await stand.choose(address)
    kid = stand.issuer.keys()["keys"][0]["kid"]
    claims = {
        "iss": ISSUER,
        "aud": stand.issuer.client,
        "sub": "x",
        "iat": stand.clock.now,
        "exp": stand.clock.now + 60,
        "nonce": "n",
    }
    forged = {
        "none": jose.encode(claims, None, "none", headers={"kid": kid}),
        "hs256": jose.encode(claims, "x" * 32, "HS256", headers={"kid": kid}),
        "unknown_key": jose.encode(claims, "x" * 32, "HS256", headers={"kid": "other"}),
    }
    monkeypatch.setattr(stand.issuer, "redeem", lambda *_: {"id_token": forged[token]})

    assert await refusal(stand, flow, answer) in ("InvalidAlgorithmError", "UNKNOWN_KEY", "InvalidSignatureError")


async def test_an_issuer_that_names_another_is_not_believed(stand):
    stand.metadata = {"issuer": "http://hub.example/oidc/"}
    with pytest.raises(SignInFailed, match="ISSUER_NAMES_ANOTHER"):
        await stand.ours.start()


@pytest.mark.parametrize(
    ("change", "status"),
    [({"redirect_uri": "https://attacker.invalid/"}, 400), ({"code_challenge_method": "plain"}, 400), ({"state": ""}, 400), ({"client_id": "other"}, 400)],
)  # fmt: skip
async def test_the_mock_issuer_refuses_what_a_real_one_would(stand, change, status):
    address, _ = await stand.ours.start()
    asked = {**dict(parse_qsl(urlsplit(address).query)), **change}

    assert status == (await stand.form("/oidc/authorize?" + urlencode(asked), {"who": "auditor"})).status


def test_roles_that_nobody_mapped_and_a_dpo_of_nobody_are_no_roles():
    claims = Claims(NAMES, ROLES, {"1992100975"}, Vault(bytes(32)), frozenset())
    for said in (
        {"roles": ["hub_dpo", "citizen"]},
        {"roles": "integrator-dpo"},
        {"roles": ["integrator-dpo"], "cbeNumber": "0999999999"},
    ):
        assert frozenset() == claims.person(ISSUER, {"sub": "x", **said}).roles


def test_a_number_of_the_other_world_makes_nobody_a_citizen():
    real = Claims(NAMES, ROLES, (), Vault(bytes(32)), None)

    assert frozenset() == real.person(ISSUER, {"sub": "x", "egovNRN": NUMBER}).roles


@pytest.mark.parametrize("issuer", ["http://idp.example", "ftp://idp.example", "https://idp.example?x=1", ""])
def test_an_issuer_without_tls_is_refused_at_start(issuer):
    with pytest.raises(ConfigurationError):
        checked({"issuer": issuer}, sandbox=True)
    with pytest.raises(ConfigurationError):
        checked({"issuer": "http://127.0.0.1:8090/oidc"}, sandbox=False)
