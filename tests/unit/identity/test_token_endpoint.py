"""The token endpoint: parameters, purposes and the RFC's own error codes."""

from __future__ import annotations

from typing import Any

import jwt
import pytest

DETAILS = '[{"type":"purpose","purpose":"resident_permit"}]'


async def test_answer_names_what_was_granted(shop: Any) -> None:
    status, body = await shop.ask(
        purpose=None,
        authorization_details='[{"type":"purpose","purpose":"resident_permit","dossier":"IX-1","agent":"a.7f3"}]',
    )

    assert (200, "Bearer", 300) == (status, body["token_type"], body["expires_in"])
    assert [{"type": "purpose", "purpose": "resident_permit", "dossier": "IX-1", "agent": "a.7f3"}] == body[
        "authorization_details"
    ]


async def test_token_says_who_for_whom_and_why(shop: Any) -> None:
    token = await shop.token()
    claims = jwt.decode(token, options={"verify_signature": False})

    assert ("https://hub.example/sandbox", "https://hub.example", "ixelles-parking", "ixelles-parking", "0207373429", 300) == (
        claims["iss"], claims["aud"], claims["client_id"], claims["sub"], claims["organisation"], claims["exp"] - claims["iat"],
    )  # fmt: skip
    assert "at+jwt" == jwt.get_unverified_header(token)["typ"]


async def test_two_tokens_are_never_the_same(shop: Any) -> None:
    assert await shop.token() != await shop.token(client_assertion=shop.assertion(jti="another-one"))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": None}, "invalid_request"), ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"client_assertion_type": None}, "invalid_client"), ({"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"}, "invalid_client"),
        ({"client_secret": "x"}, "invalid_client"), ({"client_id": "forest-parking"}, "invalid_client"), ({"resource": "https://other.example"}, "invalid_target"),
        ({"purpose": None}, "invalid_authorization_details"), ({"purpose": ""}, "invalid_authorization_details"),
        ({"purpose": "school_enrolment"}, "invalid_authorization_details"), ({"authorization_details": DETAILS}, "invalid_authorization_details"),
    ],
    ids=["no_grant", "other_grant", "no_assertion_type", "other_assertion_type", "secret", "other_client_id", "other_resource", "no_purpose", "empty_purpose",
         "purpose_not_enrolled", "purpose_said_twice"],
)  # fmt: skip
async def test_parameter_that_does_not_fit(shop: Any, changes: dict[str, str | None], error: str) -> None:
    status, body = await shop.ask(**changes)

    assert ((401 if error == "invalid_client" else 400), error) == (status, body["error"])
    assert body["error_description"]


DETAILS_WOUNDS = {
    "not_json": "resident_permit", "an_object": '{"type":"purpose","purpose":"resident_permit"}', "empty_list": "[]",
    "two_purposes": '[{"type":"purpose","purpose":"resident_permit"},{"type":"purpose","purpose":"permit_renewal"}]',
    "other_type": '[{"type":"payment","purpose":"resident_permit"}]', "no_type": '[{"purpose":"resident_permit"}]',
    "no_purpose": '[{"type":"purpose"}]', "purpose_a_list": '[{"type":"purpose","purpose":["resident_permit"]}]',
    "unknown_member": '[{"type":"purpose","purpose":"resident_permit","fields":["x"]}]', "not_enrolled": '[{"type":"purpose","purpose":"school_enrolment"}]',
    "duplicate_member": '[{"type":"purpose","purpose":"resident_permit","purpose":"permit_renewal"}]',
    "number_as_dossier": '[{"type":"purpose","purpose":"resident_permit","dossier":"85660812341"}]',
    "number_as_agent": '[{"type":"purpose","purpose":"resident_permit","agent":"85.66.08-123.41"}]',
    "agent_with_spaces": '[{"type":"purpose","purpose":"resident_permit","agent":"Vrolijke Eekhoorn"}]', "dossier_null": '[{"type":"purpose","purpose":"resident_permit","dossier":null}]',
    "broken_out": '[{"type":"purpose","purpose":"resident_permit"}],"x":1', "nested_deep": "[" * 40 + "]" * 40, "surrogate": '["\\ud800"]', "not_ascii_dossier": '[{"type":"purpose","purpose":"resident_permit","dossier":"\\u0000"}]',
}  # fmt: skip


@pytest.mark.parametrize("wound", list(DETAILS_WOUNDS))
async def test_authorization_details_that_do_not_fit(shop: Any, wound: str) -> None:
    status, body = await shop.ask(purpose=None, authorization_details=DETAILS_WOUNDS[wound])

    assert (400, "invalid_authorization_details") == (status, body["error"])
    assert not [word for word in ("85660812341", "Eekhoorn", "school_enrolment") if word in body["error_description"]]


@pytest.mark.parametrize(
    "form",
    [
        b"",
        b"grant_type",
        b"\xff\xfe",
        b"a=%ff",
        b"&".join(b"a%d=1" % n for n in range(50)),
        b"grant_type=client_credentials&grant_type=client_credentials",
    ],
)
async def test_form_that_is_none(shop: Any, form: bytes) -> None:
    status, body = await shop.identity.token(form)

    assert (400, "invalid_request") == (status, body["error"])


async def test_parameter_twice_is_refused_even_when_equal(shop: Any) -> None:
    status, body = await shop.identity.token(shop.form() + b"&purpose=resident_permit")

    assert (400, "invalid_request") == (status, body["error"])


async def test_unknown_parameters_are_not_looked_at(shop: Any) -> None:
    assert 200 == (await shop.ask(scope="everything", tenant="x"))[0]
