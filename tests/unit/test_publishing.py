"""How a hub opens its ledger: refused with advice where it must be, and gone on from where an operator says so."""

from __future__ import annotations

import argparse
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from audit.log.years import own_draft
from audit.sqlite import SqliteStore
from integrator import settings
from integrator.commands.apps import ledger_keys
from integrator.commands.audit import publish, resume
from integrator.errors import ConfigurationError
from integrator.publishing import LogFigures, Publishing, open_publishing

NOW = 1_795_435_200.0  # 2026-11-23 12:00 UTC
SHARD = "audit.integrator.example/sandbox/hub-1/2026"


@pytest.fixture
def chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> settings.Settings:
    for name in ("STATE", "HOST", "PORT", "ISSUER", "LEDGER", "SHARD", "MODE", "MOCKS"):
        monkeypatch.delenv(f"INTEGRATOR_{name}", raising=False)
    monkeypatch.setattr("integrator.clock.system", lambda: NOW)
    found = load(tmp_path)
    monkeypatch.setattr(settings, "load", lambda *_: found)
    return found


def load(folder: Path, read: Any = settings.load, **more: Any) -> settings.Settings:
    found: settings.Settings = read(None, state=str(folder / "state"), **more)
    return found


@pytest.fixture
def opened(chosen: settings.Settings) -> Iterator[Publishing]:
    one = open_publishing(chosen, lambda: NOW)
    yield one
    one.close()


def record(publishing: Publishing, count: int) -> None:
    publishing.ledger.append_blocking([own_draft("admin", "test.entry") for _ in range(count)])


def lose(chosen: settings.Settings) -> None:
    """Three entries, a backup, four more, everything signed; then the backup comes back."""
    one = open_publishing(chosen, lambda: NOW)
    record(one, 3)
    with sqlite3.connect(chosen.state / "ledger.db") as live, sqlite3.connect(chosen.state / "backup.db") as copy:
        live.backup(copy)
    live.close()
    copy.close()
    record(one, 4)
    one.close()
    for file in [path for path in chosen.state.glob("ledger.db*") if path.suffix != ".lock"]:
        file.unlink()
    shutil.move(chosen.state / "backup.db", chosen.state / "ledger.db")


def test_a_restored_backup_stops_the_hub_and_says_what_to_do(chosen: settings.Settings):
    lose(chosen)

    with pytest.raises(ConfigurationError, match="entries, 1 were signed for") as refused:
        open_publishing(chosen, lambda: NOW)
    assert "integrator audit resume --after-restore" in refused.value.hint


def test_the_operator_goes_on_after_saying_that_there_are_no_witnesses(
    chosen: settings.Settings, capsys: pytest.CaptureFixture[str]
):
    lose(chosen)

    with pytest.raises(ConfigurationError, match="no witnesses"):
        resume.run(argparse.Namespace(settings=None, no_witnesses=False))
    assert 0 == resume.run(argparse.Namespace(settings=None, no_witnesses=True))
    assert f"{SHARD}-2" in capsys.readouterr().out

    one = open_publishing(chosen, lambda: NOW)
    record(one, 1)
    one.close()
    assert (f"{SHARD}-2", 2) == (one.ledger.shard, one.ledger.size)
    assert 0 == resume.run(argparse.Namespace(settings=None, no_witnesses=False))
    assert "nothing is to be resumed" in capsys.readouterr().out


def test_what_a_witness_saw_counts_when_our_own_memory_was_restored_as_well(
    chosen: settings.Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    one = open_publishing(chosen, lambda: NOW)
    record(one, 3)
    one.close()  # everything agrees with everything, and is a week old
    watched = replace(chosen, audit={**chosen.audit, "witnesses": [{"name": "w1"}]})
    monkeypatch.setattr(settings, "load", lambda *_: watched)

    monkeypatch.setattr(resume, "_size_of", lambda witness, signer: lambda last: last.size)
    assert 0 == resume.run(argparse.Namespace(settings=None, no_witnesses=False))
    assert "nothing is to be resumed" in capsys.readouterr().out

    monkeypatch.setattr(resume, "_size_of", lambda witness, signer: lambda last: 99)
    assert 0 == resume.run(argparse.Namespace(settings=None, no_witnesses=False))
    said = capsys.readouterr().out
    assert f"{SHARD}-2" in said
    assert "anchor: 99 entries were signed for" in said


def test_a_second_hub_on_the_same_shard_is_told_to_take_another(opened: Publishing, chosen: settings.Settings, monkeypatch: pytest.MonkeyPatch):  # fmt: skip
    monkeypatch.setattr("audit.sqlite.SqliteStore.writer", _without_patience)

    with pytest.raises(ConfigurationError, match="ShardTaken") as refused:
        open_publishing(chosen, lambda: NOW)
    assert "INTEGRATOR_SHARD" in refused.value.hint


def test_a_production_hub_waits_for_the_ceremony_of_its_keys(tmp_path: Path):
    production = load(tmp_path, mode="production", audit={"timestamps": []})
    production.state.mkdir()

    with pytest.raises(ConfigurationError, match="KeyMissing") as refused:
        open_publishing(production, lambda: NOW)
    assert "integrator keys new" in refused.value.hint

    made = ledger_keys(production)
    assert ["anchor", "policy"] == sorted(one.rpartition("/")[2] for one in made)[-2:]
    assert [] == ledger_keys(production)  # a key is made once
    open_publishing(production, lambda: NOW).close()
    assert {0o600} == {path.stat().st_mode & 0o777 for path in (production.state / "audit-keys").iterdir()}


def test_a_name_that_could_not_stand_in_a_checkpoint_is_refused(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="anchor"):
        open_publishing(load(tmp_path, shard="anchor"), lambda: NOW)


def test_metrics_tell_age_growth_and_failures_and_name_no_log(opened: Publishing):
    registry = CollectorRegistry()
    assert opened.publisher is not None
    registry.register(LogFigures(opened.publisher, lambda: NOW + 3))
    record(opened, 2)
    opened.publisher.step()
    record(opened, 5)
    opened.publisher.step()

    text = generate_latest(registry).decode()
    assert 'integrator_log_checkpoint_age_seconds{log="shard"} 3.0' in text
    assert 'integrator_log_unsigned_entries{log="shard"} 5.0' in text
    assert 'integrator_log_unsigned_entries{log="anchor"} 0.0' in text
    assert "integrator_log_contradicts 0.0" in text
    assert "integrator_log_failures_total 0.0" in text
    assert SHARD not in text


def test_a_ledger_that_contradicts_what_was_promised_is_not_healthy_from_the_next_signature_on(chosen: settings.Settings):
    seconds = [NOW]
    opened = open_publishing(chosen, lambda: seconds[0])
    assert opened.publisher is not None
    record(opened, 3)
    opened.publisher.step()
    assert opened.healthy
    record(opened, 1)
    with sqlite3.connect(chosen.state / "ledger.db") as live:
        live.execute("UPDATE entry SET body = x'7b7d' WHERE idx = 3")
    live.close()
    seconds[0] += 10  # when the next checkpoint is due at the latest: what it covers is read again before it is signed
    opened.publisher.step()

    assert not opened.healthy
    opened.close()


def test_the_ledger_is_written_as_a_folder_for_auditors(
    chosen: settings.Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    one = open_publishing(chosen, lambda: NOW)
    record(one, 300)
    one.tidy(timedelta(0))
    one.close()

    assert 0 == publish.run(argparse.Namespace(settings=None, folder=tmp_path / "out"))
    assert (tmp_path / "out" / SHARD / "tile" / "entries" / "000").is_file()
    assert (tmp_path / "out" / SHARD / "tile" / "entries" / "001.p" / "44").is_file()
    assert "2 logs, 301 entries" in capsys.readouterr().out


def _without_patience(self: Any, shard: str, *, wait: float = 5.0, writer: Any = SqliteStore.writer) -> Any:
    return writer(self, shard, wait=0.0)
