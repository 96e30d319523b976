"""`integrator audit verify` and `bundle` on a folder of state, as an operator runs them."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from integrator.cli import main
from tests.unit.audit.verify.test_bundle import WOUNDED, bundle, edited
from tests.unit.audit.verify.worlds import World


@pytest.fixture
def world(make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch) -> World:
    world = make_world()
    world.exchanges(150)
    world.publish()
    monkeypatch.setenv("INTEGRATOR_STATE", str(world.folder))
    return world


def test_a_sound_ledger_ends_with_zero_and_names_what_was_not_checked(world, capsys):
    assert 0 == main(["audit", "verify", "--lang", "fr"])

    told = capsys.readouterr().out
    assert "L6  PROUVÉ" in told
    assert "L1  NON VÉRIFIÉ" in told


def test_a_damaged_ledger_ends_with_one_and_names_the_wound(world, capsys):
    world.store._change(("UPDATE entry SET body = CAST('{}' AS BLOB) WHERE idx = 2 AND kind = 'intent'", ()))

    assert 1 == main(["audit", "verify", "--json"])

    findings = [finding for verdict in json.loads(capsys.readouterr().out) for finding in verdict["findings"]]
    assert ["ENTRY_ALTERED"] == [finding["code"] for finding in findings], findings


def test_a_sound_run_is_remembered_and_a_wounded_one_is_not(world, tmp_path, capsys):
    marks = tmp_path / "verified.json"
    assert 0 == main(["audit", "verify", "--resume", str(marks)])
    before = json.loads(marks.read_text())

    world.store._change(("UPDATE entry SET body = CAST('{}' AS BLOB) WHERE idx = 299", ()))

    assert 1 == main(["audit", "verify", "--resume", str(marks)])
    assert 256 == before[world.shards[0]]["size"]
    assert before == json.loads(marks.read_text())


def test_a_file_that_remembers_nothing_of_the_kind_is_refused(world, tmp_path, capsys):
    (tmp_path / "verified.json").write_text("[1]")

    assert 1 == main(["audit", "verify", "--resume", str(tmp_path / "verified.json")])
    assert "Delete it." in capsys.readouterr().err


def test_a_bundle_is_judged_by_the_same_command(world, tmp_path, capsys):
    (tmp_path / "whole.zip").write_bytes(bundle(world))
    (tmp_path / "wrong.zip").write_bytes(edited(bundle(world), *WOUNDED["entry_changed"][:2]))

    assert 0 == main(["audit", "verify", str(tmp_path / "whole.zip")])
    assert 1 == main(["audit", "verify", str(tmp_path / "wrong.zip")])


@pytest.mark.parametrize("entry", ["no-index", "audit.hub.example/test/hub-1/2026/999999"])
def test_evidence_of_an_entry_that_is_not_there_is_refused_with_advice(world, capsys, entry):
    assert 1 == main(["audit", "bundle", entry])
    assert "→" in capsys.readouterr().err
