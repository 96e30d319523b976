"""Cases and happenings, on both engines: kept by tag, and gone when they are over."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from integrator.database import Database
from integrator.watching import happenings
from integrator.watching.cases import Cases, State
from integrator.watching.happenings import DEATH, MOVE, Happenings
from integrator.watching.tags import Tagger
from tests.unit.audit.kit import ENGINES, NOON, engine_url
from tests.unit.watching.rig import ORG, OTHER_ORG, SUBJECT, THIRD, tagger

DAY = 86_400_000_000
DIED = 1_767_225_600_000_000  # 2026-01-01


@pytest.fixture(params=ENGINES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with engine_url(request.param, tmp_path) as url:
        opened = Database(url, "watching")
        yield opened
        opened.close()


@pytest.fixture
def keyed(tmp_path: Path) -> Tagger:
    return tagger(tmp_path / "keys")


def test_a_case_opens_closes_and_opens_again(database: Database, keyed: Tagger) -> None:
    cases = Cases(database, keyed)

    assert (None, False) == (cases.close(ORG, "IX-1", NOON), cases.kept_by(ORG))
    assert State(NOON, None) == cases.open(ORG, "IX-1", NOON) == cases.state(ORG, "IX-1")
    assert State(NOON, NOON + DAY) == cases.close(ORG, "IX-1", NOON + DAY) == cases.close(ORG, "IX-1", NOON + 2 * DAY)
    assert State(NOON, None) == cases.open(ORG, "IX-1", NOON + 3 * DAY)


def test_another_organisation_s_case_is_none_of_ours(database: Database, keyed: Tagger) -> None:
    cases = Cases(database, keyed)
    cases.open(ORG, "IX-1", NOON, SUBJECT)

    assert (None, False, False) == (
        cases.state(OTHER_ORG, "IX-1"),
        cases.kept_by(OTHER_ORG),
        cases.about(OTHER_ORG, SUBJECT, NOON),
    )


def test_a_case_is_of_its_person_while_it_is_open(database: Database, keyed: Tagger) -> None:
    cases = Cases(database, keyed)
    cases.open(ORG, "IX-1", NOON, SUBJECT)
    cases.close(ORG, "IX-1", NOON + DAY)

    assert [False, True, True, False] == [cases.about(ORG, SUBJECT, NOON + at) for at in (-1, 0, DAY, DAY + 1)]
    assert not cases.about(ORG, THIRD, NOON)


async def test_a_death_that_an_answer_told_is_remembered(database: Database, keyed: Tagger) -> None:
    await Happenings(database, keyed).learn(SUBJECT, None, {"deathDate": "2026-01-01"}, {})

    again = Happenings(database, keyed)
    assert (DIED, "") == again.at(DEATH, keyed.person(SUBJECT))
    assert again.at(DEATH, keyed.person(THIRD)) is None


@pytest.mark.parametrize("date", [None, "1984-00-00", "soon", 7], ids=["none", "incomplete", "no date", "a number"])
async def test_what_is_no_date_is_no_death(database: Database, keyed: Tagger, date: object) -> None:
    happenings = Happenings(database, keyed)
    await happenings.learn(SUBJECT, None, {"deathDate": date}, {})

    assert happenings.at(DEATH, keyed.person(SUBJECT)) is None


async def test_who_moved_away_and_came_back_did_not_move(database: Database, keyed: Tagger) -> None:
    happenings, person = Happenings(database, keyed), keyed.person(SUBJECT)
    lives = {"address": {"startDate": "2026-01-01"}}

    await happenings.learn(SUBJECT, "21009", lives, {"municipality": "21009"})
    assert happenings.at(MOVE, person) is None
    await happenings.learn(SUBJECT, "21009", lives, {"municipality": "21004"})
    assert (DIED, "21004") == happenings.at(MOVE, person)
    await happenings.learn(SUBJECT, "21009", {}, {"municipality": "21009"})
    assert happenings.at(MOVE, person) is None


async def test_where_somebody_moved_to_asks_and_the_move_stays(database: Database, keyed: Tagger) -> None:
    happenings, lives = Happenings(database, keyed), {"address": {"startDate": "2026-01-01"}}
    await happenings.learn(SUBJECT, "21009", lives, {"municipality": "21004"})
    await happenings.learn(SUBJECT, "21004", lives, {"municipality": "21004"})

    assert (DIED, "21004") == happenings.at(MOVE, keyed.person(SUBJECT))


async def test_a_move_that_another_node_forgot_is_written_again(database: Database, keyed: Tagger) -> None:
    seconds = [0.0]
    one, other = (Happenings(database, keyed, lambda: seconds[0]) for _ in range(2))
    lives = {"address": {"startDate": "2026-01-01"}}
    await one.learn(SUBJECT, "21009", lives, {"municipality": "21004"})
    seconds[0] += 300
    await other.learn(SUBJECT, "21009", lives, {"municipality": "21009"})
    assert one.at(MOVE, keyed.person(SUBJECT)) is None
    seconds[0] += 300
    await one.learn(SUBJECT, "21009", lives, {"municipality": "21004"})

    assert (DIED, "21004") == other.at(MOVE, keyed.person(SUBJECT))


async def test_a_node_that_runs_longer_forgets_the_move_that_another_learned(database: Database, keyed: Tagger) -> None:
    seconds = [0.0]
    older, other = (Happenings(database, keyed, lambda: seconds[0]) for _ in range(2))
    await other.learn(SUBJECT, "21009", {"address": {"startDate": "2026-01-01"}}, {"municipality": "21004"})
    seconds[0] += 300
    await older.learn(SUBJECT, "21009", {}, {"municipality": "21009"})

    assert older.at(MOVE, keyed.person(SUBJECT)) is None


async def test_a_move_onward_that_another_node_wrote_outlives_an_old_memory(database: Database, keyed: Tagger) -> None:
    seconds = [0.0]
    older, other = (Happenings(database, keyed, lambda: seconds[0]) for _ in range(2))
    lives = {"address": {"startDate": "2026-01-01"}}
    await older.learn(SUBJECT, "21009", lives, {"municipality": "21004"})
    await other.learn(SUBJECT, "21009", lives, {"municipality": "21012"})
    await older.learn(SUBJECT, "21012", lives, {"municipality": "21012"})  # who believes that it is 21004

    assert (DIED, "21012") == older.at(MOVE, keyed.person(SUBJECT))


async def test_reading_that_takes_long_keeps_nobody_waiting_and_counts_when_it_is_done(
    database: Database, keyed: Tagger, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds, go, home = [0.0], threading.Event(), {"municipality": "21009"}
    older, other = (Happenings(database, keyed, lambda: seconds[0]) for _ in range(2))
    await other.learn(SUBJECT, "21009", {"address": {"startDate": "2026-01-01"}}, {"municipality": "21004"})
    seconds[0] += 300
    moves = happenings._moves
    monkeypatch.setattr(happenings, "_moves", lambda connection: [go.wait(10), moves(connection)][1])
    monkeypatch.setattr(happenings, "_PATIENCE", 0.01)

    async with asyncio.timeout(5):
        await older.learn(THIRD, "21009", {}, home)
        go.set()
        assert older._reading is not None
        await older._reading
        await older.learn(SUBJECT, "21009", {}, home)

    assert older.at(MOVE, keyed.person(SUBJECT)) is None


async def test_moves_that_cannot_be_read_are_those_of_before(database: Database, keyed: Tagger) -> None:
    seconds = [0.0]
    one = Happenings(database, keyed, lambda: seconds[0])
    await one.learn(SUBJECT, "21009", {"address": {"startDate": "2026-01-01"}}, {"municipality": "21004"})
    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(happenings, "_moves", lambda connection: connection.execute(text("SELECT nothing FROM nowhere")))
        seconds[0] += 300
        await one.learn(THIRD, "21009", {}, {"municipality": "21009"})
    await one.learn(SUBJECT, "21009", {}, {"municipality": "21009"})

    assert one.at(MOVE, keyed.person(SUBJECT)) is None


async def test_a_body_without_territory_teaches_no_move(database: Database, keyed: Tagger) -> None:
    happenings = Happenings(database, keyed)
    await happenings.learn(SUBJECT, None, {"address": {"startDate": "2026-01-01"}}, {"municipality": "21004"})

    assert happenings.at(MOVE, keyed.person(SUBJECT)) is None


async def test_whoever_holds_only_the_database_finds_no_number(database: Database, keyed: Tagger) -> None:
    Cases(database, keyed).open(ORG, "IX-2026-17", NOON, SUBJECT)
    await Happenings(database, keyed).learn(SUBJECT, None, {"deathDate": "2026-01-01"}, {})

    rows = [
        str(row)
        for table in ("watching_case", "watching_happening")
        for row in database.now(lambda one, table=table: one.execute(text(f"SELECT * FROM {table}")).all())  # noqa: S608
    ]
    assert 2 == len(rows)
    assert not any(SUBJECT in row or "IX-2026-17" in row for row in rows)
