"""A database from before registrations had a place in the list: each gets that of its first version."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import text

from integrator import database
from integrator.database import Database

ROW = text(
    "INSERT INTO directory_registration (id, organisation, tag, purpose, quality, starts, ends, sealed, origin, recorded_at, "
    "superseded_at) VALUES (:id, 'o', :tag, 'p', '1', '2026-01-01', '9999-12-31', :tag, 'api', 1, :until)"
)


def test_each_version_stands_where_the_first_one_stood(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = tmp_path / "migrations"
    shutil.copytree(database.MIGRATIONS, older)
    (older / "directory" / "0002_places.py").unlink()
    with monkeypatch.context() as before:
        before.setattr(database, "MIGRATIONS", older)
        kept = Database(url, "directory")
        rows = [{"id": id_, "tag": b"t", "until": until} for id_, until in (("a", 2), ("b", None), ("a", None))]
        kept.now(lambda connection: [connection.execute(ROW, row) for row in rows])
        kept.close()

    again = Database(url, "directory")
    now = text("SELECT id, place FROM directory_registration WHERE superseded_at IS NULL ORDER BY place")
    found = again.now(lambda connection: connection.execute(now).all())
    again.close()

    assert [("a", 1), ("b", 2)] == [tuple(row) for row in found]
