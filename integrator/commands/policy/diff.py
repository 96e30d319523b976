"""`integrator policy diff [OLD] NEW`: what each organisation, and each of its applications, would gain or lose, in words.

With one text only it is held against the ones in force at the hub of these settings.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from integrator import settings
from integrator.commands.policy.house import in_force
from integrator.commands.policy.rooms import Rooms, open_rooms
from integrator.errors import ConfigurationError
from integrator.governing.texts import compile_texts, read_texts
from integrator.identity.applications import Application, read
from integrator.policy import Policies, compile_policies
from integrator.policy.lines import Difference, differences
from integrator.policy.telling import LANGUAGES, tell_difference, words


def add(verbs: Any) -> None:
    parser = verbs.add_parser("diff", help="what would change for whom")
    parser.add_argument(
        "old", type=Path, nargs="?", help="a folder of purposes, or one file; left out: what is in force"
    )
    parser.add_argument("new", type=Path, help="the same, as it would become")
    parser.add_argument("--language", choices=LANGUAGES, action="append", help="default: all three")
    parser.add_argument("--settings", type=Path, help="of the hub whose applications are named")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    rooms, loaded = open_rooms(), settings.load(chosen.settings)
    if chosen.old is None:
        texts, suspended = in_force(loaded)
        old = compile_texts(texts, rooms.organisations, suspended)
        new = compile_texts({**texts, **read_texts(chosen.new)}, rooms.organisations, suspended)
    else:
        old, new = (_read(path, rooms) for path in (chosen.old, chosen.new))
    found = differences(old, new, rooms.offers)
    applications = _applications(loaded)
    for language in chosen.language or LANGUAGES:
        for one in found:
            for sentence in tell_difference(one, language, rooms.naming()):
                print(f"{language}  {sentence}")
            concerned = [app.id for app in applications if _notices(app, one)]
            if concerned:
                print(f"{language}  " + words()["concerned"][language].format(applications=", ".join(concerned)))
        if not found:
            print(f"{language}  {words()['unchanged'][language]}")
    return 0


def _read(path: Path, rooms: Rooms) -> Policies:
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    if not files or not all(file.is_file() for file in files):
        raise ConfigurationError(
            f"no purposes in {path}", advice="Name a folder such as policies/, or one of its files."
        )
    return compile_policies([(file.name, file.read_bytes()) for file in files], rooms.organisations)


def _applications(loaded: settings.Settings) -> list[Application]:
    """Those enrolled at this hub, by name; none where there is no hub yet."""
    return [read(path, loaded.mode) for path in sorted((loaded.state / "applications").glob("*.json"))]


def _notices(application: Application, one: Difference) -> bool:
    return application.organisation in one.organisations and one.purpose in application.purposes
