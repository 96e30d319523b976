"""The Crossroads Bank for Social Security: its classic SSDN connector, and four newer services as projections."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from lxml import etree

from mock_sources import commonv3
from mock_sources.clock import Clock
from mock_sources.credentials import Credentials
from mock_sources.soap import Call, Contract, Operation, Router, Service
from mock_sources.sources.ksz.access import ManageAccess
from mock_sources.sources.ksz.dmfa import DmfaConsultation
from mock_sources.sources.ksz.household import HouseholdComposition
from mock_sources.sources.ksz.identify import IdentifyPerson
from mock_sources.sources.ksz.living_wage import LivingWage
from mock_sources.sources.ksz.network import Directory, Members
from mock_sources.sources.ksz.projection import Answer, Projection
from mock_sources.sources.ksz.social_status import SocialStatus
from mock_sources.sources.ksz.ssdn import CONNECTOR, SendXml, ServiceBody
from mock_sources.sources.recall import Recall
from mock_sources.world import World
from mock_sources.wsse import Gate, Signer

ROOM = Path(__file__).parent
SCHEMA = ROOM / "schema"
SSDN_PATH = "/connectors/webservice/KSZBCSSWebServiceConnectorPort"
SSDN_ACTION = f"{CONNECTOR}/sendXML"
PROJECTIONS = {
    "household_composition": ("HouseholdCompositionService", "getHouseholdComposition"),
    "living_wage": ("LivingWageService", "getLivingWage"),
    "social_status": ("SocialStatusService", "getSocialStatus"),
    "dmfa_consultation": ("DmfaConsultationService", "consultDmfaAttestationsBySsin"),
}
"""The newer services: name in mock.yaml -> (service in the path, operation)."""

Handle = Callable[[etree._Element, Call], str]


def namespace(name: str) -> str:
    """The namespace of one projection.

    >>> namespace("living_wage")
    'urn:mock-sources:ksz:projection:living-wage:v1'
    """
    return f"urn:mock-sources:ksz:projection:{name.replace('_', '-')}:v1"


def path(name: str) -> str:
    """The path of one projection."""
    return f"/SOA4520/{PROJECTIONS[name][0]}/v1"


def action(name: str) -> str:
    """The SOAPAction of one projection."""
    return f"{namespace(name)}/{PROJECTIONS[name][1]}"


def build(world: World, credentials: Credentials, clock: Clock) -> Router:
    """Open the source: an ASGI callable for the paths in mock.yaml."""
    manual = yaml.safe_load((ROOM / "mock.yaml").read_text("utf-8"))
    signer = Signer(credentials.ksz.key, credentials.ksz.certificate)
    gate = Gate(credentials.client.certificate, clock)
    operations = _operations(world, clock, manual)
    return Router({one.path: Service(one, gate, signer, clock) for one in operations})


def _operations(world: World, clock: Clock, manual: dict[str, Any]) -> list[Operation]:
    members, directory = Members(manual["organisations"]), Directory(world)
    rules, region = manual["services"], Recall(world, clock)
    answers: dict[str, Answer] = {
        "household_composition": HouseholdComposition(region, rules["household_composition"]),
        "living_wage": LivingWage(rules["living_wage"]["decision_lag_days"]),
        "social_status": SocialStatus(rules["social_status"]),
        "dmfa_consultation": DmfaConsultation(world, rules["dmfa_consultation"]),
    }
    projections = {
        name: Projection(PROJECTIONS[name][1], namespace(name), answer, rules[name], region, members, directory)
        for name, answer in answers.items()
    }
    classic: dict[str, ServiceBody] = {
        "OCMWCPASIdentifyPerson": IdentifyPerson(world, manual),
        "OCMWCPASManageAccess": ManageAccess(world, directory, manual),
    }
    send_xml = Operation(
        path=SSDN_PATH,
        action=SSDN_ACTION,
        question=f"{{{CONNECTOR}}}xmlString",
        handle=SendXml(classic, members, manual, SCHEMA),
        contract=Contract(SCHEMA / "web_service_connector.xsd"),
    )
    return [send_xml, *(_operation(name, handle) for name, handle in projections.items())]


def _operation(name: str, handle: Handle) -> Operation:
    operation = PROJECTIONS[name][1]
    return Operation(
        path=path(name),
        action=action(name),
        question=f"{{{namespace(name)}}}{operation}Request",
        handle=handle,
        contract=Contract(SCHEMA / f"{name}.xsd"),
        fault_detail=commonv3.fault_detail(namespace(name), f"{operation}Fault"),
    )
