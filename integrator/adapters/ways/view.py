"""A view of a package's database, read page by page with a connection that cannot write.

    view:
      name: v_address_changes            # schema.name where it has one
      position: [changed_at, change_id]  # columns that only grow; the last one tells rows of one moment apart
      overlap: 600                       # so much before the position is read again: seconds of a time, or numbers
      page: 500                          # rows of one statement
      seconds: 10                        # a statement may take

Rows that become visible late (somebody's transaction took its number before and committed after) are met as long as they
are not older than the overlap. What was met is known by its digest, so that reading it again has no effect.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from integrator.adapters.layout import Layout
from integrator.adapters.ways.engines import refused
from integrator.adapters.ways.failing import WayFailed
from integrator.adapters.ways.places import back, came, earlier, kept, scale
from integrator.adapters.ways.plain import plain
from integrator.adapters.ways.polling import Page
from integrator.errors import ConfigurationError

SECONDS, PAGE = 10.0, 500


@dataclass(frozen=True, slots=True)
class ViewPart:
    """`view:` of an adapter.yaml, compiled."""

    name: str
    position: tuple[str, ...]
    overlap: float
    page: int
    seconds: float
    columns: tuple[str, ...]  # that are read: of the fields, and of the position
    known: frozenset[str]  # columns that may be there


def view_part(layout: Layout) -> ViewPart:
    """Raises `ConfigurationError`."""
    said = layout.data["view"]
    position = tuple(said["position"])
    if not position:
        raise ConfigurationError(f"{layout.adapter}: view.position needs a column")
    columns = tuple(dict.fromkeys([*(one.column for one in layout.fields), *position]))
    known = frozenset([*columns, *(layout.data.get("ignore") or ())])
    return ViewPart(
        str(said["name"]), position, float(said["overlap"]), min(int(said.get("page", PAGE)), layout.max_rows),
        float(said.get("seconds", SECONDS)), columns, known,
    )  # fmt: skip


@dataclass(slots=True)
class View:
    """`Pages` of a view."""

    part: ViewPart
    engine: Engine
    now: Callable[[], float]
    _future: bool = False  # of this pass: a row's time is still to come
    _last: list[Any] | None = field(default=None)  # of this pass: the position of the last row that was read
    _began: list[Any] | None = field(default=None)  # of this pass: where it began

    def again(self) -> None:
        self._last = self._began = None
        self._future = False

    async def close(self) -> None:
        """No connection is kept."""

    def place(self, row: Mapping[str, Any]) -> float:
        return scale(row.get(self.part.position[0]))

    async def fetch(self, position: Any) -> Page:
        """The next page of a pass. A pass begins `overlap` before the position. Raises `WayFailed`."""
        known = None if position is None else back(position)
        try:
            return await asyncio.wait_for(asyncio.to_thread(self._fetch, known), self.part.seconds * 3 + 10)
        except TimeoutError:
            raise WayFailed("WAY_SLOW") from None
        except SQLAlchemyError as error:
            raise refused(error) from None

    def _fetch(self, known: list[Any] | None) -> Page:
        with self.engine.connect() as connection:  # for this page only
            if self._last is None:
                self._future = False
                self._agree(connection, known)
                self._began = None if known is None else [earlier(known[0], self.part.overlap)]
            rows = connection.execute(self._statement()).mappings().all()
            places = [[row[name] for name in self.part.position] for row in rows]
            past = [place for place in places if came(place[0], self.now())]
            self._future = self._future or len(past) < len(places)
            finding = None if len(rows) == self.part.page else self._finding(connection)
        # A time that is still to come is no place to go on from: all that is entered until then would be passed over.
        beyond = known if not past else past[-1] if known is None else _further(known, past[-1])
        more, began = len(rows) == self.part.page, self._began
        self._last = places[-1] if more else None
        return Page(
            [{name: plain(row[name]) for name in self.part.columns} for row in rows],
            None if beyond is None else kept(beyond), more, None if began is None else scale(began[0]) - 1, finding=finding,
        )  # fmt: skip

    def _statement(self) -> sa.Select[*tuple[Any, ...]]:
        places: list[Any] = [sa.column(name) for name in self.part.position]
        chosen: sa.Select[*tuple[Any, ...]] = sa.select(*map(sa.column, self.part.columns)).select_from(self._view())
        chosen = chosen.where(*(place.is_not(None) for place in places)).order_by(*places).limit(self.part.page)
        if self._last is not None:
            return chosen.where(_behind(places, self._last))
        return chosen if self._began is None else chosen.where(places[0] >= _bound(self._began[0]))

    def _view(self) -> sa.TableClause:
        schema, _, name = self.part.name.rpartition(".")
        return sa.table(name, schema=schema or None)

    def _agree(self, connection: Connection, known: list[Any] | None) -> None:
        """The columns are those of the layout, and places compare with the one that is known. Raises `WayFailed`.

        SQLite and MariaDB compare a number with a time without a word, and rows would be passed over.
        """
        empty = sa.select(sa.text("*")).select_from(self._view()).where(sa.false())
        there = set(connection.execute(empty).keys())
        if not set(self.part.columns) <= there or there - self.part.known:
            raise WayFailed("OTHER_LAYOUT")
        places: list[Any] = [sa.column(name) for name in self.part.position]
        some = sa.select(*places).select_from(self._view()).where(*(one.is_not(None) for one in places)).limit(1)
        first = connection.execute(some).first()
        if first is not None and known is not None and list(map(type, first)) != list(map(type, known)):
            raise WayFailed("OTHER_POSITION")

    def _finding(self, connection: Connection) -> str | None:
        nowhere = sa.or_(*(sa.column(name).is_(None) for name in self.part.position))
        found = sa.select(sa.literal(1)).select_from(self._view()).where(nowhere).limit(1)
        if connection.execute(found).first() is not None:
            return "NO_PLACE"
        return "FUTURE_PLACE" if self._future else None


def sample(engine: Engine, name: str, rows: int) -> list[dict[str, Any]]:
    """Some rows as plain values, every column. Raises `WayFailed`."""
    schema, _, alone = name.rpartition(".")
    some = sa.select(sa.text("*")).select_from(sa.table(alone, schema=schema or None)).limit(rows)
    try:
        with engine.connect() as connection:
            return [{column: plain(row[column]) for column in row} for row in connection.execute(some).mappings()]
    except SQLAlchemyError as error:
        raise refused(error) from None


def _behind(places: Sequence[Any], last: Sequence[Any]) -> Any:
    """(a, b) > (x, y) in words that every database uses its index for."""
    ways = []
    for at, (place, value) in enumerate(zip(places, last, strict=True)):
        same = [one == _bound(before) for one, before in zip(places[:at], last[:at], strict=True)]
        ways.append(sa.and_(*same, place > _bound(value)))
    return sa.and_(places[0] >= _bound(last[0]), sa.or_(*ways))


def _bound(value: Any) -> Any:
    """A time keeps its zone, or that it has none."""
    return (
        sa.literal(value, sa.DateTime(value.tzinfo is not None)) if isinstance(value, datetime) else sa.literal(value)
    )


def _further(known: list[Any], last: list[Any]) -> list[Any]:
    try:
        return max(known, last)
    except TypeError:
        raise WayFailed("OTHER_POSITION") from None
