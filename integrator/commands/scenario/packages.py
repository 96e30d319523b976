"""What closed packages write and find in the folders that they share with the hub."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from integrator import places
from integrator.adapters.book import Book
from integrator.commands.sandbox import command
from integrator.commands.scenario.stage import Stage
from integrator.database import Database
from integrator.errors import ConfigurationError

Kept = tuple[Mapping[Any, tuple[str, ...]], Mapping[Any, tuple[str, ...]]]


def drop(stage: Stage, what: Mapping[str, Any]) -> Any:
    """Whole under another name, then renamed: as a careful package does."""
    folder = stage.folder(what["adapter"], "in")
    content = _content(what)
    (folder / f".{what['name']}").write_bytes(content)
    (folder / f".{what['name']}").rename(folder / what["name"])
    return {"bytes": len(content)}


def finds(stage: Stage, what: Mapping[str, Any]) -> Any:
    """Lines of files that came since the case began, which of the expected ones are not among them, and what groups caught."""
    began, encoding = stage.known["case"]["began"], what.get("encoding", "utf-8")
    files = [path for path in sorted(stage.folder(what["adapter"], "out").iterdir()) if not path.name.startswith(".")]
    fresh = [path for path in files if path.stat().st_mtime >= began]
    lines = [line for path in fresh for line in path.read_bytes().decode(encoding).splitlines() if line.strip()]
    missing = [one for one in what["lines"] if not any(re.search(one, line) for line in lines)]
    strange = [line for line in lines if not any(re.search(one, line) for one in what["lines"])]
    caught = [found.groupdict() for one in what["lines"] for line in lines if (found := re.search(one, line))]
    named = {name: value for groups in caught for name, value in groups.items()}
    return {
        "lines": len(lines),
        **({"named": named} if named else {}),
        **({"missing": missing} if missing else {}),
        **({"strange": strange} if strange else {}),
    }


def waiting(stage: Stage, what: Mapping[str, Any]) -> Any:
    """Rows that wait and files that were refused since the case began, counted by reason."""
    rows, files = kept(stage, what["adapter"])
    before = stage.kept.get(what["adapter"], ({}, {}))
    counted = [
        Counter(reason for key, reasons in now.items() if key not in then for reason in reasons)
        for now, then in zip((rows, files), before, strict=True)
    ]
    return {name: dict(one) for name, one in zip(("rows", "files"), counted, strict=True)}


def mend(stage: Stage, what: Mapping[str, Any]) -> Any:
    """The one row that waits with this reason since the case began, as it should be: by the desk's own command."""
    rows, _ = kept(stage, what["adapter"])
    before, _ = stage.kept.get(what["adapter"], ({}, {}))
    found = [key for key, reasons in rows.items() if key not in before and what["reason"] in reasons]
    if len(found) != 1:
        raise ConfigurationError(f"{len(found)} rows of {what['adapter']} wait with {what['reason']}, and not one")
    [(digest, number)] = found
    words = command("adapter", "mend", what["adapter"], f"{digest}/{number}", "--settings", str(stage.file))
    ran = subprocess.run(words, input=what["line"] + "\n", capture_output=True, text=True, check=False)
    if ran.returncode:
        raise ConfigurationError(
            f"integrator adapter mend {what['adapter']}: exit {ran.returncode}\n{ran.stderr[-500:]}"
        )


def kept(stage: Stage, adapter: str) -> Kept:
    """Reasons by row, and by refused file, as the book has them now."""
    with closing(Database(stage.settings.adapters["database"], "adapters")) as database:
        rows, files = database.now(
            lambda connection: (Book(connection).waiting(adapter), Book(connection).files(adapter))
        )
    waits = {(row.digest, row.number): tuple(reason for _, reason in row.reasons) for row in rows}
    return waits, {file.digest: (file.reason,) for file in files if file.reason}


def _content(what: Mapping[str, Any]) -> bytes:
    if "file" in what:
        return Path(places.folder("config") / "scenarios" / what["file"]).read_bytes()
    end = what.get("end", "\r\n")
    return "".join(line + end for line in what["lines"]).encode(what.get("encoding", "utf-8"))
