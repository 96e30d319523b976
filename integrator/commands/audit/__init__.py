"""`integrator audit …`: one verb per module here, with `add` and `run` as every command."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from integrator.commands.audit import accounts, agents, bundle, export, keep, publish, report, resume, verify, witness

VERBS: tuple[ModuleType, ...] = (accounts, agents, verify, bundle, publish, keep, witness, resume, report, export)


def add(words: Any) -> None:
    parser = words.add_parser("audit", help="verify, publish and search the ledger")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb in VERBS:
        verb.add(verbs)
