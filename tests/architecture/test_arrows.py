"""Who may import whom, and what the hub may not know. A new room that breaks an arrow fails here by name."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(path.parent.name for path in (ROOT / "connectors").glob("*/connector.yaml"))
PURPOSES = sorted(path.stem for path in (ROOT / "policies").glob("*.yaml"))
HUB = sorted(path for path in (ROOT / "integrator").rglob("*.py") if "commands" not in path.parts)


def strings(path: Path) -> set[str]:
    """Every string constant of a module that is not a docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
    }


def test_every_arrow_points_the_way_it_was_drawn():
    run = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == run.returncode, run.stdout[-4000:]


@pytest.mark.parametrize("path", HUB, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_hub_names_no_source_and_no_purpose(path):
    assert set() == strings(path) & {*SOURCES, *PURPOSES}


@pytest.mark.parametrize("folder", ["audit", "mock-sources/mock_sources", "connectors", "integrator"])
def test_no_parser_that_expands_entities_is_imported(folder):
    guilty = [
        path.name
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("xml."))
        or (isinstance(node, ast.Import) and any(alias.name.startswith("xml.") for alias in node.names))
    ]

    assert [] == guilty
