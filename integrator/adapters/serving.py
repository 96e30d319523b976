"""What the hub delivers, as files that a package reads. The part of adapter.yaml that says so:

    deliver:
      service: person.reportDifference
      organisation: ixelles
      application: population-package
      purpose: file_update
      suffix: .csv
      receipt: .ack                 # the package writes NAME.ack when it has read NAME; left out: a written file is a read one
      each: content.entries         # one row for each of these; left out: one row for an event
      rows: {note: id, resident: ssin, what: content.field}      # field of the layout: where it stands in the event's data;
                                                                  # `item.x`: in the one of `each`; a plain one is `item`
      asks: …                       # what is asked for each event: see completing
      answers: true                 # what was answered to the package's own messages of the service, instead of the messages

    fetch ─► rows ─► .NAME.part, durable ─► book: placing ─► rename ─► book: placed ─► (receipt) ─► the next fetch acknowledges

A kill between two of these steps is finished by the next turn: no file comes twice, none is lost. What the layout cannot
hold waits in quarantine, and the others go on.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import sqlalchemy as sa

from integrator.adapters.book import Book
from integrator.adapters.completing import Asks, asks, reach
from integrator.adapters.findings import Finding
from integrator.adapters.layout import Layout
from integrator.adapters.shelves import Shelf
from integrator.adapters.writing import write
from integrator.database import Database
from integrator.errors import ConfigurationError, MalformedRequest

Page = tuple[Sequence[Mapping[str, Any]], str | None]  # events, cursor that acknowledges them
Fetch = Callable[[str | None], Awaitable[Page]]
OUT = "out-"  # in the book, the files that we write are called so, and by their number
_out = sa.table(
    "adapter_out", *map(sa.column, ("adapter", "number", "state", "name", "cursor", "ids", "since"))
)  # placing | placed | told


@dataclass(frozen=True, slots=True)
class Delivery:
    """One package's part as a reader, compiled."""

    service: str
    organisation: str
    application: str
    purpose: str
    suffix: str
    receipt: str  # "" = none
    heading: str
    each: str
    rows: Mapping[str, str]
    answers: bool  # to its own messages
    amounts: frozenset[str]  # fields whose figures come as text
    asks: Asks | None = None  # what is asked for each event

    def of(self, event: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The rows of one event."""
        return [self._row(event, one) for one in (reach(self.each, event) or [] if self.each else [{}])]

    def _row(self, event: Mapping[str, Any], item: Any) -> dict[str, Any]:
        found = {name: reach(path, event, item) for name, path in self.rows.items()}
        return {
            name: _figures(value) if name in self.amounts else value
            for name, value in found.items()
            if value is not None
        }


def delivery(layout: Layout) -> Delivery | None:
    """None when nothing is delivered to this package. Raises `ConfigurationError`."""
    said = layout.data.get("deliver")
    if said is None:
        return None
    if layout.way in ("view", "rest"):
        raise ConfigurationError(f"{layout.adapter}: deliver: files are put into a folder, not into a {layout.way}")
    unknown = set(said["rows"]) - {one.name for one in layout.fields}
    if unknown or layout.kind not in ("fixed", "delimited"):
        what = f"no field {', '.join(sorted(unknown))}" if unknown else "only files of lines are written"
        raise ConfigurationError(f"{layout.adapter}: deliver: {what}")
    return Delivery(
        said["service"], str(said["organisation"]), said["application"], said["purpose"], str(said.get("suffix", ".txt")),
        str(said.get("receipt", "")), str(said.get("heading", "")), str(said.get("each", "")), said["rows"],
        bool(said.get("answers", False)),
        frozenset(name for name, spec in layout.data["fields"].items() if spec.get("type") == "decimal"),
        asks(said["asks"]) if "asks" in said else None,
    )  # fmt: skip


@dataclass(slots=True)
class Serving:
    """Writes files for one package; one of them runs at a time (`Drop.alone` of its folder)."""

    layout: Layout
    delivery: Delivery
    shelf: Shelf  # that the package reads from
    database: Database
    fetch: Fetch
    seal: Callable[[str, str], str]
    now: Callable[[], float]

    async def turn(self) -> int:
        """Write the next file when there is something; returns its number of rows. 0: nothing new, or a receipt is awaited."""
        last = await self.database.run(lambda c: _last(c, self.layout.adapter))
        if last is not None and last["state"] == "placing":
            await self._place(last)
        awaited = last is not None and last["state"] != "told"
        if last is not None and awaited and not await self._received(last["name"]):
            return 0
        events, cursor = await self.fetch(None if last is None else last["cursor"])
        if last is not None:
            await self._turned(last, "told")
        known = set(json.loads(last["ids"])) if last is not None else set()
        fresh = [one for one in events if one["id"] not in known]
        if not fresh or cursor is None:
            return 0
        return await self._write(fresh, cursor, 1 if last is None else last["number"] + 1)

    async def _write(self, events: Sequence[Mapping[str, Any]], cursor: str, number: int) -> int:
        rows, wrong = [], []
        for event in events:
            mine = self.delivery.of(event)
            try:
                list(write(self.layout, mine))  # half of it would be another thing
            except MalformedRequest as refused:
                wrong.append((event, refused.issues[0].name.rpartition("/")[2]))
            else:
                rows += mine
        name = f"{self.layout.adapter}-{number:06d}{self.delivery.suffix}"
        await self.shelf.aside(name, await asyncio.to_thread(self._content, rows))
        made = {
            "adapter": self.layout.adapter, "number": number, "state": "placing", "name": name, "cursor": cursor,
            "ids": json.dumps([one["id"] for one in events]), "since": self.now(),
        }  # fmt: skip

        def kept(connection: Any) -> None:
            connection.execute(_out.insert().values(**made))
            Book(connection).keep(self.layout.adapter, f"{OUT}{number:06d}", self._waiting(wrong), self.now())

        await self.database.run(kept)
        await self._place(made)
        return len(rows)

    def _waiting(self, wrong: Sequence[tuple[Mapping[str, Any], str]]) -> list[tuple[int, int, Sequence[Finding], str]]:
        return [
            (at, at, (Finding(at, None, None, field, "NOT_FOR_PACKAGE"),), self.seal("adapter", json.dumps(dict(event))))
            for at, (event, field) in enumerate(wrong, start=1)
        ]  # fmt: skip

    def _content(self, rows: Sequence[Mapping[str, Any]]) -> bytes:
        """Empty when none of the events can be a row: all of them wait."""
        return b"".join(write(self.layout, rows, heading=self.delivery.heading)) if rows else b""

    async def _place(self, made: Mapping[str, Any]) -> None:
        await self.shelf.place(made["name"], self.delivery.receipt)
        await self._turned(made, "placed")

    async def _received(self, name: str) -> bool:
        return not self.delivery.receipt or await self.shelf.received(f"{name}{self.delivery.receipt}")

    async def _turned(self, one: Mapping[str, Any], state: str) -> None:
        which = (_out.c.adapter == self.layout.adapter) & (_out.c.number == one["number"])
        await self.database.run(lambda c: c.execute(_out.update().where(which).values(state=state)))


def _figures(value: Any) -> Any:
    """An amount as it travels is text; what is none stays what it is, and the layout refuses it."""
    try:
        return Decimal(value) if isinstance(value, str) else value
    except InvalidOperation:
        return value


def _last(connection: Any, adapter: str) -> dict[str, Any] | None:
    found = sa.select(_out).where(_out.c.adapter == adapter).order_by(_out.c.number.desc()).limit(1)
    row = connection.execute(found).mappings().first()
    return None if row is None else dict(row)
