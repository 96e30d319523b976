"""`integrator adapter init|check`: a layout proposed from a sample, a file held against a layout. Nothing is loaded by either.

The other words of `adapter` are in adapter_run.py and adapter_desk.py.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from integrator import places, settings
from integrator.adapters.checking import Report, check
from integrator.adapters.layout import Layout, load
from integrator.adapters.proposing import propose
from integrator.commands import adapter_desk, adapter_run
from integrator.errors import ConfigurationError

_SHOWN = 50  # findings on screen; --json tells up to a thousand
_HEAD = """\
# yaml-language-server: $schema=../../config/schema/adapter.schema.json
# Proposed from a sample. Read every line: names, kinds, what is required, and the key; then `integrator adapter check`.
"""


def add(words: Any) -> None:
    parser = words.add_parser(
        "adapter", help="files of closed packages: propose a layout, check a file, take files in, mend what waits"
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    init = verbs.add_parser("init", help="write connectors/NAME/adapter.yaml from a sample file")
    init.add_argument("name")
    init.add_argument("--sample", type=Path, required=True, metavar="FILE")
    init.set_defaults(run=_init)
    checking = verbs.add_parser("check", help="every row of a file against its layout: line, bytes, field, reason")
    checking.add_argument("name", help="the adapter: a folder of connectors/")
    checking.add_argument("file", type=Path)
    checking.add_argument("--json", action="store_true")
    checking.set_defaults(run=_check)
    adapter_run.add(verbs)
    adapter_desk.add(verbs)


def layout_of(name: str) -> Layout:
    """The layout of an adapter. Raises `ConfigurationError` for one that nobody has."""
    path = places.folder("connectors") / name / "adapter.yaml"
    if not name.isidentifier() or not path.exists():
        known = sorted(one.parent.name for one in places.folder("connectors").glob("*/adapter.yaml"))
        raise ConfigurationError(f"no adapter {name!r}", advice=f"There are: {', '.join(known) or 'none yet'}.")
    chosen = settings.load()
    return load(path, sandbox=chosen.named_numbers if chosen.sandbox else None)


def _init(chosen: argparse.Namespace) -> int:
    if not chosen.name.isidentifier() or not chosen.name.islower():
        raise ConfigurationError("an adapter is named by lower case letters, digits and _")
    path = places.folder("connectors") / chosen.name / "adapter.yaml"
    if path.exists():
        raise ConfigurationError(
            f"{path.parent.name}/adapter.yaml exists", advice="Change it by hand; a proposal does not write over it."
        )
    proposed = propose(_there(chosen.sample), chosen.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_HEAD + yaml.safe_dump(proposed, sort_keys=False, allow_unicode=True), encoding="utf-8")
    print(
        f"connectors/{chosen.name}/adapter.yaml: {len(proposed['fields'])} fields, key {', '.join(proposed['key']) or 'none found'}"
    )
    return 0


def _check(chosen: argparse.Namespace) -> int:
    report = check(layout_of(chosen.name), _there(chosen.file))
    if chosen.json:
        print(json.dumps(report.json(), ensure_ascii=False, indent=2))
    else:
        _show(report)
    return 0 if report.clean else 1


def _there(path: Path) -> Path:
    if not path.is_file():
        raise ConfigurationError("there is no such file")
    return path


def _show(report: Report) -> None:
    screen = Console(width=None if sys.stdout.isatty() else 120)
    if report.refusal is not None:
        screen.print(f"[bold]refused[/bold] {report.refusal.reason}: {report.refusal.hint}")
        return
    if report.findings:
        table = Table("line", "byte", "field", "reason", "what to do", box=None, padding=(0, 2, 0, 0))
        for one in report.findings[:_SHOWN]:
            place = "" if one.offset is None else f"{one.offset}+{one.length}"
            table.add_row(str(one.line), place, one.field or "–", one.reason, one.advice)
        screen.print(table)
    if report.found > _SHOWN:
        screen.print(f"… and {report.found - _SHOWN} more; --json tells up to a thousand")
    screen.print(f"{report.rows} rows: {report.good} good, {len(report.bad)} to mend. Nothing was loaded.")
