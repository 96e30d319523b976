"""The Crossroads Bank (KSZ/BCSS): people, households, living wage, social statuses, DMFA, the directory of references."""

from __future__ import annotations

import yaml

from integrator.contract import Connector, Tools
from integrator.transport.answers import Answers
from integrator.transport.faults import Faults
from integrator.transport.signed import SignedSoap

from .client import Ksz
from .services import Services
from .ssdn import Ssdn


def build(tools: Tools) -> Connector:
    """Read contracts, tables, keys and certificates; raises `ConfigurationError` when one is not as it should be."""
    faults = Faults.load(tools.source, tools.room / "faults.yaml")
    answers = Answers.load(tools.room / "answers.yaml", faults)
    soap = SignedSoap.from_tools(tools, faults)
    contracts = tools.room / "contract" / "2026-11"
    filters = yaml.safe_load((tools.room / "filters.yaml").read_text(encoding="utf-8"))
    return Ksz(
        Services(soap, contracts, answers, filters, tools.settings, tools.now),
        Ssdn(soap, contracts, answers, tools.settings, tools.now),
    )
