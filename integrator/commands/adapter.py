"""`integrator adapter check`: a file, or what a package has now, held against a layout. Nothing is loaded.

The other words of `adapter` are in adapter_ways.py (init, list), adapter_run.py and adapter_desk.py.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from integrator import places, settings
from integrator.adapters.checking import Report, check
from integrator.adapters.findings import advice_of
from integrator.adapters.layout import Layout, load
from integrator.commands import adapter_desk, adapter_run, adapter_ways
from integrator.errors import ConfigurationError

_SHOWN = 50  # findings on screen; --json tells up to a thousand


def add(words: Any) -> None:
    parser = words.add_parser(
        "adapter", help="files of closed packages: propose a layout, check a file, take files in, mend what waits"
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    adapter_ways.add(verbs)
    checking = verbs.add_parser("check", help="every row of a file, or of what the package has now, against its layout")
    checking.add_argument("name", help="the adapter: a folder of connectors/")
    checking.add_argument("file", type=Path, nargs="?", help="left out: what comes over the adapter's way now")
    checking.add_argument("--access", type=Path, help="access file of the package; default: as the settings say")
    checking.add_argument("--most", type=int, default=10_000, help="rows that are fetched at most")
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


def _check(chosen: argparse.Namespace) -> int:
    layout = layout_of(chosen.name)
    if chosen.file is None:
        report, finding = adapter_ways.fetched(layout, chosen)
    else:
        report, finding = check(layout, _there(chosen.file)), None
    if finding is not None:
        print(f"{finding}: {advice_of(finding)}", file=sys.stderr)
    if chosen.json:
        print(json.dumps(report.json(), ensure_ascii=False, indent=2))
    else:
        _show(report)
    return 0 if report.clean and finding is None else 1


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
