"""`integrator adapter init|list`: a layout proposed from a file or from what a package shows; how every way stands now.

Whatever is read for a proposal or a check stays where it is, moves no position and is loaded by nobody.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from integrator import places, settings
from integrator.adapters.book import Book
from integrator.adapters.checking import Report, check
from integrator.adapters.drops import Drop
from integrator.adapters.findings import FileRefused
from integrator.adapters.layout import Layout
from integrator.adapters.participation import participations
from integrator.adapters.proposing import propose, propose_records
from integrator.adapters.ways.journal import Journal
from integrator.adapters.ways.looks import Looks
from integrator.adapters.ways.opening import open_pages, open_rest, open_sftp, open_view
from integrator.adapters.ways.paging import RestPart, at
from integrator.adapters.ways.polling import collected
from integrator.adapters.ways.view import sample
from integrator.commands.adapter_desk import opened
from integrator.errors import ConfigurationError
from integrator.taking_part import access_of, layout_of

_SAMPLE = 500  # rows
_HEAD = """\
# yaml-language-server: $schema=../../config/schema/adapter.schema.json
# Proposed from a sample. Read every line: names, kinds, what is required, and the key; then `integrator adapter check`.
"""
_GROWS = ("changed", "modified", "updated", "gewijzigd", "modifie", "maj", "created", "inserted")


def add(verbs: Any) -> None:
    init = verbs.add_parser(
        "init", help="write connectors/NAME/adapter.yaml from a sample file, or from a package itself"
    )
    init.add_argument("name")
    init.add_argument("--sample", type=Path, metavar="FILE", help="a file that the package wrote")
    init.add_argument("--from", dest="way", choices=("sftp", "view", "rest"), help="the package itself")
    init.add_argument("--access", type=Path, help="its access file; default: as the settings say")
    init.add_argument("--folder", help="sftp: the folder that it writes into")
    init.add_argument("--pattern", default="*", help="sftp: of file names")
    init.add_argument("--view", help="view: its name, schema.name where it has one")
    init.add_argument("--path", help="rest: path below the url")
    init.add_argument("--items", help="rest: where the rows stand in the answer; left out: looked for")
    init.add_argument("--settings", type=Path)
    init.set_defaults(run=_init)
    listing = verbs.add_parser(
        "list", help="every adapter: its way, when it was seen last, how far behind it is, what is wrong"
    )
    listing.add_argument("--settings", type=Path)
    listing.set_defaults(run=_list)


def fetched(layout: Layout, chosen: argparse.Namespace) -> tuple[Report, str | None]:
    """What comes over an adapter's way now, checked; and what is wrong beside the rows. Raises `ConfigurationError`, `WayFailed`."""
    if layout.way == "folder":
        raise ConfigurationError(f"{layout.adapter} reads files", advice="Name the file: adapter check NAME FILE.")
    access = chosen.access or access_of(settings.load(), layout.adapter)
    with tempfile.TemporaryDirectory() as aside:
        if layout.way == "sftp":
            said = layout.data["sftp"]
            path = _file_there(access, said["folder"], str(said.get("pattern", "*")), Path(aside))
            return check(layout, path), None
        path = Path(aside) / "rows"
        finding = asyncio.run(collected(open_pages(layout, access, time.time), path, chosen.most))
        return check(layout, path), finding


def _init(chosen: argparse.Namespace) -> int:
    if not chosen.name.isidentifier() or not chosen.name.islower():
        raise ConfigurationError("an adapter is named by lower case letters, digits and _")
    path = places.folder("connectors") / chosen.name / "adapter.yaml"
    if path.exists():
        raise ConfigurationError(
            f"{path.parent.name}/adapter.yaml exists", advice="Change it by hand; a proposal does not write over it."
        )
    proposed = _proposed(chosen)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_HEAD + yaml.safe_dump(proposed, sort_keys=False, allow_unicode=True), encoding="utf-8")
    print(
        f"connectors/{chosen.name}/adapter.yaml: {len(proposed['fields'])} fields, key {', '.join(proposed['key']) or 'none found'}"
    )
    return 0


def _proposed(chosen: argparse.Namespace) -> dict[str, Any]:
    if (chosen.sample is None) == (chosen.way is None):
        raise ConfigurationError("a proposal is made of --sample FILE, or of --from sftp|view|rest")
    if chosen.sample is not None:
        if not chosen.sample.is_file():
            raise ConfigurationError("there is no such file")
        return propose(chosen.sample, chosen.name)
    needs = {"sftp": "folder", "view": "view", "rest": "path"}[chosen.way]
    if getattr(chosen, needs) is None:
        raise ConfigurationError(f"--from {chosen.way} needs --{needs}")
    access = chosen.access or access_of(settings.load(chosen.settings), chosen.name)
    return {"sftp": _of_sftp, "view": _of_view, "rest": _of_rest}[chosen.way](chosen, access)


def _of_sftp(chosen: argparse.Namespace, access: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as aside:
        proposed = propose(_file_there(access, chosen.folder, chosen.pattern, Path(aside)), chosen.name)
    return _with_way(proposed, {"sftp": {"folder": chosen.folder, "pattern": chosen.pattern}})


def _of_view(chosen: argparse.Namespace, access: Path) -> dict[str, Any]:
    rows = sample(open_view(access, 10.0), chosen.view, _SAMPLE)
    proposed = propose_records(rows, chosen.name)
    position = _position(rows, [proposed["fields"][name]["column"] for name in proposed["key"]])
    return _with_way(proposed, {"view": {"name": chosen.view, "position": position, "overlap": 600}})


def _of_rest(chosen: argparse.Namespace, access: Path) -> dict[str, Any]:
    part = RestPart(chosen.name, chosen.path, {}, "", None, False, "", None, frozenset(), 0.0, 20.0, 5_000_000)
    rest = open_rest(part, access, time.time)

    async def first() -> tuple[Any, bool]:
        try:
            return await rest.sample()
        finally:
            await rest.close()

    document, linked = asyncio.run(first())
    items = chosen.items if chosen.items is not None else _where(document)
    rows = at(document, items)
    if not isinstance(rows, list):
        raise ConfigurationError("no list of rows in the answer", advice="Say where it stands: --items NAME.NAME.")
    way = {"path": chosen.path, **({"items": items} if items else {}), **({"next": "link"} if linked else {})}
    return _with_way(propose_records([one for one in rows if isinstance(one, Mapping)], chosen.name), {"rest": way})


def _with_way(proposed: Mapping[str, Any], way: Mapping[str, Any]) -> dict[str, Any]:
    """The way stands behind the format, as people read it."""
    return {"adapter": proposed["adapter"], "format": proposed["format"], **way, **proposed}


def _where(document: Any) -> str:
    """The first member that is a list of objects; "" when the answer is the list itself."""
    if not isinstance(document, Mapping):
        return ""
    lists = (
        name
        for name, value in document.items()
        if isinstance(value, list) and all(isinstance(x, Mapping) for x in value)
    )
    return next(lists, "")


def _position(rows: list[dict[str, Any]], key: list[str]) -> list[str]:
    """A column that is called as one that grows, and the key; a person knows better."""
    named = [column for column in rows[0] if any(word in column.lower() for word in _GROWS)]
    return list(dict.fromkeys([*named[:1], *(key or list(rows[0])[:1])]))


def _file_there(access: Path, folder: str, pattern: str, aside: Path) -> Path:
    """A copy of the newest file of a folder behind SFTP. Raises `FileRefused`, `WayFailed`."""

    async def copied() -> Path | None:
        there = open_sftp(access, folder, Drop(aside, pattern), Looks("sample", _Nothing(), time.time, print))
        try:
            return await there.sample()
        finally:
            await there.close()

    path = asyncio.run(copied())
    if path is None:
        raise FileRefused("EMPTY_FILE", "no file of that pattern lies there")
    return path


class _Nothing:
    """A sample is noted nowhere."""

    async def run(self, work: Any) -> None:
        del work


def _list(chosen: argparse.Namespace) -> int:
    loaded = settings.load(chosen.settings)
    table = Table("adapter", "way", "format", "seen", "behind", "waiting", "wrong", box=None, padding=(0, 2, 0, 0))
    now = time.time()
    with opened(loaded) as database:
        for path in sorted(places.folder("connectors").glob("*/adapter.yaml")):
            layout = layout_of(loaded, path.parent.name)
            name = layout.adapter
            state = database.now(lambda c, name=name: Journal(c, name).state())  # type: ignore[misc]
            began = database.now(lambda c, name=name: Book(c).latest(name))  # type: ignore[misc]
            waiting = database.now(lambda c, name=name: Book(c).counts(name)).get("waiting", 0)  # type: ignore[misc]
            part = bool(participations(layout)) or bool({"deliver", "ask"} & set(layout.data))
            seen = state.reached or began
            table.add_row(
                name, layout.way if part else "–", layout.kind, _ago(now, seen), _ago(now, state.behind, "0 s"),
                str(waiting), state.trouble or "–",
            )  # fmt: skip
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    return 0


def _ago(now: float, moment: float | None, never: str = "never") -> str:
    """A span as people say it."""
    if moment is None:
        return never
    span = max(0.0, now - moment)
    for unit, seconds in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if span >= 2 * seconds:
            return f"{span / seconds:.0f} {unit}"
    return f"{span:.0f} s"
