"""The consoles' database takes steps, also one that was made before there were any; and one session keeps what two requests write."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from integrator.consoles import opening  # every room declares its tables
from integrator.consoles.database import Database, metadata
from integrator.consoles.people import Person
from integrator.consoles.sessions import Sessions
from integrator.consoles.vault import Vault
from tests.unit.audit.kit import ENGINES, engine_url

PERSON = Person("p-1", "Anna", frozenset({"citizen"}))
NEW = ({"mandate"}, {"citizen_notice": {"sealed", "told"}, "console_session": {"version"}})  # since the steps began


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with engine_url(request.param, tmp_path) as place:
        yield place


def test_the_steps_make_the_very_tables_that_the_rooms_speak_to(url: str) -> None:
    database = Database(url)
    ours = {table.name for table in metadata.sorted_tables}

    def differences(connection: object) -> list[object]:
        found = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": False}), metadata)  # type: ignore[arg-type]
        return [one for one in found if not (one[0] == "remove_table" and one[1].name not in ours)]

    assert opening.ROOMS
    assert [] == database.now(differences)
    database.close()


def test_a_database_made_before_there_were_steps_keeps_what_is_in_it(url: str) -> None:
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:", 1))
    before = [one for one in metadata.sorted_tables if one.name not in NEW[0]]
    with engine.begin() as connection:
        for table in before:
            columns = [one for one in table.columns if one.name not in NEW[1].get(table.name, ())]
            made = ", ".join(
                f"{one.name if one.name != 'index' else chr(34) + 'index' + chr(34)} {one.type.compile(engine.dialect)}"
                for one in columns
            )
            connection.execute(text(f"CREATE TABLE {table.name} ({made})"))
        connection.execute(text("INSERT INTO citizen_notice (tag, seen) VALUES ('kept', 7)"))
    engine.dispose()

    for _ in range(2):
        database = Database(url)
        rows = database.now(lambda one: one.execute(text("SELECT tag, seen, told FROM citizen_notice")).all())
        database.close()
        assert [("kept", 7, None)] == [tuple(row) for row in rows]


@pytest.fixture
def sessions(url: str) -> Iterator[Sessions]:
    database = Database(url)
    yield Sessions(database, Vault(bytes(32)), lambda: 1_795_440_600.0)
    database.close()


async def test_two_requests_at_once_lose_nothing(sessions: Sessions) -> None:
    begun = await sessions.begin(PERSON, {"kept": 1, "gone": 1, "flash": []})
    one, other = [await sessions.find(begun.token) for _ in range(2)]
    assert one is not None and other is not None
    one.data["mine"], one.data["flash"] = 1, ["first"]
    del other.data["gone"]
    other.data["theirs"], other.data["flash"] = 2, ["second"]

    await asyncio.gather(sessions.save(one), sessions.save(other))

    found = await sessions.find(begun.token)
    assert found is not None
    said = found.data.pop("flash")
    assert ({"kept": 1, "mine": 1, "theirs": 2}, ["first", "second"]) == (found.data, sorted(said))


async def test_many_requests_at_once_lose_nothing(sessions: Sessions) -> None:
    begun = await sessions.begin(PERSON)

    async def click(number: int) -> None:
        session = await sessions.find(begun.token)
        assert session is not None
        session.data[f"n{number}"] = number
        await sessions.save(session)

    await asyncio.gather(*map(click, range(6)))

    found = await sessions.find(begun.token)
    assert found is not None and {f"n{number}": number for number in range(6)} == found.data


async def test_a_request_that_ends_after_the_signing_out_brings_nothing_back(sessions: Sessions) -> None:
    begun = await sessions.begin(PERSON)
    session = await sessions.find(begun.token)
    assert session is not None
    await sessions.end(begun)
    session.data["late"] = json.dumps({})
    await sessions.save(session)

    assert await sessions.find(begun.token) is None
