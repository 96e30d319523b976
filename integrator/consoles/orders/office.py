"""Orders about keeping: one person asks, another agrees, and only then is anything done, by audit.keeping, on record.

    draft ─ask─► asked ─agree─► doing ─► done          the asker sees beforehand in words what will happen
                   ├─ refuse ─► refused                by the second person, who says why
                   └─ withdraw ─► withdrawn            by the asker; after 14 days it lapses

Pages, and programs under /audit/v1/orders, come through here with the same rights (rights.yaml).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from audit import Ledger, LedgerError, Store
from audit.errors import EntryRefused, OrderRefused
from audit.keeping import Hold, Restriction, RetentionClass, holds, restrictions
from audit.log.anchor import is_anchor
from audit.reports import Row
from integrator import clock
from integrator.consoles.looking import REASON, Desk
from integrator.consoles.orders.carrying import Plan, carry_out, plan
from integrator.consoles.orders.pile import Asked, Pile
from integrator.consoles.orders.wanted import ABOUT_LINES, Wanted
from integrator.consoles.people import Person
from integrator.consoles.rights import LookRefused, NothingThere, Right, may, questions
from integrator.errors import Issue, LedgerUnwritable, MalformedRequest, RequestRefused
from integrator.years import Shelf

TABLE = "orders/rights.yaml"
_DECIDABLE = frozenset(("asked",))


class OrderNotNow(RequestRefused):
    """This order cannot be asked, agreed or withdrawn: `reason` says why. Nothing was done."""

    code, where = "ORDER_NOT_NOW", "C1"
    advice = (
        "Read the order again: somebody decided about it, something stands in its way, or a second person is needed."
    )

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason  # OWN_ORDER | NOT_YOURS | SETTLED | HELD | NOT_RESTRICTED | RESTRICTED | NO_HOLD | REVIEW_PAST | REFUSED


@dataclass(frozen=True, slots=True)
class Standing:
    """A restriction that stands, by exchange."""

    trace: str
    org: str | None
    lines: int
    first: Restriction


class Orders:
    """The office of one hub. `classes`: how long each retention class is kept."""

    def __init__(
        self, desk: Desk, store: Store, shelf: Shelf, pile: Pile, classes: Mapping[str, RetentionClass], now: clock.Now
    ) -> None:
        self.desk, self.classes = desk, classes
        self._store, self._shelf, self._pile, self._now = store, shelf, pile, now

    @property
    def today(self) -> date:
        """As audit.keeping counts days: UTC."""
        return clock.today(self._now())

    def actions(self, person: Person) -> list[str]:
        """What this person may ask for, in the order of the table."""
        return [name for name, line in questions(TABLE).items() if person.roles & set(line.roles)]

    async def prepare(self, person: Person, wanted: Wanted) -> str:
        """A draft, once the lines it names were seen by who asks; its number. Raises `LookRefused`, `NothingThere`."""
        right = may(person, wanted.action, table=TABLE)
        await self._plan(person, right, wanted)
        return await self._pile.lay(wanted, right.org, person.id, person.name, int(self._now()))

    async def order(self, person: Person, id_: str) -> Asked:
        """One order that this person may see. Raises `NothingThere`."""
        found = await self._pile.find(id_, int(self._now()))
        if found is None or not self._theirs(person, found) or (found.state == "draft" and found.asker != person.id):
            raise NothingThere
        return found

    async def preview(self, person: Person, asked: Asked) -> tuple[Plan, list[Row]]:
        """What carrying out would do now, and the lines it is about. The look at those lines is recorded."""
        return await self._plan(person, self._right(person, asked), asked.wanted)

    async def known(self, person: Person) -> list[Asked]:
        """Orders of this person's reach: what waits first."""
        return [one for one in await self._pile.newest(int(self._now())) if self._theirs(person, one)]

    async def ask(self, person: Person, id_: str) -> None:
        """Send a draft to the second person."""
        found = await self.order(person, id_)
        if found.asker != person.id:
            raise OrderNotNow("NOT_YOURS")
        self._review(found)
        chosen, _ = await self.preview(person, found)
        if chosen.obstacle:
            raise OrderNotNow(chosen.obstacle.upper())
        await self._move(id_, "draft", "asked", asked=int(self._now()))

    async def drop(self, person: Person, id_: str) -> None:
        """Throw a draft away."""
        await self.order(person, id_)
        await self._pile.drop(id_)

    async def withdraw(self, person: Person, id_: str) -> None:
        """Take back what one asked oneself."""
        if (await self.order(person, id_)).asker != person.id:
            raise OrderNotNow("NOT_YOURS")
        await self._move(id_, "asked", "withdrawn", decided=int(self._now()))

    async def refuse(self, person: Person, id_: str, words: str) -> None:
        """The second person does not agree, and says why."""
        self._second(person, await self.order(person, id_))
        words = " ".join(words.split())
        if not REASON[0] <= len(words) <= REASON[1]:
            raise MalformedRequest(Issue("requiredInput", "body", "/reason", f"say why, in {REASON[0]} to {REASON[1]} characters"))  # fmt: skip
        await self._move(
            id_, "asked", "refused", decided=int(self._now()), second=person.id, second_name=person.name, words=words
        )

    async def agree(self, person: Person, id_: str) -> list[str]:
        """The second person agrees and it is done. Returns the entries that say so, SHARD/INDEX.

        Raises `OrderNotNow` or `LedgerUnwritable`; the order waits on then.
        """
        found = await self.order(person, id_)
        self._second(person, found)
        self._review(found)
        chosen, _ = await self.preview(person, found)
        if chosen.obstacle:
            raise OrderNotNow(chosen.obstacle.upper())
        now, who = int(self._now()), {"second": person.id, "second_name": person.name}
        await self._move(id_, "asked", "doing", decided=now, **who)
        try:
            entries = await self._carry_out(found, chosen, person)
        except (OrderRefused, EntryRefused) as error:
            await self._back(id_)
            raise OrderNotNow("REFUSED") from error
        except LedgerError as error:
            await self._back(id_)
            raise LedgerUnwritable("the order could not be written in the ledger; it waits on") from error
        await self._move(id_, "doing", "done", decided=now, entries=" ".join(entries))
        return entries

    async def standing(self, person: Person) -> tuple[list[Hold], list[Standing]]:
        """Holds and restrictions of this person's reach, the next to be reviewed first."""
        return await asyncio.to_thread(self._standing, person)

    # --- within

    async def _carry_out(self, found: Asked, chosen: Plan, person: Person) -> list[str]:
        book = await self._shelf.begin()
        ledger: Ledger = book.ledger
        try:
            records = await asyncio.to_thread(
                carry_out, self._store, ledger, found.wanted, chosen, found.asker, person.id
            )
        finally:
            book.end()
        return [f"{ledger.shard}/{record.index}" for record in records]

    async def _plan(self, person: Person, right: Right, wanted: Wanted) -> tuple[Plan, list[Row]]:
        rows: list[Row] = []
        if wanted.action in ABOUT_LINES:
            trace = wanted.trace or await asyncio.to_thread(self._trace, right, wanted)
            page = await self.desk.look(person, "exchange", wanted.reason, trace_id=trace, org=right.org)
            rows = page.rows
            if not rows or (wanted.shard and (wanted.shard, wanted.index) not in {(r.shard, r.index) for r in rows}):
                raise NothingThere
        chosen = await asyncio.to_thread(plan, self._store, wanted, rows, self.classes, self.today)
        if right.org is not None:
            await asyncio.to_thread(self._only_theirs, right.org, chosen)
        return chosen, rows

    def _trace(self, right: Right, wanted: Wanted) -> str:
        shard, index = str(wanted.shard), int(wanted.index or 0)
        row = None if is_anchor(shard) else self.desk.reports.row(shard, index)
        if row is None or right.org not in (None, row.org):
            raise NothingThere
        return row.trace_id

    def _only_theirs(self, org: str, chosen: Plan) -> None:
        """An exchange is of one organisation; should one entry ever be of another, nothing is done about it from here."""
        for shard, indices in chosen.places.items():
            for index in indices:
                row = self.desk.reports.row(shard, index)
                if row is None or (row.org != org and row.kind != "unknown"):
                    raise LookRefused("ONLY_YOUR_ORGANISATION")

    def _standing(self, person: Person) -> tuple[list[Hold], list[Standing]]:
        wide = "hub_dpo" in person.roles
        found: dict[str, Standing] = {}
        for one in restrictions(self._store):
            row = self.desk.reports.row(one.shard, one.index)
            if row is None or not (wide or (person.org is not None and row.org == person.org)):
                continue
            known = found.get(row.trace_id)
            first = known.first if known else one
            found[row.trace_id] = Standing(row.trace_id, row.org, known.lines + 1 if known else 1, first)
        return (sorted(holds(self._store), key=lambda one: one.review) if wide else []), list(found.values())

    def _right(self, person: Person, asked: Asked) -> Right:
        right = may(person, asked.wanted.action, org=asked.org, table=TABLE)
        if right.scope != "all" and right.org != asked.org:
            raise LookRefused("ONLY_YOUR_ORGANISATION")
        return right

    def _theirs(self, person: Person, asked: Asked) -> bool:
        try:
            self._right(person, asked)
        except LookRefused:
            return False
        return True

    def _second(self, person: Person, asked: Asked) -> None:
        if asked.asker.casefold() == person.id.casefold():
            raise OrderNotNow("OWN_ORDER")
        if asked.state not in _DECIDABLE:
            raise OrderNotNow("SETTLED")

    def _review(self, asked: Asked) -> None:
        day = asked.wanted.review_day
        if day is not None and day <= self.today:
            raise OrderNotNow("REVIEW_PAST")

    async def _move(self, id_: str, before: str, after: str, **values: object) -> None:
        if not await self._pile.move(id_, before, after, int(self._now()), **values):  # type: ignore[arg-type]
            raise OrderNotNow("SETTLED")

    async def _back(self, id_: str) -> None:
        await self._pile.move(id_, "doing", "asked", int(self._now()), second=None, second_name=None, decided=None)
