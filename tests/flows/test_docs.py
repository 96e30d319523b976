"""Every command of README.md and docs/*.md is run as a reader would: in order, in one shell per page.

A page's ```sh blocks run in a folder that looks like a checkout (copies of the data rooms, `var/sandbox` being the state
of the running sandbox); 127.0.0.1:8080 and :8090 become its addresses. Each block must end with 0. A ```text or ```json
block that comes next is what the reader should see: each of its lines must be there, in order; `…` stands for anything.
What no test can run (`make demo`) stands in a block without a language.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from integrator.commands.sandbox import Sandbox

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
ROOMS = ("config", "connectors", "docs", "mappings", "policies")
PATIENCE = 600  # seconds for a whole page; a quiet machine takes one or two minutes, a busy one several
ANYTHING = "…"
FENCE = re.compile(r"^```([a-z]*)\n(.*?)^```$", re.M | re.S)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


@dataclass(frozen=True, slots=True)
class Block:
    """One ```sh block of a page, and what the reader is told to expect of it."""

    line: int
    command: str
    expected: str | None  # text, or JSON when `kind` says so
    kind: str


def blocks(page: str) -> Iterator[Block]:
    fences = [(match[1], match[2], page.count("\n", 0, match.start()) + 1) for match in FENCE.finditer(page)]
    for (language, text, line), (next_language, next_text, _) in pairwise([*fences, ("", "", 0)]):
        if language == "sh":
            told = next_language in ("text", "json")
            yield Block(line, text, next_text if told else None, next_language)


def is_seen(expected: str, output: str) -> str | None:
    """The first line of `expected` that does not come, in order; None when all do."""
    place = 0
    for line in filter(str.strip, expected.splitlines()):
        found = re.compile(".*".join(map(re.escape, line.strip().split(ANYTHING)))).search(output, place)
        if found is None:
            return line
        place = found.end()
    return None


def is_like(expected: Any, found: Any) -> bool:
    """Whether `found` has all that `expected` names; `…` stands for any value, or for the rest of a list."""
    if expected == ANYTHING:
        return True
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(
            name == ANYTHING or (name in found and is_like(value, found[name])) for name, value in expected.items()
        )
    if isinstance(expected, list):
        if not isinstance(found, list):
            return False
        firm = expected[:-1] if expected[-1:] == [ANYTHING] else expected
        enough = len(found) >= len(firm) if firm is not expected else len(found) == len(firm)
        return enough and all(map(is_like, firm, found))
    if isinstance(expected, str) and isinstance(found, str):
        return re.fullmatch(".*".join(map(re.escape, expected.split(ANYTHING))), found, re.S) is not None
    return bool(expected == found)


@pytest.mark.parametrize("page", [page for page in PAGES if any(blocks(page.read_text()))], ids=lambda page: page.name)
def test_every_command_of_the_page_works(page: Path, hub: Sandbox, fault: object, tmp_path: Path):
    """`fault` is asked for its ending: a page that made a source ill leaves it well."""
    told = list(blocks(page.read_text(encoding="utf-8")))
    script, checkout = tmp_path / "page.sh", tmp_path / "checkout"
    _furnish(checkout, hub)
    script.write_text(_script(told, tmp_path, hub), encoding="utf-8")

    run = subprocess.run(
        ["bash", script], cwd=checkout, env=_environment(checkout, hub), stdin=subprocess.DEVNULL, timeout=PATIENCE, check=False
    )  # fmt: skip

    outputs = [path.read_text() if path.exists() else None for path in (tmp_path / f"{block.line}" for block in told)]
    last = max(number for number, output in enumerate(outputs) if output is not None)
    assert 0 == run.returncode, f"{page.name}:{told[last].line}: ended with {run.returncode}\n{outputs[last]}"
    for block, output in zip(told, outputs, strict=True):
        assert output is not None
        if block.kind == "text" and block.expected is not None:
            missing = is_seen(_here(block.expected, hub), output)
            assert missing is None, f"{page.name}:{block.line}: expected {missing!r} next, got\n{output}"
        elif block.expected is not None:
            found = _json(output)
            assert is_like(json.loads(_here(block.expected, hub)), found), f"{page.name}:{block.line}: got\n{output}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_link_leads_nowhere(page: Path):
    assert [] == [target for target in _links(page) if not (page.parent / target).exists()]


def test_every_page_of_docs_can_be_reached_from_the_readme():
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop().resolve()
        if page not in reached and page.suffix == ".md":
            reached.add(page)
            waiting += [page.parent / target for target in _links(page)]

    assert [] == [page.name for page in (ROOT / "docs").glob("*.md") if page not in reached]


def test_every_metric_has_its_meaning_on_the_operators_page(hub: Sandbox):
    page = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
    with urllib.request.urlopen(f"{hub.hub}/metrics", timeout=5) as reply:
        shown = set(re.findall(r"^# TYPE (integrator_\w+) ", reply.read().decode(), re.M))

    assert shown == {f"integrator_{name}" for name in re.findall(r"^\| `([a-z_]+)(?:\{[a-z,]+\})?` \|", page, re.M)}


@pytest.mark.parametrize(
    ("expected", "output", "missing"),
    [
        ("a …\nc", "a 1\nb\nc", None),
        ("c\na", "a\nb\nc", "a"),
        ("nothing of this", "something", "nothing of this"),
    ],
    ids=["in_order", "order_turned_round", "not_there"],
)
def test_a_line_that_did_not_come_is_named(expected: str, output: str, missing: str | None):
    assert missing == is_seen(expected, output)


@pytest.mark.parametrize(
    ("expected", "found", "like"),
    [
        ({"eligible": "yes"}, {"eligible": "yes", "checks": []}, True),
        ({"eligible": "yes"}, {"eligible": "unknown"}, False),
        ({"checks": [{"code": "alive"}, "…"]}, {"checks": [{"code": "alive"}, {"code": "other"}]}, True),
        ({"checks": [{"code": "alive"}]}, {"checks": [{"code": "alive"}, {"code": "other"}]}, False),
        ({"instance": "urn:uuid:…"}, {"instance": "urn:uuid:12"}, True),
        ({"instance": "…"}, {}, False),
    ],
    ids=["more_than_told", "another_word", "the_rest_of_a_list", "a_list_too_long", "part_of_a_text", "missing"],
)
def test_json_is_compared_by_what_the_page_names(expected: Any, found: Any, like: bool):
    assert like is is_like(expected, found)


def _links(page: Path) -> list[str]:
    """What a page links to in this repository."""
    return [target for target in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in target]


# --- how a page is run ------------------------------------------------------------------------------------------------


def _furnish(checkout: Path, hub: Sandbox) -> None:
    """A folder in which a page's commands find what they would find in a checkout with a sandbox in use."""
    checkout.mkdir()
    for room in ROOMS:
        shutil.copytree(ROOT / room, checkout / room, ignore=shutil.ignore_patterns("__pycache__", "local.yaml"))
    (checkout / ".venv").symlink_to(sys.prefix)
    (checkout / "var").mkdir()
    (checkout / "var" / "sandbox").symlink_to(hub.state)


def _environment(checkout: Path, hub: Sandbox) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("INTEGRATOR_") and "proxy" not in name.lower()
    }
    return kept | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "INTEGRATOR_HOME": str(checkout),
        "INTEGRATOR_MOCKS": hub.mocks,
        "INTEGRATOR_MODE": "sandbox",
        "INTEGRATOR_STATE": str(hub.state),
        "INTEGRATOR_PORT": hub.hub.rpartition(":")[2],
        "NO_COLOR": "1",
    }  # fmt: skip


def _script(told: list[Block], folder: Path, hub: Sandbox) -> str:
    """All blocks in one shell, stopping at the first that fails; each one's output in a file named by its line."""
    lines = ["set -eo pipefail"]
    for block in told:
        part = folder / f"{block.line}.sh"
        part.write_text(_here(block.command, hub), encoding="utf-8")
        lines.append(f". {part} > {folder / str(block.line)} 2>&1")
    return "\n".join(lines) + "\n"


def _here(text: str, hub: Sandbox) -> str:
    """The page's addresses become those of the running sandbox."""
    for address, running in (("127.0.0.1:8080", hub.hub), ("127.0.0.1:8090", hub.mocks)):
        text = text.replace(address, running.partition("://")[2])
    return text


def _json(output: str) -> Any:
    """The JSON document an output ends with (headers may come before)."""
    start = re.search(r"^[{\[]", output, re.M)
    return json.JSONDecoder().raw_decode(output, start.start())[0] if start else None
