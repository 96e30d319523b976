"""`integrator audit agents …`: by what agents are known to alerts, kept by hand where nobody signs them in.

Number, surname and home are typed, unseen, or come from a pipe, one a line; only keyed tags of them are kept, and they
cannot be read back.
"""

from __future__ import annotations

import argparse
import getpass
import sys
from pathlib import Path
from typing import Any

from integrator import settings as settings_module
from integrator.commands.case import number_of, typed_number
from integrator.errors import ConfigurationError
from integrator.watching.agents import FileAgentTags, Near
from integrator.watching.closeness import Closeness
from integrator.watching.opening import agent_tags, open_closeness, open_watching


def add(verbs: Any) -> None:
    agents = verbs.add_parser(
        "agents", help="by what agents are known, so that looks at themselves and those near are seen"
    )
    words = agents.add_subparsers(dest="word", required=True, metavar="add | forget | list")
    one = words.add_parser("add", help="number; surname, street, house number, box, post code may be left empty")
    one.add_argument("agent", help="as applications name the agent: a pseudonym")
    one.add_argument("--org", required=True, help="KBO number or short name")
    one.set_defaults(run=run_add)
    gone = words.add_parser("forget", help="who left")
    gone.add_argument("agent")
    gone.set_defaults(run=run_forget)
    words.add_parser("list", help="whose tags are kept").set_defaults(run=run_list)
    for word in words.choices.values():
        word.add_argument("--settings", type=Path)


def run_add(chosen: argparse.Namespace) -> int:
    settings = settings_module.load(chosen.settings)
    organisation = number_of(chosen.org)
    watching = open_watching(settings)
    try:
        tags = agent_tags(settings)
        own = watching.tagger.person(typed_number(settings))
        tags.put(chosen.agent, organisation, own, _near(open_closeness(watching.tagger, tags, tags)))
    finally:
        watching.close()
    print(f"{chosen.agent}: known")
    return 0


def run_forget(chosen: argparse.Namespace) -> int:
    if not _tags(chosen).forget(chosen.agent):
        raise ConfigurationError(f"no tags of {chosen.agent} are kept", advice="See integrator audit agents list.")
    print(f"{chosen.agent}: forgotten")
    return 0


def run_list(chosen: argparse.Namespace) -> int:
    for agent in _tags(chosen).agents():
        print(agent)
    return 0


def _tags(chosen: argparse.Namespace) -> FileAgentTags:
    return agent_tags(settings_module.load(chosen.settings))


def _near(closeness: Closeness) -> Near:
    surname, street, house, box, post = (_typed(f"{word} (may stay empty): ") for word in _WORDS)
    streets = {str(number): one.strip() for number, one in enumerate(street.split("/"))}  # in each language
    home = {"streetName": streets, "houseNumber": house, "boxNumber": box, "postCode": post}
    return Near(closeness.surnames(surname), closeness.addresses(home))


_WORDS = ("Surname", "Street, in Dutch / in French", "House number", "Box", "Post code")


def _typed(prompt: str) -> str:
    return (getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline()).strip()
