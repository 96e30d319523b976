"""`integrator policy diet`: fields granted, asked and delivered by application; with --write, texts without what nobody used."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from audit import LedgerError
from integrator import clock, settings
from integrator.commands.policy.house import in_force, word
from integrator.commands.policy.rooms import open_rooms
from integrator.errors import ConfigurationError
from integrator.governing.diet import DAYS, Use
from integrator.governing.looking_back import DAY, diet_of, narrower_of


def add(verbs: Any) -> None:
    parser = word(verbs, "diet", "fields granted, asked and delivered, and narrower texts", run)
    parser.add_argument("--organisation", help="KBO number or short name; default all")
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--unused", action="store_true", help="only what was never used")
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="write texts without what nobody used")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--settings", type=Path)


def run(chosen: argparse.Namespace) -> int:
    loaded, now = settings.load(chosen.settings), clock.system()
    org = open_rooms().number(chosen.organisation) if chosen.organisation else None
    since, (texts, _) = now - chosen.days * DAY, in_force(loaded)
    try:
        uses = diet_of(loaded.ledger, texts, since, now, org)
        narrower = narrower_of(loaded.ledger, texts, since, now) if chosen.write else {}
    except LedgerError as error:
        raise ConfigurationError(
            str(error), advice="Is this the ledger of that hub (INTEGRATOR_STATE, --settings)?"
        ) from error
    uses = [one for one in uses if one.unused or not chosen.unused]
    if chosen.json:
        print(json.dumps({"days": chosen.days, "items": [one.json() for one in uses]}, ensure_ascii=False, indent=2))
    else:
        _show(uses)
    for code, text in narrower.items():
        chosen.write.mkdir(parents=True, exist_ok=True)
        (chosen.write / f"{code}.yaml").write_bytes(text)
        print(f"written: {chosen.write / f'{code}.yaml'}")
    return 0


def _show(uses: list[Use]) -> None:
    table = Table("organisation", "application", "service", "field", "calls", "asked", "delivered", "")
    for one in uses:
        table.add_row(
            one.org, one.app, one.service, one.field, str(one.calls), str(one.asked), str(one.delivered),
            "never used" if one.unused else "",
        )  # fmt: skip
    Console(soft_wrap=False).print(table)
