"""A ledger for several machines beside rooms that only one of them would have: said at start, by name."""

from __future__ import annotations

from pathlib import Path

from integrator import settings
from integrator.nodes import ROOMS, apart

SHARED = "postgresql://127.0.0.1/hub"


def test_one_machine_may_keep_everything_in_files(tmp_path: Path) -> None:
    assert [] == apart(settings.load(None, state=str(tmp_path)))


def test_a_shared_ledger_beside_rooms_in_files_names_each_of_them(tmp_path: Path) -> None:
    agents_shared = {"agents": {"database": SHARED}}

    assert [room for room in ROOMS if room != "agents"] == apart(
        settings.load(None, state=str(tmp_path), ledger=SHARED, **agents_shared)
    )


def test_every_setting_with_a_database_is_looked_at(tmp_path: Path) -> None:
    loaded = settings.load(None, state=str(tmp_path))
    rooms = [
        name
        for name in loaded.__slots__
        if isinstance(getattr(loaded, name), dict) and "database" in getattr(loaded, name)
    ]

    assert sorted(ROOMS) == sorted(rooms)
