"""Orders about rows in quarantine: on record first; without a ledger nothing changes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from integrator import settings as settings_module
from integrator.adapters.book import Book
from integrator.adapters.findings import Finding
from integrator.cli import main
from integrator.commands import adapter_desk
from integrator.consoles.vault import open_vault
from integrator.database import Database
from integrator.errors import LedgerUnwritable
from integrator.publishing import open_logbook
from tests.unit.adapters import kit

NAME, DIGEST = "counter_notes", "ab" * 32
HEAD = "Note;Dossier;NISS;Donnée;Constat;Utilisateur"
BAD, GOOD = (f"N000001;IX-1;{kit.PEOPLE[0]};{what};nobody lives here;ann" for what in ("XXX", "ADR"))


class Desk:
    """A machine with one row in quarantine, and the commands on it."""

    def __init__(self, folder: Path, reason: str | None) -> None:
        self.file = folder / "own.yaml"
        self.file.write_text(yaml.safe_dump({"state": str(folder / "state"), "mode": "sandbox"}))
        self.settings = settings_module.load(self.file)
        self.settings.state.mkdir(mode=0o700)
        piece = open_vault(self.settings.state).seal("adapter", f"{HEAD}\n{BAD}".encode("cp1252").decode("latin-1"))
        finding = Finding(2, None, None, *((None, reason) if reason else ("what", "NOT_IN_LIST")))
        self.database = Database(str(self.settings.adapters["database"]), "adapters")
        self.database.now(lambda c: Book(c).keep(NAME, DIGEST, [(1, 2, [finding], piece)], 0.0))

    def run(self, word: str) -> int:
        row = [] if word == "redrive" else [f"{DIGEST[:12]}/1"]
        return main(["adapter", word, NAME, *row, "--settings", str(self.file)])

    @property
    def state(self) -> str:
        [state] = self.database.now(lambda c: Book(c).counts(NAME))
        return state

    def entries(self) -> list[tuple[str, str]]:
        book = open_logbook(self.settings)
        found = [orjson.loads(one.body) for one in book.store.rare(["admin"], 0, 2**52)]
        book.store.close()
        return [(one["name"], one["op"]) for one in found if one["name"].startswith("adapter.")]


@pytest.fixture(params=[None], ids=["bad"])
def desk(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr("sys.stdin", io.StringIO(GOOD + "\n"))
    made = Desk(tmp_path, request.param)
    yield made
    made.database.close()


WORDS = pytest.mark.parametrize(
    ("desk", "word", "state", "op"),
    [
        pytest.param(None, "mend", "due", "dpv:Modify", id="mend"),
        pytest.param("POLICY_DENIED", "redrive", "due", "dpv:Use", id="redrive"),
        pytest.param(None, "drop", "dropped", "dpv:Erase", id="drop"),
    ],
    indirect=["desk"],
)


@WORDS
def test_an_order_is_carried_out_and_on_record(desk: Desk, word: str, state: str, op: str) -> None:
    assert 0 == desk.run(word)

    assert (state, [(f"adapter.{word}", op)]) == (desk.state, desk.entries())


@WORDS
def test_where_the_ledger_cannot_be_written_nothing_changes(
    desk: Desk, word: str, state: str, op: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def gone(loaded: Any) -> Iterator[Any]:
        raise LedgerUnwritable("no room")
        yield

    monkeypatch.setattr(adapter_desk, "ledger_beside", gone)

    assert 0 != desk.run(word)
    assert ("waiting", []) == (desk.state, desk.entries())


@pytest.mark.parametrize("desk", ["DOUBLE"], indirect=True)
def test_a_row_whose_key_another_row_has_is_not_handed_in_as_it_stands(desk: Desk) -> None:
    assert 0 == desk.run("redrive")

    assert ("waiting", []) == (desk.state, desk.entries())


def test_a_row_that_is_still_bad_is_neither_due_nor_on_record(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(BAD + "\n"))

    assert 0 != desk.run("mend")
    assert ("waiting", []) == (desk.state, desk.entries())


@pytest.mark.parametrize(
    ("word", "ends", "state", "recorded"),
    [("show", True, "waiting", 1), ("mend", False, "waiting", 0), ("drop", True, "dropped", 1)],
    ids=["show", "mend", "drop"],
)
def test_a_message_that_the_package_cannot_hold_is_shown_and_given_up_at_the_desk(
    desk: Desk, word: str, ends: bool, state: str, recorded: int, capsys: pytest.CaptureFixture[str]
) -> None:
    out, number = "population_reports", "out-000001"
    piece = open_vault(desk.settings.state).seal("adapter", '{"id": "m1", "data": {"note": "é"}}')
    finding = Finding(1, None, None, "what", "NOT_FOR_PACKAGE")
    desk.database.now(lambda c: Book(c).keep(out, number, [(1, 1, [finding], piece)], 0.0))
    code = main(["adapter", word, out, f"{number}/1", "--settings", str(desk.file)])
    [found] = desk.database.now(lambda c: Book(c).counts(out))

    assert (ends, state, recorded) == (code == 0, found, len(desk.entries()))
    assert ("m1" in capsys.readouterr().out) == (word == "show")
