"""`integrator policy …`: what the authorisations say, one verb per module."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from integrator.commands.policy import check, diff, prove, text, why

VERBS: tuple[ModuleType, ...] = (why, check, prove, diff, text)


def add(words: Any) -> None:
    parser = words.add_parser("policy", help="who may ask what, and why")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb in VERBS:
        verb.add(verbs)
