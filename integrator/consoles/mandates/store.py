"""Mandates: who may act for whom, for what and until when. Every step is an entry that both find in their own lists.

A mandate is given by an officer who saw the proof (court order, birth certificate, power of attorney), never by the one
who will use it. It is looked at anew with every click of whoever uses it: what has ended gives nothing any more.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Column, Connection, String, Table, Text, false, insert, select, update

from audit import Draft, Subject
from integrator.consoles.database import Database, metadata
from integrator.consoles.people import Acting, Person
from integrator.consoles.vault import Vault
from integrator.errors import RequestRefused
from integrator.ids import new_id

KINDS = ("parent", "guardian", "administrator", "attorney")
SCOPE = ("look", "evidence", "contest")
LONGEST = 5 * 366  # days; then the proof is looked at again
REASON = (10, 500)  # characters
RETENTION = "Y10"
ACTIVITY = "https://ropa.integrator.example/audit_mandate/v1"

mandate_table = Table(
    "mandate",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("holder", String(43), nullable=False, index=True),  # blind tag of who acts
    Column("person", String(43), nullable=False, index=True),  # … of whom they act for
    Column("org", String(10), index=True),  # whose officer gave it; none = the hub's own
    Column("ends", String(10), nullable=False),  # last day, yyyy-mm-dd
    Column("ended", String(10)),  # before that, when somebody ended it
    Column("sealed", Text, nullable=False),
)


class MandateRefused(RequestRefused):
    """`reason`: SELF, KIND, SCOPE, ENDS or WORDS. Nothing was written."""

    code, where = "MANDATE_REFUSED", "C2"
    advice = (
        "Two different people, neither of them you, a kind and a scope of the list, an end within five years, and the proof "
        "that you saw."
    )

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Mandate:
    """One of them."""

    id: str
    holder: Subject
    person: Subject
    kind: str
    scope: frozenset[str]
    ends: date
    org: str | None = None
    ended: date | None = None

    @property
    def whom(self) -> str:
        """For whom, to the one who holds it: enough to tell a child from its sister, not enough to be asked with.

        >>> one = Subject("nrn", "84651797654")
        >>> Mandate("m", Subject("nrn", "85610100147"), one, "parent", frozenset({"look"}), date(2027, 1, 1)).whom
        '84.65.17-···.54'
        """
        number = self.person.id
        return f"{number[:2]}.{number[2:4]}.{number[4:6]}-···.{number[-2:]}"

    @property
    def acting(self) -> Acting:
        return Acting(self.id, self.scope, self.holder)


class Mandates:
    """All of them. `now()` in epoch seconds."""

    def __init__(self, database: Database, vault: Vault, desk: Any, now: Callable[[], float]) -> None:
        self._database, self._vault, self._desk, self._now = database, vault, desk, now

    def today(self) -> date:
        return datetime.fromtimestamp(self._now(), UTC).date()

    async def give(
        self, by: Person, holder: Subject, person: Subject, kind: str, scope: Collection[str], ends: date, words: str
    ) -> Mandate:
        """`words`: which proof the officer saw, who is neither of the two. Raises `MandateRefused`, `LedgerUnwritable`."""
        words, today = " ".join(words.split()), self.today()
        for wrong, reason in (
            (holder == person or by.subject in (holder, person), "SELF"), (kind not in KINDS, "KIND"),
            ("look" not in scope or set(scope) - set(SCOPE), "SCOPE"), (not today < ends <= today + timedelta(LONGEST), "ENDS"),
            (not REASON[0] <= len(words) <= REASON[1], "WORDS"),
        ):  # fmt: skip
            if wrong:
                raise MandateRefused(reason)
        made = Mandate(new_id(12), holder, person, kind, frozenset(scope), ends, by.org)
        await self._record(made, "mandate.given", by, words)
        row = {
            "id": made.id, "holder": self.tag(holder), "person": self.tag(person), "org": by.org, "ends": ends.isoformat(),
            "sealed": self._vault.seal("mandate", json.dumps([
                [holder.type, holder.id], [person.type, person.id], kind, sorted(scope)])),
        }  # fmt: skip
        await self._database.run(lambda connection: connection.execute(insert(mandate_table).values(row)))
        return made

    async def end(self, mandate: Mandate, by: Person) -> None:
        """By an officer, by whom it is about, or by who holds it. Ended twice, the first day counts."""
        await self._record(mandate, "mandate.ended", by, "")
        where = (mandate_table.c.id == mandate.id) & mandate_table.c.ended.is_(None)
        ended = self.today().isoformat()
        await self._database.run(
            lambda connection: connection.execute(update(mandate_table).where(where).values(ended=ended))
        )

    async def held_by(self, subject: Subject) -> list[Mandate]:
        """Those in force that somebody may use."""
        return [one for one in await self._find(mandate_table.c.holder == self.tag(subject)) if self._holds(one)]

    async def over(self, subject: Subject) -> list[Mandate]:
        """Those in force over somebody."""
        return [one for one in await self._find(mandate_table.c.person == self.tag(subject)) if self._holds(one)]

    async def given_at(self, officer: Person) -> list[Mandate]:
        """Those that this officer answers for: of their own organisation, or all for the hub's. They tell no numbers."""
        return await self._find(_theirs(officer))

    async def find(self, officer: Person, id_: str) -> Mandate | None:
        """One of these; None also for somebody else's."""
        return next(iter(await self._find(_theirs(officer) & (mandate_table.c.id == id_))), None)

    def tag(self, subject: Subject) -> str:
        return self._vault.tag("citizen", f"{subject.type}|{subject.id}")

    def state(self, one: Mandate) -> str:
        """`holds`, `over` (its last day has passed) or `ended` (before that, by somebody)."""
        return "ended" if one.ended is not None else "holds" if self.today() <= one.ends else "over"

    def _holds(self, one: Mandate) -> bool:
        return self.state(one) == "holds"

    async def _find(self, where: Any) -> list[Mandate]:
        query = select(mandate_table).where(where).order_by(mandate_table.c.ends.desc(), mandate_table.c.id)
        rows = await self._database.run(lambda connection: connection.execute(query).all())
        return [self._read(row) for row in rows]

    def _read(self, row: Any) -> Mandate:
        holder, person, kind, scope = json.loads(self._vault.open("mandate", row.sealed))
        ended = date.fromisoformat(row.ended) if row.ended else None
        return Mandate(
            row.id, Subject(*holder), Subject(*person), kind, frozenset(scope), date.fromisoformat(row.ends), row.org, ended
        )  # fmt: skip

    async def _record(self, one: Mandate, step: str, by: Person, words: str) -> None:
        role = "citizen" if by.subject in (one.person, one.holder) else "hub_dpo" if by.org is None else "dpo"
        people = [(one.person.type, one.person.id, "data-subject"), (one.holder.type, one.holder.id, "mandate-holder")]
        consumer = {"app": "audit-console", **({"org": one.org} if one.org else {})}
        await self._desk.write(
            Draft(
                type="annotate", trace_id=os.urandom(16).hex(), span_id=os.urandom(8).hex(), name=step, retention=RETENTION,
                clear={"op": "dpv:Store", "status": "Ok", "initiator": "official", "dpl.core.processing_activity_id": ACTIVITY, "consumer": consumer},
                committed={"justification": words} if words else {}, subjects=people, agent={"id": by.id, "role": role},
            )
        )  # fmt: skip


def _theirs(officer: Person) -> Any:
    if "hub_dpo" in officer.roles:
        return mandate_table.c.id.is_not(None)
    return mandate_table.c.org == officer.org if officer.org else false()


def in_force(connection: Connection, id_: str, today: date) -> bool:
    """For who already holds a transaction: every click of who acts asks this."""
    table = mandate_table.c
    query = select(table.id).where(table.id == id_, table.ended.is_(None), table.ends >= today.isoformat())
    return connection.execute(query).first() is not None
