"""A package that speaks nothing but SOAP asks the hub: zeep, over loopback, with a signature that nothing of ours made."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography import x509

from integrator.commands import apps
from integrator.commands.sandbox import Sandbox
from integrator.identity.certificates import thumbprint
from integrator.settings import Settings
from tests.flows.packages import Signature, package
from tests.unit.identity.crooked import Authority, Issued

PERSON = {"ssin": "84651797654", "dossierReference": "FLOW-2026-1"}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def issued(
    authority: Authority, hub: Sandbox, hub_settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Issued:
    """The certificate of a package of CPAS Ixelles, registered for it."""
    made = authority.issue("soap-desk")
    key = tmp_path_factory.mktemp("soap") / "soap-desk.jwk"
    apps.create(hub_settings, "soap-desk", "cpas-ixelles", ["social_inquiry"], key)
    path = hub.state / "applications" / "soap-desk.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"certificates": [thumbprint(made.der)]}))
    return made


@pytest.fixture(scope="module")
def hubs(hub: Sandbox) -> x509.Certificate:
    """What the hub signs its answers with, as a vendor is given it."""
    return x509.load_pem_x509_certificate((hub.state / "keys" / "soap.cert.pem").read_bytes())


@pytest.fixture
def wsse(issued: Issued, hubs: x509.Certificate) -> Signature:
    return Signature(issued.key, issued.certificate, hubs)


@pytest.fixture
def desk(hub: Sandbox, wsse: Signature) -> Any:
    return package(f"{hub.hub}/soap/v1/person", wsse)


def context(purpose: str = "social_inquiry", **more: str) -> dict[str, str]:
    return {"purpose": purpose, **more}


def test_a_question_is_answered_with_what_the_purpose_may_know(desk: Any):
    answer = desk.service.personGet(context(), fields=["familyName", "parents"], **PERSON)

    assert "Eekhoorn" == answer.body.familyName
    assert [("parents", "NOT_GRANTED")] == [(one.field, one.reason) for one in answer.body.withheld]
    assert answer.header.record.receipt
