"""The words of the command line, in the order a newcomer meets them."""

from __future__ import annotations

from integrator.commands import (
    adapter,
    agents,
    apps,
    audit,
    case,
    check,
    demo,
    directory,
    ledger,
    mock,
    new,
    personas,
    policy,
    serve,
)

WORDS = (
    demo,
    serve,
    apps,
    mock,
    personas,
    ledger,
    audit,
    policy,
    adapter,
    case,
    directory,
    agents,
    check,
    new,
)
