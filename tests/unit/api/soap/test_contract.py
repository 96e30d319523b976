"""The contract that packages are built on: valid, the same bytes always, and saying neither more nor less than REST does.

`REWRITE_CASES=1 pytest tests/unit/api/soap` writes the golden WSDL anew: read the difference before you commit it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import zeep
import zeep.transports
from lxml import etree

from integrator.api.openapi import request_example, request_schema
from integrator.api.problems import Problems
from integrator.api.soap import contract, reading, writing, wsdl, xsd
from integrator.errors import MalformedRequest
from integrator.transport.xml import parse
from tests.contract.test_mappings import CASES, DASHES
from tests.flows.questions import SERVICES

BASE = "http://127.0.0.1:8443"
GOLDEN = Path(__file__).parent / "golden"
DOMAINS = contract.domains(SERVICES, Problems(BASE))
OPERATIONS = [(domain, one) for domain in DOMAINS.values() for one in domain.operations.values()]
every_domain = pytest.mark.parametrize("domain", DOMAINS.values(), ids=list(DOMAINS))
every_operation = pytest.mark.parametrize(("domain", "operation"), OPERATIONS, ids=[one.name for _, one in OPERATIONS])


def schema(domain: contract.Domain) -> etree.XMLSchema:
    return etree.XMLSchema(
        etree.fromstring(xsd.schema(domain).replace("<xs:schema ", f'<xs:schema xmlns:tns="{domain.namespace}" '))
    )


SCHEMAS = {name: schema(domain) for name, domain in DOMAINS.items()}


def asked(domain: contract.Domain, operation: contract.Operation, body: dict[str, Any]) -> etree._Element:
    """A question as a package would write it."""
    return parse(writing.document(domain, operation.name, operation.request, body), 1_000_000)


def example(operation: contract.Operation) -> dict[str, Any]:
    if operation.service is None:
        return {"context": {"purpose": "social_inquiry"}, "deliveryId": "0" * 32}
    if operation.part == "fetch":
        return {"context": {"purpose": "social_inquiry"}, "cursor": "0" * 32}
    if operation.part == "answer":
        kinds = {name: kind.schema for name, kind in operation.service.later.reply.items() if kind.required}
        told = {name: one["examples"][0] if "examples" in one else one["enum"][0] for name, one in kinds.items()}
        return {
            "context": {"purpose": "social_inquiry"}, "idempotencyKey": "first-answer", "deliveryId": "0" * 32, "content": told,
        }  # fmt: skip
    key = {"idempotencyKey": "first-message"} if operation.service.later is not None else {}
    return {"context": {"purpose": "social_inquiry"}, **key, **request_example(operation.service)}


def test_every_service_can_be_asked_but_for_those_without_a_door():
    followed = {name for name, one in SERVICES.items() if not one.has_door}
    opened = {name for name, one in SERVICES.items() if one.is_open}  # for anybody, at the open door alone

    assert opened
    assert set(SERVICES) - followed - opened == {one.service.name for _, one in OPERATIONS if one.service is not None}


@every_domain
def test_the_wsdl_is_the_same_bytes_always(domain):
    again = contract.domains(dict(reversed(SERVICES.items())), Problems(BASE))[domain.name]

    assert wsdl.render(domain, BASE) == wsdl.render(again, BASE)


@pytest.mark.parametrize("name", ["parking", "delivery"])
def test_the_wsdl_is_what_packages_were_built_on(name):
    path, now = GOLDEN / f"{name}.wsdl", wsdl.render(DOMAINS[name], BASE)
    if os.environ.get("REWRITE_CASES"):
        path.write_bytes(now)

    assert path.read_bytes() == now


@every_domain
def test_zeep_reads_the_wsdl_and_finds_every_operation(domain, tmp_path):
    path = tmp_path / "it.wsdl"
    path.write_bytes(wsdl.render(domain, BASE))
    client = zeep.Client(
        str(path), transport=zeep.transports.Transport(), settings=zeep.Settings(strict=True, forbid_dtd=True)
    )

    assert set(domain.operations) == set(client.service._binding.all())
    assert f"{BASE}/soap/v1/{domain.name}" == client.service._binding_options["address"]


@every_operation
def test_an_ordinary_question_is_valid_and_is_read_as_the_body_of_rest(domain, operation):
    told = example(operation)
    question = asked(domain, operation, told)

    SCHEMAS[domain.name].assertValid(question)
    assert told == reading.body(domain, operation.request, question)


@every_operation
def test_the_types_are_those_of_openapi(domain, operation):
    """Every property of a REST body, and what a message needs beside it: nothing else, and nothing less."""
    if operation.part == "fetch":
        told = operation.answer["properties"]["items"]["items"]["properties"]
        assert {*operation.service.keys, "content", "sender", "dossierReference", "deliveryId", "time"} == set(told)
        assert set(operation.service.later.content) == set(told["content"]["properties"])
    elif operation.part == "answer":
        assert set(operation.service.later.reply) == set(operation.request["properties"]["content"]["properties"])
    elif operation.service is not None:
        own = {"context", "idempotencyKey"} if operation.service.later else {"context"}

        assert request_schema(operation.service)["properties"].keys() == operation.request["properties"].keys() - own


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.stem}/{path.stem}")
def test_whatever_a_source_says_can_be_told_and_read_back(path):
    """Every golden case of every mapping, with all fields that some service offers of it."""
    values = json.loads(path.read_text(encoding="utf-8").partition(DASHES)[2])["values"]
    offered = [(domain, one) for domain, one in OPERATIONS if _sheet(one) == path.parent.name.removesuffix(".cases")]
    for domain, operation in offered:
        answer = _offered(values, operation)
        written = parse(writing.document(domain, operation.name + "Response", operation.answer, answer), 5_000_000)

        SCHEMAS[domain.name].assertValid(written)
        assert _without_empty_lists(answer) == reading.body(domain, operation.answer, written)


def _sheet(operation: contract.Operation) -> str | None:
    sheet = operation.service.sheet if operation.service is not None else None
    return None if sheet is None else sheet.name


def _offered(values: dict[str, Any], operation: contract.Operation) -> dict[str, Any]:
    """What the service's own plan would take of it: by the schema, which is made of what it offers."""
    return {name: _cut(values[name], kind) for name, kind in operation.answer["properties"].items() if name in values}


def _cut(value: Any, kind: dict[str, Any]) -> Any:
    if isinstance(value, list):
        return [_cut(one, kind["items"]) for one in value]
    if isinstance(value, dict) and "properties" in kind:
        return {
            name: _cut(inner, kind["properties"][name]) for name, inner in value.items() if name in kind["properties"]
        }
    return value


def _without_empty_lists(value: Any) -> Any:
    """In XML a list of none is nothing."""
    if isinstance(value, dict):
        return {name: _without_empty_lists(one) for name, one in value.items() if one != []}
    return [_without_empty_lists(one) for one in value] if isinstance(value, list) else value


def test_what_the_contract_does_not_know_is_never_left_out_quietly():
    domain = DOMAINS["person"]

    with pytest.raises(writing.Undescribed):
        writing.document(domain, "personGetResponse", domain.operations["personGet"].answer, {"shoeSize": 43})


# --- what is no question ----------------------------------------------------------------------------------------------

WOUNDS = {
    "unknown_element": ("<p:shoeSize>43</p:shoeSize>", "unknownInput", "/(unnamed)"),
    "element_of_another_namespace": ("<dossierReference xmlns='urn:other'>x</dossierReference>", "unknownInput", "/(unnamed)"),
    "element_of_no_namespace": ("<dossierReference>x</dossierReference>", "unknownInput", "/(unnamed)"),
    "the_subject_twice": ("<p:ssin>84651797654</p:ssin>", "schemaViolation", "/ssin"),
    "an_element_inside_a_text": ("<p:history><p:b/></p:history>", "schemaViolation", "/history"),
    "text_between_elements": ("words", "schemaViolation", "/"),
    "an_attribute": ("<p:history a='1'>true</p:history>", "unknownInput", "/history"),
    "nil": ("<p:history xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:nil='true'/>", "unknownInput", "/history"),
}  # fmt: skip


@pytest.mark.parametrize("wound", WOUNDS)
def test_a_crooked_question_is_refused_at_its_place(wound):
    more, kind, place = WOUNDS[wound]
    domain = DOMAINS["person"]
    data = f'<p:personGet xmlns:p="{domain.namespace}"><p:ssin>84651797654</p:ssin>{more}</p:personGet>'

    with pytest.raises(MalformedRequest) as refusal:
        reading.body(domain, domain.operations["personGet"].request, parse(data.encode(), 9_999))

    assert [(kind, place)] == [(one.kind, one.name) for one in refusal.value.issues]
    assert "84651797654" not in str(refusal.value.issues)


def test_lists_flags_and_numbers_are_what_they_are_in_json():
    domain = DOMAINS["enterprise"]
    operation = domain.operations["enterpriseSearch"]
    data = (
        f'<p:enterpriseSearch xmlns:p="{domain.namespace}"><p:history> 1 </p:history><p:fields>a</p:fields>'
        "<p:fields>b</p:fields></p:enterpriseSearch>"
    )

    assert {"history": True, "fields": ["a", "b"]} == reading.body(
        domain, operation.request, parse(data.encode(), 9_999)
    )
