"""The Rijksregister (National Register), through RetrieveTIGroups v2: one person's file, signed both ways."""

from __future__ import annotations

from integrator.contract import Connector, Tools
from integrator.transport.answers import Answers
from integrator.transport.faults import Faults
from integrator.transport.signed import SignedSoap
from integrator.transport.soap import Contract

from .client import Rijksregister


def build(tools: Tools) -> Connector:
    """Read contract, tables, keys and certificates; raises `ConfigurationError` when one is not as it should be."""
    faults = Faults.load(tools.source, tools.room / "faults.yaml")
    return Rijksregister(
        SignedSoap.from_tools(tools, faults),
        Contract.load(tools.room / "contract" / "2026-11" / "retrieve_ti_groups.wsdl"),
        Answers.load(tools.room / "answers.yaml", faults),
        path=str(tools.settings.get("path", "/RetrieveTIGroupsService/v2/retrieveTI")),
        now=tools.now,
    )
