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
    ledger,
    mandate,
    mock,
    new,
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
    case,
    emergency,
    mandate,
    directory,
    delivery,
    agents,
    soap,
    check,
    new,
)
