"""A package lets its database be read: every row once, whatever was committed late, and nothing of it is written or held."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from integrator.adapters.book import Book
from integrator.adapters.drops import Drop
from integrator.adapters.intake import Intake, Stopped, Taken
from integrator.adapters.posts import Post
from integrator.adapters.ways.engines import open_engine
from integrator.adapters.ways.journal import Journal, WayState
from integrator.adapters.ways.opening import open_way
from integrator.database import Database
from tests.unit.adapters import kit
from tests.unit.adapters.databases import ENGINES, Package, package

DATA: dict[str, Any] = {
    "adapter": "population",
    "format": {"kind": "records"},
    "view": {"name": "v_changes", "position": ["changed_at", "change_id"], "overlap": 600, "page": 3, "seconds": 5},
    "fields": {
        "change": {"column": "change_id", "type": "integer", "required": True},
        "resident": {"column": "nrn", "type": "ssin", "required": True},
        "file": {"column": "dossier"},
        "movedOn": {"column": "moved_on", "type": "date", "form": "yyyy-mm-dd"},
        "fee": {"column": "fee", "type": "decimal", "separator": "."},
        "street": {"column": "street", "max": 60},
    },
    "key": ["change"],
    "ignore": ["clerk"],
}
ANN, BOB, CEM = kit.PEOPLE
NOW = 1_795_200_000.0  # 20 November 2026


class Desk:
    """The adapter at work, and what its rows became."""

    def __init__(self, there: Package, folder: Path, data: dict[str, Any] = DATA) -> None:
        self.there, self.folder, self.data = there, folder, data
        self.effects: list[tuple[str, Any]] = []
        self.told: list[str] = []
        self.fails = False
        self.access = folder / "access.yaml"
        self.access.write_text(f"database: '{there.url}'\n")
        self.access.chmod(0o600)
        self.database = Database(f"sqlite:///{folder}/adapters.db", "adapters")
        self.open()

    def open(self) -> None:
        """As a process that starts does."""
        layout = kit.layout(self.data)
        turned = lambda use, text: text[::-1]
        drop = Drop(self.folder / "drop")
        intake = Intake(layout, self.database, self._effect, seal=turned, unseal=turned, now=time.time)
        way = open_way(layout, self.access, self.database, drop, lambda: NOW, self._tell)
        self.post = Post("population", drop, intake, self.database, time.time, self._tell, way)

    async def _effect(self, rows: Sequence[Taken]) -> None:
        if self.fails:
            raise Stopped(frozenset(), {})
        self.effects += [(one.key, one.values.get("change", one.values)) for one in rows]

    def _tell(self, event: str, **words: Any) -> None:
        if event == "adapter_way":
            self.told.append(words["reason"])

    def turn(self) -> list[Any]:
        """Changes that had their effect in one turn."""
        before = len(self.effects)
        asyncio.run(self.post.turn())
        return [change for _, change in self.effects[before:]]

    def waiting(self) -> list[tuple[str | None, str]]:
        return [one.reasons[0] for one in self.database.now(lambda c: Book(c).waiting("population"))]

    def state(self) -> WayState:
        return self.database.now(lambda c: Journal(c, "population").state())


@pytest.fixture(params=ENGINES)
def there(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Package]:
    with package(request.param, tmp_path) as found:
        yield found


@pytest.fixture
def desk(there: Package, tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(there, tmp_path)
    yield opened
    opened.database.close()


def test_what_a_clerk_enters_has_its_effect_once_over_more_pages_than_one(desk: Desk) -> None:
    for number in range(1, 8):
        desk.there.enters(number, f"2026-11-20 10:00:{number // 3:02}", kit.PEOPLE[number % 3])

    assert [1, 2, 3, 4, 5, 6, 7] == desk.turn()
    desk.there.enters(8, "2026-11-20 10:05:00", ANN)
    assert [8] == desk.turn()
    assert [] == desk.turn()
    assert (None, None) == (desk.state().behind, desk.state().trouble)


def test_a_row_that_is_committed_late_under_an_earlier_moment_is_met(desk: Desk) -> None:
    desk.there.enters(10, "2026-11-20 10:09:00", ANN)
    desk.turn()

    desk.there.enters(9, "2026-11-20 10:00:00", BOB)

    assert [9] == desk.turn()


def test_a_row_that_changed_is_another_effect_and_the_others_are_not_had_again(desk: Desk) -> None:
    desk.there.enters(1, "2026-11-20 10:00:00", ANN)
    desk.there.enters(2, "2026-11-20 10:00:00", BOB)
    desk.turn()

    desk.there.run("UPDATE change_log SET street = 'Chaussée de Wavre' WHERE change_id = 2")

    assert [2] == desk.turn()
    assert 3 == len({key for key, _ in desk.effects})


def test_a_hub_that_cannot_go_on_keeps_the_position_and_a_new_process_takes_up_the_page(desk: Desk) -> None:
    desk.there.enters(1, "2026-11-20 10:00:00", ANN)
    desk.there.enters(2, "2026-11-20 10:00:00", "00000000000")
    desk.fails = True
    with pytest.raises(Stopped):
        desk.turn()
    stood = desk.state()
    desk.there.enters(3, "2026-11-20 10:00:00", CEM)

    desk.fails = False
    desk.open()

    assert (None, False) == (stood.position, stood.behind is None)
    assert [1, 3] == desk.turn()
    assert [("resident", "CHECK_DIGITS")] == desk.waiting()  # once, though the page was met twice


def test_the_same_row_has_the_same_key_after_everything_was_forgotten(desk: Desk) -> None:
    """The hub's own keys keep effects single when the state of the adapter is lost."""
    desk.there.enters(1, "2026-11-20 10:00:00", ANN)
    desk.turn()

    desk.database.now(
        lambda c: [
            c.exec_driver_sql(f"DELETE FROM {table}") for table in ("adapter_way", "adapter_row", "adapter_file")
        ]
    )
    desk.open()
    desk.turn()

    assert 2 == len(desk.effects)
    assert 1 == len({key for key, _ in desk.effects})


def test_values_come_as_the_layout_has_them(desk: Desk) -> None:
    desk.there.enters(1, "2026-11-20 10:00:00", ANN, street="Çağlar 🦔 œuvre")
    desk.there.enters(2, "2026-11-20 10:00:00", BOB, fee=None, moved_on=None, street=None)
    seen: list[dict[str, Any]] = []

    async def effect(rows: Sequence[Taken]) -> None:
        seen.extend(one.values for one in rows)

    desk.post.intake._effect = effect
    desk.turn()

    assert {"change": 1, "resident": ANN, "file": "IX-1", "movedOn": "2026-11-20", "street": "Çağlar 🦔 œuvre"} == {
        name: value for name, value in seen[0].items() if name != "fee"
    }
    assert "12.50" == format(seen[0]["fee"], "f")
    assert {"change": 2, "resident": BOB, "file": "IX-2"} == seen[1]


def test_a_value_that_nobody_can_read_is_a_finding_of_its_row_and_the_others_go_on(desk: Desk) -> None:
    column, value, found = {
        "sqlite": ("street", "CAST(X'e9' AS TEXT)", ("street", "ENCODING")),
        "postgresql": ("moved_on", "'infinity'", ("movedOn", "NOT_A_DATE")),
        "mariadb": ("moved_on", "'0000-00-00'", ("movedOn", "NOT_A_DATE")),
    }[desk.there.kind]
    desk.there.enters(1, "2026-11-20 10:00:00", ANN)
    desk.there.enters(2, "2026-11-20 10:00:00", BOB)
    with desk.there.engine.begin() as connection:
        if desk.there.kind == "mariadb":
            connection.exec_driver_sql("SET SESSION sql_mode=''")
        connection.exec_driver_sql(f"UPDATE change_log SET {column} = {value} WHERE change_id = 1")

    assert ([2], [found]) == (desk.turn(), desk.waiting())


@pytest.mark.mariadb
def test_a_table_in_latin1_is_read_as_it_was_written(tmp_path: Path) -> None:
    with package("mariadb", tmp_path) as there:
        there.run("ALTER TABLE change_log CONVERT TO CHARACTER SET latin1")
        there.enters(1, "2026-11-20 10:00:00", ANN, street="Chaussée d’Ixelles €")
        desk = Desk(there, tmp_path)
        seen: list[Any] = []

        async def effect(rows: Sequence[Taken]) -> None:
            seen.extend(one.values["street"] for one in rows)

        desk.post.intake._effect = effect
        desk.turn()
        desk.database.close()

    assert ["Chaussée d’Ixelles €"] == seen


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("DROP VIEW v_changes", "NO_SUCH_VIEW"),
        ("extra", "OTHER_LAYOUT"),
        ("fewer", "OTHER_LAYOUT"),
        ("typed", "OTHER_POSITION"),
    ],
    ids=["the view is gone", "a column more", "a column less", "the position is of another kind"],
)
def test_a_view_that_changed_is_a_finding_and_goes_on_when_it_is_mended(desk: Desk, change: str, reason: str) -> None:
    columns = "change_id, changed_at, nrn, dossier, moved_on, fee, street"
    views = {
        "extra": f"CREATE VIEW v_changes AS SELECT {columns}, clerk, clerk AS who FROM change_log",
        "fewer": "CREATE VIEW v_changes AS SELECT change_id, changed_at, nrn, dossier, moved_on, fee FROM change_log",
        "typed": f"CREATE VIEW v_changes AS SELECT {columns.replace('changed_at', 'change_id AS changed_at')} FROM change_log",
        "whole": f"CREATE VIEW v_changes AS SELECT {columns}, clerk FROM change_log",
    }
    desk.there.enters(1, "2026-11-20 10:00:00", ANN)
    desk.turn()
    desk.there.run("DROP VIEW v_changes")
    if change in views:
        desk.there.run(views[change])
    desk.there.enters(2, "2026-11-20 10:00:01", BOB)

    closed = [desk.turn(), desk.turn(), desk.told[-1], desk.state().trouble]
    if change in views:
        desk.there.run("DROP VIEW v_changes")
    desk.there.run(views["whole"])

    assert [[], [], reason, reason] == closed
    assert [2] == desk.turn()
    assert "OK" == desk.told[-1]


def test_a_row_without_a_place_is_told_and_the_others_go_on(desk: Desk) -> None:
    desk.there.enters(1, "2026-11-20 10:00:00", ANN)
    desk.there.run("INSERT INTO change_log (change_id, nrn) VALUES (2, '84651797654')")

    assert [1] == desk.turn()
    assert ("NO_PLACE", "NO_PLACE") == (desk.told[-1], desk.state().trouble)


def test_a_time_that_is_still_to_come_makes_nobody_pass_over_what_is_entered_before(desk: Desk) -> None:
    desk.there.enters(1, "2026-11-20 10:00:00", ANN)
    desk.there.enters(2, "2999-01-01 00:00:00", BOB)
    first = desk.turn()
    desk.there.enters(3, "2026-11-20 10:05:00", CEM)

    assert ([1, 2], [3], []) == (first, desk.turn(), desk.turn())
    assert "FUTURE_PLACE" == desk.told[-1]


def test_the_connection_cannot_write(there: Package) -> None:
    engine = open_engine(there.url, 5)

    with pytest.raises(Exception, match=r"(?i)read.?only"), engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM change_log")


def test_a_package_writes_while_a_page_is_taken_in(desk: Desk) -> None:
    """Nothing is held in its database beyond the page: a table that we read can be altered."""
    desk.there.enters(1, "2026-11-20 10:00:00", ANN)

    async def effect(rows: Sequence[Taken]) -> None:
        await asyncio.wait_for(asyncio.to_thread(desk.there.run, "ALTER TABLE change_log ADD COLUMN more INTEGER"), 5)
        desk.effects += [(one.key, one.values["change"]) for one in rows]

    desk.post.intake._effect = effect

    assert [1] == desk.turn()


def test_a_statement_that_takes_too_long_is_ended_and_told(there: Package, tmp_path: Path) -> None:
    slow = {
        "sqlite": "SELECT c.*, (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n) AS x FROM change_log c",
        "postgresql": "SELECT c.*, pg_sleep(30)::text AS x FROM change_log c",
        "mariadb": "SELECT c.*, SLEEP(30) AS x FROM change_log c",
    }[there.kind]
    there.enters(1, "2026-11-20 10:00:00", ANN)
    there.run(f"CREATE VIEW v_slow AS {slow}")
    fields = DATA["fields"] | {"x": {"column": "x"}}
    desk = Desk(there, tmp_path, {**DATA, "fields": fields, "view": {**DATA["view"], "name": "v_slow", "seconds": 1}})
    begun = time.monotonic()

    assert [] == desk.turn()
    assert "WAY_SLOW" == desk.told[-1]
    assert time.monotonic() - begun < 8
    desk.database.close()


def test_a_database_that_is_not_there_is_told_without_its_address(tmp_path: Path, there: Package) -> None:
    desk = Desk(there, tmp_path)
    nowhere = {
        "sqlite": f"sqlite:///{tmp_path}/none.db",
        "postgresql": "postgresql://127.0.0.1:9/x",
        "mariadb": "mariadb://127.0.0.1:9/x",
    }
    desk.access.write_text(f"database: '{nowhere[there.kind]}'\n")
    desk.open()

    assert [] == desk.turn()
    assert desk.told[-1] in ("WAY_CLOSED", "WAY_DENIED")
    desk.database.close()
