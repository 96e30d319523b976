"""The words of the command line, in the order a newcomer meets them."""

from __future__ import annotations

from integrator.commands import (
    adapter,
    agents,
    apps,
    audit,
    case,
    check,
    delivery,
    demo,
    directory,
    emergency,
    indicator,
    ledger,
    mandate,
    mock,
    new,
    opendata,
    personas,
    policy,
    scenario,
    serve,
    soap,
)
from integrator.commands.policy import why

WORDS = (
    demo,
    scenario,
    serve,
    apps,
    mock,
    personas,
    ledger,
    audit,
    policy,
    why,
    adapter,
    indicator,
    case,
    emergency,
    mandate,
    directory,
    delivery,
    agents,
    soap,
    opendata,
    check,
    new,
)
