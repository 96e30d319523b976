"""`integrator scenario …`: the flows of the regional plan, played on the sandbox, step by step, with what each leaves in the ledger.

A scenario is data (config/scenarios/NAME.yaml): who takes part, and what each does and sees, from the outside only.
"""

from __future__ import annotations

import argparse
import json
import signal
import tempfile
from pathlib import Path
from typing import Any, NoReturn

from rich.console import Console
from rich.table import Table

from integrator.commands.scenario import script
from integrator.commands.scenario.playing import Play
from integrator.commands.scenario.screen import LANGUAGES, Screen
from integrator.commands.scenario.stage import stage
from integrator.errors import ConfigurationError


def add(words: Any) -> None:
    parser = words.add_parser("scenario", help="the flows of the regional plan, on the sandbox")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="list | run")
    listed = verbs.add_parser("list", help="every scenario, in one line")
    listed.add_argument("--lang", choices=LANGUAGES, default="en")
    listed.add_argument("--json", action="store_true")
    listed.set_defaults(run=run_list)
    run = verbs.add_parser(
        "run", help="start sources and hub, play a scenario, show what happened; exit 1 when it differs"
    )
    run.add_argument("name", nargs="*", help="one or more of `scenario list`")
    run.add_argument("--all", action="store_true", help="every one, on one sandbox")
    run.add_argument("--case", action="append", help="main, refused, outage …; default: all, in order")
    run.add_argument("--lang", choices=LANGUAGES, default="en")
    run.add_argument("--state", type=Path, help="keep what it leaves; default: thrown away")
    run.set_defaults(run=run_run)


def run_list(chosen: argparse.Namespace) -> int:
    known = script.load_all()
    if chosen.json:
        told = [
            {"scenario": one.name, "title": dict(one.title), "story": dict(one.story), "cases": list(one.cases)}
            for one in known.values()
        ]
        print(json.dumps(told, ensure_ascii=False, indent=2))
        return 0
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for one in known.values():
        table.add_row(f"[bold]{one.name}[/]", one.title[chosen.lang], f"[dim]{' · '.join(one.cases)}[/]")
    Console(highlight=False).print(table)
    return 0


def run_run(chosen: argparse.Namespace) -> int:
    known = script.load_all()
    names = list(known) if chosen.all else list(dict.fromkeys(chosen.name))
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        what = f"no scenario {', '.join(unknown)}" if unknown else "which scenario?"
        raise ConfigurationError(what, advice=f"There are: {', '.join(known)}; or --all.")
    screen = Screen(Console(highlight=False), chosen.lang)
    signal.signal(signal.SIGTERM, _stopped)  # else sources and hub would outlive us
    wrong = 0
    with (
        tempfile.TemporaryDirectory(prefix="integrator-scenario-") as folder,
        stage(Path(chosen.state or folder), [known[name] for name in names], screen) as ready,
    ):
        for name in names:
            playing = Play(ready, known[name], screen)
            wrong += playing.begin() or sum(
                playing.case(case) for case in known[name].cases if case in (chosen.case or known[name].cases)
            )
    screen.ended(wrong)
    return 1 if wrong else 0


def _stopped(_signal: int, _frame: object) -> NoReturn:
    raise SystemExit(143)
