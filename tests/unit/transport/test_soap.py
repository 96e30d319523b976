"""Contracts and envelopes: zeep is the reference, templates and positions are what runs."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import pytest
from lxml import etree

from integrator.errors import ConfigurationError
from integrator.transport.envelope import SOAP, NotSoap, envelope, fault_of, open_envelope
from integrator.transport.soap import Contract, SchemaError, slot
from integrator.transport.xml import UnsafeXml, canonical, parse

CONTRACT = Path(__file__).parent / "contract"
NS = "urn:test:greeter"


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract.load(CONTRACT / "greeter.wsdl")


def payload(xml: str) -> etree._Element:
    return parse(xml.encode(), 10_000)


def test_a_template_writes_what_zeep_would_have_written(contract):
    template = contract.template("greet", {"Name": slot("name"), "Since": slot("since"), "Loud": True})
    by_zeep = contract.template("greet", {"Name": "Zoë & Cie <fils>", "Since": "2026-01-31", "Loud": True})

    assert by_zeep.render() == template.render(name="Zoë & Cie <fils>", since="2026-01-31")


def test_a_rendered_payload_is_already_canonical(contract):
    template = contract.template("greet", {"Name": slot("name"), "Times": slot("times")})

    rendered = template.render(name='a\r\n\t"b" & <c>', times="3")

    assert canonical(parse(envelope(rendered), 10_000)[0][0]) == rendered


def test_a_value_cannot_become_markup(contract):
    template = contract.template("greet", {"Name": slot("name")})

    rendered = template.render(name="</Name><Loud>true</Loud><Name>")

    assert ["Name"] == [etree.QName(child).localname for child in payload(rendered.decode())]


def test_a_value_that_looks_like_a_slot_stays_a_value(contract):
    template = contract.template("greet", {"Name": slot("name"), "Times": slot("times")})

    assert "\ue000times\ue001" in template.render(name="\ue000times\ue001", times="1").decode()


def test_a_missing_value_is_an_error_and_not_an_empty_element(contract):
    with pytest.raises(KeyError):
        contract.template("greet", {"Name": slot("name")}).render()


@pytest.mark.parametrize(
    "text", ["a\x00b", "\x1b[0m", "\ud800", "\ufffe"], ids=["nul", "control", "surrogate", "unassigned"]
)
def test_text_that_xml_cannot_carry_is_refused(contract, text):
    with pytest.raises(UnsafeXml):
        contract.template("greet", {"Name": slot("name")}).render(name=text)


def test_header_blocks_of_the_contract_are_templates_too(contract):
    template = contract.template("greet", {"Name": "x"}, {"language": slot("language")})

    assert f'<ns0:Language xmlns:ns0="{NS}">nl</ns0:Language>'.encode() == template.render_header(language="nl")


def test_the_soap_action_comes_from_the_contract(contract):
    assert "urn:test:greet" == contract.template("greet", {"Name": "x"}).action


def test_an_operation_with_the_wrong_words_is_a_configuration_error(contract):
    with pytest.raises(ConfigurationError, match=r"greeter.wsdl, greet"):
        contract.template("greet", {"Nom": "x"})


def test_an_answer_that_follows_the_schema_passes(contract):
    contract.check(payload(f'<GreetResponse xmlns="{NS}"><Greeting>dag</Greeting></GreetResponse>'))


@pytest.mark.parametrize(
    "xml",
    [
        f'<GreetResponse xmlns="{NS}"/>',
        f'<GreetResponse xmlns="{NS}"><Greeting>a</Greeting><Secret>b</Secret></GreetResponse>',
        "<GreetResponse><Greeting>a</Greeting></GreetResponse>",
        f'<Unknown xmlns="{NS}"/>',
    ],
    ids=["part_missing", "part_too_many", "namespace_lost", "unknown_element"],
)
def test_an_answer_that_drifted_from_the_schema_is_refused(contract, xml):
    with pytest.raises(SchemaError):
        contract.check(payload(xml))


def test_a_schema_error_never_quotes_the_answer(contract):
    with pytest.raises(SchemaError) as caught:
        contract.check(payload(f'<GreetRequest xmlns="{NS}"><Name>x</Name><Since>geheim</Since></GreetRequest>'))

    assert "geheim" not in str(caught.value)


def test_zeep_reads_the_same_greetings_as_the_tree_holds(contract):
    greetings = "<Greeting>a</Greeting><Greeting>é</Greeting>"
    data = envelope(f'<GreetResponse xmlns="{NS}">{greetings}</GreetResponse>'.encode())

    assert ["a", "é"] == contract.decode("greet", data)


# --- the folder a contract may not leave --------------------------------------------------------------------


def lead_away(tmp_path: Path, location: str) -> Path:
    shutil.copytree(CONTRACT, tmp_path / "contract")
    wsdl = tmp_path / "contract" / "greeter.wsdl"
    wsdl.write_text(wsdl.read_text().replace('schemaLocation="greeter.xsd"', f'schemaLocation="{location}"'))
    shutil.copy(CONTRACT / "greeter.xsd", tmp_path / "outside.xsd")
    return wsdl


@pytest.mark.parametrize(
    "location",
    [
        "../outside.xsd",
        "file:///etc/hostname",
        "/etc/hostname",
        "http://127.0.0.1:9/x.xsd",
        "https://example.org/x.xsd",
    ],
)
def test_a_contract_that_points_elsewhere_is_refused(tmp_path, location):
    with pytest.raises(ConfigurationError):
        Contract.load(lead_away(tmp_path, location))


def test_a_link_out_of_the_folder_is_refused(tmp_path):
    wsdl = lead_away(tmp_path, "linked.xsd")
    (wsdl.parent / "linked.xsd").symlink_to(tmp_path / "outside.xsd")

    with pytest.raises(ConfigurationError):
        Contract.load(wsdl)


def test_a_contract_with_a_doctype_is_refused(tmp_path):
    wsdl = lead_away(tmp_path, "greeter.xsd")
    wsdl.write_text(wsdl.read_text().replace("<wsdl:definitions", "<!DOCTYPE x []><wsdl:definitions", 1))

    with pytest.raises(ConfigurationError):
        Contract.load(wsdl)


@pytest.mark.parametrize("name", ["zeep", "zeep.transports", "zeep.wsdl.bindings.soap", "zeep.xsd.schema"])
def test_zeep_never_logs_an_envelope_even_when_the_root_logger_is_chatty(name):
    assert not logging.getLogger(name).isEnabledFor(logging.DEBUG)


# --- envelopes ----------------------------------------------------------------------------------------------


def test_an_envelope_is_taken_apart_by_position():
    opened = open_envelope(envelope(b"<a></a>", b"<h></h>"), 10_000)

    assert ("a", "h") == (opened.payload.tag, opened.header[0].tag)


@pytest.mark.parametrize(
    "inner",
    ["", "<s:Body/>", "<s:Body><a/><b/></s:Body>", "<s:Body><a/></s:Body><s:Body><b/></s:Body>",
     "<s:Body><a/></s:Body><s:Header/>", "<s:Body><a/></s:Body><other/>"],
    ids=["nothing", "empty_body", "two_payloads", "two_bodies", "header_behind", "something_behind"],
)  # fmt: skip
def test_an_envelope_built_otherwise_is_refused(inner):
    with pytest.raises(NotSoap):
        open_envelope(f'<s:Envelope xmlns:s="{SOAP}">{inner}</s:Envelope>'.encode(), 10_000)


def test_another_version_of_soap_is_refused():
    soap_1_2 = envelope(b"<a></a>").replace(SOAP.encode(), b"http://www.w3.org/2003/05/soap-envelope")

    with pytest.raises(NotSoap):
        open_envelope(soap_1_2, 999)


def test_a_fault_is_read_with_its_detail():
    inner = "<faultcode>s:Client</faultcode><faultstring>no</faultstring><detail><x/></detail>"

    fault = fault_of(payload(f'<s:Fault xmlns:s="{SOAP}">{inner}</s:Fault>'))

    assert ("Client", "no", "x") == (fault.code, fault.text, fault.detail[0].tag)


def test_an_ordinary_answer_is_no_fault():
    assert fault_of(payload("<a/>")) is None
