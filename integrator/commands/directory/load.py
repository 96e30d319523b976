"""load FILE: many registrations from a CSV or JSON Lines file, with a line of report for every row that is not good.

Rows go in batches. What is done is noted beside the file (digest and number of rows, at which hub and as whom, nothing of a
person), so that the same command goes on where it stopped, and at another hub from the first row; a row that was done already
is `unchanged`, so nothing is ever made twice.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from integrator.commands.directory.asking import hub, words
from integrator.errors import ConfigurationError

BATCH = 100  # rows in one body: far below its limit of bytes
PATH = "/directory/v1/registrations/bulk"
COLUMNS = ("ssin", "quality", "startDate", "endDate", "mistakenStartDate", "dossierReference")

Row = tuple[int, Any]  # line in the file, registration (or None: cannot be read)


def add(verbs: Any, asked: argparse.ArgumentParser) -> None:
    load = verbs.add_parser("load", parents=[asked], help="register a whole file")
    load.add_argument("file", type=Path, help=f"CSV with a heading of {', '.join(COLUMNS)}; or JSON Lines (.jsonl)")
    load.add_argument("--unregister", action="store_true", help="the rows end files instead")
    load.add_argument("--atomic", action="store_true", help="nothing at all when one row is not good")
    load.add_argument("--again", action="store_true", help="from the first row, whatever was done before")
    load.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    digest, total = _measure(chosen.file)
    note = chosen.file.with_name(chosen.file.name + ".done")
    counts: Counter[str] = Counter()
    with hub(chosen) as client:
        if chosen.atomic and not _all_good(client, chosen, total):
            print("nothing was done: mend the rows above, or leave --atomic out", file=sys.stderr)
            return 1
        work = [digest, client.url, client.client_id, chosen.purpose, chosen.unregister]
        done = 0 if chosen.again else _noted(note, work)
        if done:
            print(f"going on after row {done}", file=sys.stderr)
        for batch in _batches(islice(rows(chosen.file), done, None)):
            counts += _send(client, batch, chosen)
            done += len(batch)
            _note(note, work, done)
            print(f"\r{done} of {total}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    print(", ".join(f"{count} {word}" for word, count in sorted(counts.items())) or "0 rows")
    return 1 if counts["refused"] else 0


def rows(file: Path) -> Iterator[Row]:
    """(line, registration) of every row; None where the row cannot be read at all."""
    with file.open(encoding="utf-8-sig", newline="") as lines:
        if file.suffix in (".jsonl", ".ndjson"):
            for at, line in enumerate(lines, start=1):
                if line.strip():
                    yield at, _object(line)
            return
        head = lines.readline()
        reader = csv.reader(lines, delimiter=";" if head.count(";") > head.count(",") else ",")
        names = [name.strip() for name in next(csv.reader([head], delimiter=reader.dialect.delimiter), [])]
        if unknown := set(names) - set(COLUMNS):
            raise ConfigurationError(
                f"the heading has {len(unknown)} columns that are not known", advice=f"Known are {', '.join(COLUMNS)}."
            )
        for cells in reader:
            if any(cells):
                filled = {name: cell.strip() for name, cell in zip(names, cells, strict=False) if cell.strip()}
                yield reader.line_num + 1, filled if len(cells) <= len(names) else None


def _object(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _all_good(client: Any, chosen: argparse.Namespace, total: int) -> bool:
    """Every row tried: nothing changes, every row that is not good is told."""
    bad = 0
    for at, batch in enumerate(_batches(rows(chosen.file))):
        tried = [(line, {**row, "isTrial": True} if isinstance(row, dict) else row) for line, row in batch]
        bad += _send(client, tried, chosen)["refused"]
        print(f"\rtrying {min(total, (at + 1) * BATCH)} of {total}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return bad == 0


def _send(client: Any, batch: list[Row], chosen: argparse.Namespace) -> Counter[str]:
    action = "unregister" if chosen.unregister else "register"
    sent = [_sent(row, chosen) for _, row in batch]
    told = client.call("POST", PATH, {"action": action, "registrations": sent})
    counts: Counter[str] = Counter()
    for (line, _), item in zip(batch, told["items"], strict=True):
        if "problem" in item:
            print(f"line {line}: {words(item['problem'])}")
            if item["problem"]["status"] in (429, 503):  # not the row's fault: stop here, and go on from here later
                raise ConfigurationError(
                    "the hub cannot go on now", advice="Run the same command again: it goes on where it stopped."
                )
        counts["refused" if "problem" in item else item["result"]] += 1
    return counts


def _sent(row: Any, chosen: argparse.Namespace) -> Any:
    if isinstance(row, dict) and not chosen.unregister:
        return {"origin": "bulk", **row}
    return row if row is not None else "unreadable"


def _batches(some: Iterator[Row]) -> Iterator[list[Row]]:
    while batch := list(islice(some, BATCH)):
        yield batch


def _measure(file: Path) -> tuple[str, int]:
    with file.open("rb") as data:
        digest = hashlib.file_digest(data, "sha256").hexdigest()
    return digest, sum(1 for _ in rows(file))


def _noted(note: Path, work: list[Any]) -> int:
    """Rows done before, of this very file and act, at this hub and by this application."""
    try:
        known = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 0
    return int(known["rows"]) if known.get("of") == work else 0


def _note(note: Path, work: list[Any], done: int) -> None:
    fresh = note.with_name(note.name + ".new")
    fresh.write_text(json.dumps({"of": work, "rows": done}), encoding="utf-8")
    fresh.replace(note)
