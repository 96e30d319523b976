"""The Rijksregister mock, opened on the derived region, and the published XSD where it lies beside the checkout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest
from lxml import etree

from mock_sources.sources import rijksregister
from tests.unit.mock_sources.soap_asking import Caller, Reply, customer, new_kit

XSD = "{http://www.w3.org/2001/XMLSchema}"
TEST_NUMBERS = r"[0-9][0-9]((6[0-9])|(7[0-2]))(([0-2][0-9])|(3[01]))[0-9]{3}[0-9]{2}"


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    return new_kit(tmp_path_factory)


@pytest.fixture
def caller(kit, clock) -> Caller:
    return Caller(kit, clock)


@pytest.fixture
def register(world, kit, clock):
    return rijksregister.build(world, kit, clock)


def question(ssin: str, *, language: str | None = None, history: str | None = None, **opening: str) -> str:
    """One retrieveTIGroupsRequest."""
    return (
        f'<i:retrieveTIGroupsRequest xmlns:i="{rijksregister.NAMESPACE}">{customer(**opening)}<searchInformation>'
        f"<ssin>{ssin}</ssin>{f'<language>{language}</language>' if language else ''}"
        f"{f'<history>{history}</history>' if history else ''}</searchInformation></i:retrieveTIGroupsRequest>"
    )


@pytest.fixture
def retrieve(register, caller) -> Callable[..., Reply]:
    """retrieve(ssin, language=…, history=…, fault=…) -> Reply."""

    def ask(ssin: str, fault: str | None = None, variant: str | None = None, **asked: str) -> Reply:
        payload = question(ssin, **asked)
        return caller.ask(register, rijksregister.PATH, rijksregister.ACTION, payload, fault=fault, variant=variant)

    return ask


@pytest.fixture(scope="session")
def published(tmp_path_factory) -> etree.XMLSchema:
    """The published schema of RetrieveTIGroups v2, with one pattern more: test numbers."""
    contracts = Path(__file__).resolve().parents[4].parent / "shared" / "contracts" / "cbss" / "XSD" / "be"
    if not contracts.is_dir():
        pytest.skip("the published contracts are not beside this checkout")
    copy = tmp_path_factory.mktemp("xsd") / "be"
    copytree(contracts, copy)
    common = copy / "fgov/kszbcss/types/common/CommonV3.xsd"
    document = etree.parse(str(common))
    ssin = document.find(f".//{XSD}simpleType[@name='SsinType']/{XSD}restriction")
    etree.SubElement(ssin, f"{XSD}pattern", value=TEST_NUMBERS)
    document.write(str(common))
    wsdl = etree.parse(str(copy / "fgov/kszbcss/intf/RetrieveTIGroupsService/RetrieveTIGroupsV2.wsdl"))
    schema = copy / "fgov/kszbcss/intf/RetrieveTIGroupsService/messages.xsd"
    schema.write_bytes(etree.tostring(wsdl.find(f".//{XSD}schema")))
    return etree.XMLSchema(etree.parse(str(schema)))
