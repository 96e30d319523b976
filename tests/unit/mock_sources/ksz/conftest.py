"""The Crossroads Bank mock, opened on the derived region, and the published SSDN schemas where they lie beside us."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path

import pytest
from lxml import etree

from mock_sources.sources import ksz
from mock_sources.sources.ksz.ssdn import CONNECTOR
from tests.unit.mock_sources.soap_asking import CPAS, Caller, Reply, customer, new_kit

SSDN = "http://www.ksz-bcss.fgov.be/XSD/SSDN"
IDENTIFY, ACCESS = f"{SSDN}/OCMW_CPAS/IdentifyPerson", f"{SSDN}/OCMW_CPAS/ManageAccess"


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    return new_kit(tmp_path_factory)


@pytest.fixture
def caller(kit, clock) -> Caller:
    return Caller(kit, clock)


@pytest.fixture
def bank(world, kit, clock):
    return ksz.build(world, kit, clock)


@pytest.fixture
def subject(world):
    """The person of the demo: integrated by the Region and by the centres for social welfare."""
    return world.personas["vrolijke-eekhoorn"].person


def request(
    body: str, service: str, *, unit: str | None = CPAS, sector: str = "17", sub: str = "1", version: str = "20050930"
) -> str:
    """An SSDNRequest document round one service body."""
    return (
        f'<SSDNRequest xmlns="{SSDN}/Service"><RequestContext><AuthorizedUser><UserID>71640618918</UserID>'
        f"<Email>desk@cpas.invalid</Email>{f'<OrgUnit>{unit}</OrgUnit>' if unit else ''}<MatrixID>{sector}</MatrixID>"
        f"<MatrixSubID>{sub}</MatrixSubID></AuthorizedUser><Message><Reference>case 7</Reference>"
        "<TimeRequest>20261123T120000</TimeRequest></Message></RequestContext><ServiceRequest>"
        f"<ServiceId>{service}</ServiceId><Version>{version}</Version>{body}</ServiceRequest></SSDNRequest>"
    )


@pytest.fixture
def send_xml(bank, caller) -> Callable[..., etree._Element]:
    """send_xml(document, fault=…) -> the SSDNReply, parsed out of its string."""

    def send(document: str, fault: str | None = None) -> etree._Element:
        payload = f'<xmlString xmlns="{CONNECTOR}">{escape(document, quote=False)}</xmlString>'
        reply = caller.ask(bank, ksz.SSDN_PATH, ksz.SSDN_ACTION, payload, fault=fault)
        assert 200 == reply.status, reply.data
        return etree.fromstring(reply.payload.text.encode())

    return send


@pytest.fixture
def project(bank, caller) -> Callable[..., Reply]:
    """project(name, inside of searchInformation, cbe=…, context=…, fault=…) -> Reply of a newer service."""

    def ask(name: str, search: str, fault: str | None = None, variant: str | None = None, **opening: str) -> Reply:
        operation = ksz.PROJECTIONS[name][1]
        payload = (
            f'<s:{operation}Request xmlns:s="{ksz.namespace(name)}">{customer(**opening)}<searchInformation>'
            f"{search}</searchInformation></s:{operation}Request>"
        )
        return caller.ask(bank, ksz.path(name), ksz.action(name), payload, fault=fault, variant=variant)

    return ask


@pytest.fixture(scope="session")
def published_ssdn(tmp_path_factory) -> etree.XMLSchema:
    """The published schemas of the envelope and of both services, behind one door."""
    folder = Path(__file__).resolve().parents[4].parent / "shared" / "contracts" / "cbss" / "XSD" / "SSDN"
    if not folder.is_dir():
        pytest.skip("the published contracts are not beside this checkout")
    rooms = {
        f"{SSDN}/Service": "Service/NamespaceRoot.xsd",
        IDENTIFY: "OCMW_CPAS/IdentifyPerson/NamespaceRoot.xsd",
        ACCESS: "OCMW_CPAS/ManageAccess/NamespaceRoot.xsd",
    }
    imports = "".join(
        f'<xs:import namespace="{uri}" schemaLocation="{(folder / place).as_uri()}"/>' for uri, place in rooms.items()
    )
    door = tmp_path_factory.mktemp("ssdn") / "door.xsd"
    door.write_text(f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{imports}</xs:schema>')
    return etree.XMLSchema(etree.parse(str(door)))


def said(reply: etree._Element, name: str) -> list[str | None]:
    """Texts of every element of that local name."""
    return [one.text for one in reply.iter("{*}" + name)]


def outcome(reply: etree._Element) -> tuple[list[str], list[str | None]]:
    """`ok` of every summary (envelope first) and every reason code."""
    return [one.get("ok") for one in reply.iter("{*}ResultSummary")], said(reply, "ReasonCode")
