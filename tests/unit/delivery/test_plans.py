"""What runs every few seconds looks at what is open, never at all that was ever delivered."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from tests.unit.delivery.kit import House

PLAN = {"sqlite": "EXPLAIN QUERY PLAN ", "postgresql": "EXPLAIN "}


class Plans:
    """How the engine means to find what a call asks for: the plan of each statement about messages."""

    def __init__(self, hub: House) -> None:
        self._hub = hub
        self.told: list[str] = []
        self._asking = False

    def look(self, connection: Connection, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if self._asking or "delivery_message" not in statement or statement.lstrip().startswith(("EXPLAIN", "CREATE")):
            return
        self._asking = True
        try:
            if connection.dialect.name == "postgresql":  # of a table of nothing a scan is cheapest
                connection.execute(text("SET LOCAL enable_seqscan = off"))
            rows = connection.exec_driver_sql(PLAN[connection.dialect.name] + statement, parameters).all()
            self.told.append(" ".join(str(cell) for row in rows for cell in row))
        finally:
            self._asking = False


@pytest.fixture
def plans(hub: House) -> Plans:
    made = Plans(hub)
    event.listen(hub.database._engine, "before_cursor_execute", made.look)
    return made


async def test_counting_reads_an_index_of_what_is_open_or_dead(hub: House, plans: Plans) -> None:
    await hub.outbox.counts()

    assert [True] == ["delivery_standing" in plan for plan in plans.told]


async def test_what_is_overdue_is_found_by_its_own_indexes(hub: House, plans: Plans) -> None:
    await hub.outbox.overdue(10, 60)

    assert ["delivery_awaiting" in plans.told[0], "delivery_fetched" in plans.told[1]] == [True, True]


async def test_what_ended_long_ago_is_found_by_its_day(hub: House, plans: Plans) -> None:
    await hub.outbox.forget(hub.outbox.ms())

    assert [True] == ["delivery_over" in plan for plan in plans.told]
