"""Our projection of RetrieveTIGroups v2 against the published contract and the published, anonymised answers."""

from __future__ import annotations

from copy import deepcopy

import pytest
from lxml import etree

from integrator.registry import load_room
from integrator.transport.soap import Contract
from tests.contract import cases as played
from tests.unit.connectors import published
from tests.unit.connectors.published import CBSS

pytestmark = published.needed
ROOM = played.ROOT / "connectors" / "rijksregister"
INTF = "http://kszbcss.fgov.be/intf/RetrieveTIGroupsService/v2"
SSIN = "85660812341"
SLOTS = {
    "ticket": "00f067aa0ba902b7", "sent": "2026-11-30T11:00:00.000Z", "organisation": "0207373429",
    "context": "PERMIT:RESIDENT_PARKING", "ssin": SSIN, "language": "nl",
}  # fmt: skip


@pytest.fixture(scope="module")
def ours() -> Contract:
    return Contract.load(ROOM / "contract" / "2026-11" / "retrieve_ti_groups.wsdl")


@pytest.fixture(scope="module")
def theirs() -> etree.XMLSchema:
    """The schema inside the published WSDL."""
    wsdl = CBSS / "XSD/be/fgov/kszbcss/intf/RetrieveTIGroupsService/RetrieveTIGroupsV2.wsdl"
    (inline,) = etree.parse(str(wsdl)).iter("{http://www.w3.org/2001/XMLSchema}schema")
    return etree.XMLSchema(etree.fromstring(etree.tostring(inline), base_url=str(wsdl)))


def rendered(contract: Contract, *, history: bool) -> bytes:
    load_room(ROOM)
    from connectors.rijksregister import client

    return client._template(contract, history=history).render(**SLOTS)


@pytest.mark.parametrize("history", [False, True], ids=["today", "with_history"])
def test_what_we_ask_follows_the_published_schema(ours, theirs, history):
    asked = published.sixty_months_younger(rendered(ours, history=history), SSIN)

    assert [] == published.errors(theirs, etree.fromstring(asked))


def test_the_published_contract_gives_the_same_question_byte_for_byte(ours):
    theirs = Contract.load(
        CBSS / "XSD/be/fgov/kszbcss/intf/RetrieveTIGroupsService/RetrieveTIGroupsV2.wsdl", folder=CBSS / "XSD"
    )

    assert rendered(theirs, history=True) == rendered(ours, history=True)


def answer(sample: str) -> etree._Element:
    """A published answer (of version 1) in the order of version 2."""
    root = etree.parse(str(CBSS / "samples" / f"{sample}.xml")).getroot()
    customer = "<informationCustomer><customerIdentification><cbeNumber>0207373429</cbeNumber></customerIdentification></informationCustomer>"
    search = f"<legalContext>x</legalContext><searchInformation><ssin>{SSIN}</ssin></searchInformation>"
    status = "<status><value>DATA_FOUND</value><code>MSG00000</code></status>"
    response = etree.fromstring(
        f'<v:retrieveTIGroupsResponse xmlns:v="{INTF}">{customer}{search}{status}</v:retrieveTIGroupsResponse>'
    )
    response.append(deepcopy(root.find(".//rrn_it_implicit")))
    return response


@pytest.mark.parametrize("sample", ["demo_tx25_1", "demo_tx25_2"])
def test_published_answers_follow_our_projection(ours, sample):
    ours.check(answer(sample))


def values(sample: str, name: str = "rijksregister_person", *, history: bool = False) -> dict:
    said = answer(sample)
    number = said.findtext(".//{*}NationalNumber/{*}NationalNumber/{*}NationalNumber")
    return played.sheet(name).plan(None, history=history).extract(said, {"ssin": number}).values


def test_somebody_abroad_has_no_address_although_the_file_still_holds_one():
    assert "address" not in values("demo_tx25_1")


def test_somebody_abroad_lives_in_the_country_that_keeps_the_file():
    kinds = [address["kind"] for address in values("demo_tx25_1", "rijksregister_address_history")["addresses"]]

    assert ["abroad"] == kinds


def test_only_the_newest_of_eight_addresses_without_deldate_is_current():
    assert 1 == len(values("demo_tx25_2", "rijksregister_address_history")["addresses"])


def test_eight_addresses_follow_each_other_when_history_is_granted():
    addresses = values("demo_tx25_2", "rijksregister_address_history", history=True)["addresses"]

    assert [one["startDate"] for one in addresses[:-1]] == [one["endDate"] for one in addresses[1:]]


def test_a_legal_cohabitation_that_marriage_ended_is_over():
    assert "legalCohabitation" not in values("demo_tx25_2", history=True)


def test_zeep_reads_the_same_names_from_the_published_schema():
    theirs = Contract.load(
        CBSS / "XSD/be/fgov/kszbcss/intf/RetrieveTIGroupsService/RetrieveTIGroupsV2.wsdl", folder=CBSS / "XSD"
    )
    envelope = etree.fromstring(
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body/></s:Envelope>'
    )
    envelope[0].append(answer("demo_tx25_2"))
    name = theirs.decode("retrieveTI", etree.tostring(envelope))["rrn_it_implicit"]["Names"]["Name"][0]["Name"]
    by_zeep = ([one["Label"] for one in name["LastName"]], [one["Label"] for one in name["FirstName"]])
    found = values("demo_tx25_2")

    assert by_zeep == ([found["familyName"]], found["givenNames"])
