"""The report at the command line: the number comes by a pipe, the look is written, and nothing is told without a right."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from integrator.cli import main
from tests.unit.consoles.desk import ANNA, IXELLES, WHY


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    monkeypatch.setenv("INTEGRATOR_STATE", str(tmp_path / "state"))

    def run_(*words: str, typed: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        code = main(["audit", "report", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run_


def test_a_look_at_a_person_is_made_and_shows_itself(run: Any) -> None:
    who = ("--as", "dpo-1", "--role", "dpo", "--organisation", IXELLES, "--reason", WHY)
    first = run("subject", *who, "--json", typed=f"nrn:{ANNA.id}\n")
    again = run("subject", *who, typed=f"{ANNA.id}\n")

    assert (0, ["audit.read"]) == (first[0], [one["kind"] for one in json.loads(first[1])["items"]])
    assert 2 == again[1].count("The data protection officer of Municipality of Ixelles")
    assert ANNA.id not in first[1] + first[2] + again[1] + again[2]


@pytest.mark.parametrize(
    ("words", "typed"),
    [
        (("denied", "--as", "dpo-1", "--role", "hub_dpo"), ""),
        (("denied", "--as", "dpo-1", "--role", "dpo", "--reason", WHY), ""),
        (("denied", "--as", ANNA.id, "--role", "hub_dpo", "--reason", WHY), ""),
        (("subject", "--as", "dpo-1", "--role", "hub_dpo", "--reason", WHY), "nrn:85.61.01\n"),
        (("details", "--as", "dpo-1", "--role", "hub_dpo", "--reason", WHY, "--shard", "x", "--index", "1"), ""),
    ],
    ids=["no reason", "no organisation", "a number as account", "half a number", "no such entry"],
)
def test_what_is_wrong_is_said_with_advice(run: Any, words: tuple[str, ...], typed: str) -> None:
    code, out, err = run(*words, typed=typed)

    assert (1, "") == (code, out)
    assert "→" in err and ANNA.id not in err


def test_health_needs_no_reason(run: Any) -> None:
    code, out, _ = run("health", "--as", "auditor-1", "--role", "auditor")

    assert (0, True) == (code, "dangling" in out)
