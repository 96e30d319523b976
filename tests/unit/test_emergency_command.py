"""`integrator emergency`: the second person's word without a console."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from integrator import clock, settings
from integrator.cli import main
from integrator.database import Database
from integrator.emergency import Emergencies, Rules, Store
from integrator.model import Caller, Request, Trace


@pytest.fixture
def one(tmp_path, monkeypatch):
    monkeypatch.setenv("INTEGRATOR_STATE", str(tmp_path / "state"))
    (tmp_path / "state").mkdir()
    database = Database(str(settings.load().emergency["database"]), "emergency")
    caller = Caller("1982100968", "desk", "youth_support", "a.7f3")
    asked = Request("person.get", caller, {}, Trace("1" * 32, "2" * 16), emergency="the child is at the door")
    yield asyncio.run(Emergencies(Store(database), Rules(), clock.system).open(asked, "NOT_REGISTERED"))
    database.close()


def test_it_is_listed_confirmed_by_somebody_else_and_decided_once(one, capsys):
    assert 0 == main(["emergency", "list"])
    assert f"{one.id}  open before" in capsys.readouterr().out
    assert 0 == main(["emergency", "confirm", one.id, "--by", "dpo-1"])
    assert "confirmed by dpo-1" in capsys.readouterr().out
    assert 1 == main(["emergency", "reject", one.id, "--by", "dpo-2"])
    assert "DECIDED" in capsys.readouterr().err


def test_nobody_confirms_his_own_at_the_command_line_either(one, capsys):
    assert 1 == main(["emergency", "confirm", one.id, "--by", "a.7f3"])
    assert "SAME_PERSON" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["confirm", "reject"])
def test_in_production_nobody_is_a_second_person_under_a_name_that_is_only_said(verb, one, monkeypatch, capsys):
    loaded = settings.load()
    real = SimpleNamespace(sandbox=False, state=loaded.state, emergency=loaded.emergency)
    monkeypatch.setattr(settings, "load", lambda local: real)

    assert 1 == main(["emergency", verb, one.id, "--by", "dpo-1"])
    assert "in production nobody" in capsys.readouterr().err
    assert 0 == main(["emergency", "list"])
    assert f"{one.id}  open before" in capsys.readouterr().out
