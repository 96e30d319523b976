"""What is remembered of questions: which were asked, which nobody could answer yet, which answers the package has.

open ─► answered ─► told        what was asked and answered lies sealed, and is gone when the package has it
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

_asked = sa.table(
    "adapter_question", *map(sa.column, ("adapter", "id", "digest", "state", "row", "answer", "due", "until", "number"))
)


@dataclass(frozen=True, slots=True)
class Pending:
    """A question to be asked again."""

    id: str
    row: str  # sealed
    until: float  # seconds since 1970


class Questions:
    """The statements over one connection, of one adapter; a transaction is the caller's."""

    def __init__(self, connection: Connection, adapter: str) -> None:
        self._connection, self._adapter = connection, adapter
        self._mine = _asked.c.adapter == adapter

    def known(self, ids: Sequence[str]) -> dict[str, str]:
        """id -> digest of what was asked, of those that were asked before."""
        query = sa.select(_asked.c.id, _asked.c.digest).where(self._mine, _asked.c.id.in_(ids))
        return {one.id: one.digest for one in self._connection.execute(query)}

    def keep(self, id_: str, digest: str, row: str, due: float, until: float) -> None:
        """Open, `row` sealed. Of two who keep the same, the second changes nothing."""
        if not self.known([id_]):
            self._connection.execute(
                _asked.insert().values(
                    adapter=self._adapter, id=id_, digest=digest, state="open", row=row, answer="", due=due, until=until, number=0
                )
            )  # fmt: skip

    def due(self, now: float, most: int) -> list[Pending]:
        query = sa.select(_asked.c.id, _asked.c.row, _asked.c.until)
        query = query.where(self._mine, _asked.c.state == "open", _asked.c.due <= now).order_by(
            _asked.c.due, _asked.c.id
        )
        return [Pending(*one) for one in self._connection.execute(query.limit(most))]

    def again(self, id_: str, due: float) -> None:
        self._connection.execute(_asked.update().where(self._mine, _asked.c.id == id_).values(due=due))

    def answered(self, id_: str, answer: str) -> None:
        """`answer` sealed. Answers are numbered as they come; one that is there stays."""
        last = self._connection.execute(sa.select(sa.func.max(_asked.c.number)).where(self._mine)).scalar() or 0
        open_ = (self._mine) & (_asked.c.id == id_) & (_asked.c.state == "open")
        self._connection.execute(
            _asked.update().where(open_).values(state="answered", row="", answer=answer, number=last + 1)
        )

    def page(self, most: int) -> list[tuple[str, str, int]]:
        """id, sealed answer and number of those that the package does not have yet."""
        query = sa.select(_asked.c.id, _asked.c.answer, _asked.c.number)
        query = query.where(self._mine, _asked.c.state == "answered").order_by(_asked.c.number).limit(most)
        return [(id_, answer, number) for id_, answer, number in self._connection.execute(query)]

    def told(self, number: int) -> None:
        """The package has those up to that number."""
        which = (self._mine) & (_asked.c.state == "answered") & (_asked.c.number <= number)
        self._connection.execute(_asked.update().where(which).values(state="told", answer=""))

    def open(self) -> int:
        """How many nobody could answer yet."""
        query = sa.select(sa.func.count()).where(self._mine, _asked.c.state == "open")
        return int(self._connection.execute(query).scalar() or 0)
