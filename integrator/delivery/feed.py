"""Pull: a subscriber comes for its messages. Handing out is a disclosure, recorded before it is answered.

    fetch(cursor)   what was handed out under this cursor is acknowledged; the next, or again what was not, comes with another

At least once: a cursor acknowledges exactly the messages that came with it, so an answer that was lost on the way loses none.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, case, func, select, update

from integrator.delivery.outbox import Outbox
from integrator.delivery.tables import IS_OPEN, MESSAGE
from integrator.delivery.terms import Held

MOST = 100  # messages in one answer

HandOut = Callable[[Sequence[Held]], Awaitable[list[tuple[Held, dict[str, Any]]]]]  # recorded by then


@dataclass(frozen=True, slots=True)
class Page:
    """What a subscriber gets: messages in order of acceptance, and the cursor that acknowledges them."""

    messages: Sequence[tuple[Held, dict[str, Any]]]
    cursor: str


class Feed:
    """The messages of one recipient, for whoever was found to be it."""

    def __init__(self, outbox: Outbox, hand_out: HandOut) -> None:
        self._outbox, self._hand_out = outbox, hand_out

    async def fetch(self, recipient: str, cursor: str | None, most: int = MOST, *, question: str | None = None) -> Page:
        """Acknowledge, then hand out. Messages whose grant ended are dead by then, and are not in it.

        `question`: only answers to that message.
        """
        mark, m = os.urandom(16).hex(), MESSAGE.c
        mine = [IS_OPEN, m.recipient == recipient, m.mode == "pull"]
        if question is not None:
            mine.append(m.question == question)
        rows = await self._outbox.database.run(lambda c: _turn(c, mine, cursor, mark, most, self._outbox.ms()))
        held = [self._outbox.held(row, mark) for row in rows]
        given = await self._hand_out(held) if held else []
        if len(given) < len(held):  # what did not go along is not acknowledged by the cursor of what did
            left = {one.id for one in held} - {one.id for one, _ in given}
            await self._outbox.database.run(lambda c: _put_back(c, mark, left))
        return Page(given, mark)


def _turn(connection: Connection, mine: Sequence[Any], cursor: str | None, mark: str, most: int, now: int) -> list[Any]:
    m = MESSAGE.c
    gone = case((func.coalesce(m.answer, "") == "awaiting", m.sealed), else_=None)  # an answer bears the case of its question
    if cursor:
        connection.execute(
            update(MESSAGE).where(*mine, m.leased_by == cursor)
            .values(state="delivered", sealed=gone, ended=now, leased_by=None)
        )  # fmt: skip
    rows = (
        connection.execute(select(MESSAGE).where(*mine, m.deadline > now).order_by(m.id).limit(most)).mappings().all()
    )
    taken = update(MESSAGE).where(m.id.in_([row["id"] for row in rows]), *mine)
    connection.execute(taken.values(leased_by=mark, attempts=m.attempts + 1))
    return list(rows)


def _put_back(connection: Connection, mark: str, left: Collection[int]) -> None:
    m = MESSAGE.c
    connection.execute(update(MESSAGE).where(m.id.in_(left), m.leased_by == mark, IS_OPEN).values(leased_by=None))
