"""Steps at the command line: where a name is only said, nobody is one of the two."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from integrator import places, settings
from integrator.cli import main
from tests.unit.governing.kit import SCHOOL, WHY

TEXT = str(places.folder("policies") / f"{SCHOOL}.yaml")
ONE = "0" * 32


@pytest.mark.parametrize(
    "words",
    [["propose", TEXT, "--reason", WHY], ["approve", ONE], ["withdraw", ONE, "--reason", WHY], ["giveback", ONE, "--reason", WHY],
     ["giveback", ONE]],
    ids=["propose", "approve", "take back", "ask back", "give back"],
)  # fmt: skip
def test_in_production_no_step_that_counts_people_is_taken_under_a_name_that_is_only_said(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(settings, "load", lambda local: SimpleNamespace(sandbox=False, state=tmp_path / "state"))

    assert 1 == main(["policy", *words, "--by", "officer", "--role", "hub_dpo"])
    assert "in production nobody" in capsys.readouterr().err
    assert not (tmp_path / "state").exists()
