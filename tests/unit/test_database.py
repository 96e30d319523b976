"""Opening a database brings its tables up to date, once, whoever opens it first; on both engines."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Timer

import pytest
from sqlalchemy import text

from audit import sqlite_writer
from integrator import database
from integrator.database import Database
from integrator.errors import ConfigurationError
from tests.unit.audit.kit import ENGINES, engine_url

FIRST = '''
from alembic import op
import sqlalchemy as sa
revision, down_revision = "rehearsal_0001", None
def upgrade():
    op.create_table("rehearsal_play", sa.Column("title", sa.String, primary_key=True))
'''
SECOND = '''
from alembic import op
import sqlalchemy as sa
revision, down_revision = "rehearsal_0002", "rehearsal_0001"
def upgrade():
    op.add_column("rehearsal_play", sa.Column("acts", sa.Integer, server_default="5"))
'''


@pytest.fixture(autouse=True)
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A migrations folder with one room, `rehearsal`, that has taken its first step."""
    folder = tmp_path / "migrations"
    (folder / "rehearsal").mkdir(parents=True)
    shutil.copy(database.MIGRATIONS / "env.py", folder)
    (folder / "rehearsal" / "0001_plays.py").write_text(FIRST)
    monkeypatch.setattr(database, "MIGRATIONS", folder)
    return folder / "rehearsal"


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with engine_url(request.param, tmp_path) as place:
        yield place


def test_what_was_kept_is_still_there_after_the_next_step(url: str, steps: Path) -> None:
    first = Database(url, "rehearsal")
    first.now(lambda connection: connection.execute(text("INSERT INTO rehearsal_play VALUES ('Lucifer')")))
    first.close()
    (steps / "0002_acts.py").write_text(SECOND)

    second = Database(url, "rehearsal")
    rows = second.now(lambda connection: connection.execute(text("SELECT title, acts FROM rehearsal_play")).all())
    second.close()

    assert [("Lucifer", 5)] == [tuple(row) for row in rows]


def test_processes_that_start_together_take_each_step_once(url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        for opened in pool.map(lambda _: Database(url, "rehearsal"), range(4)):
            opened.close()


@pytest.mark.parametrize("become_wal", [database.become_wal, sqlite_writer.become_wal], ids=["hub", "ledger"])
def test_sqlite_that_says_busy_at_once_while_another_writes_its_new_file_is_asked_again(
    tmp_path: Path, become_wal: Callable[[sqlite3.Connection], object]
) -> None:
    other, ours = (
        sqlite3.connect(tmp_path / "new.db", isolation_level=None, timeout=5, check_same_thread=False) for _ in range(2)
    )
    other.execute("CREATE TABLE play (title)")
    other.execute("BEGIN IMMEDIATE")
    other.execute("INSERT INTO play VALUES ('Lucifer')")
    with pytest.raises(sqlite3.OperationalError):  # at once, though its time-out is five seconds
        ours.execute("PRAGMA journal_mode=WAL")
    done = Timer(0.05, other.execute, ["COMMIT"])

    done.start()
    become_wal(ours)

    done.join()
    assert ("wal",) == ours.execute("PRAGMA journal_mode").fetchone()
    other.close()
    ours.close()


def test_a_step_that_fails_leaves_nothing_behind(url: str, steps: Path) -> None:
    (steps / "0002_broken.py").write_text(SECOND.replace("op.add_column", "op.drop_table('nowhere'); op.add_column"))

    with pytest.raises(ConfigurationError, match="rehearsal"):
        Database(url, "rehearsal")
    (steps / "0002_broken.py").unlink()
    opened = Database(url, "rehearsal")
    opened.now(lambda connection: connection.execute(text("INSERT INTO rehearsal_play VALUES ('Gijsbrecht')")))
    opened.close()


def test_a_folder_that_is_not_there_is_named_without_the_address(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Database(f"sqlite:///{tmp_path / 'nowhere' / 'one.db'}", "rehearsal")

    assert "nowhere" not in str(refused.value)
