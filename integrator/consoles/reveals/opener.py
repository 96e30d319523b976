"""Asking for a name, and granting it: two people, one entry, some days; both in the ledger before anything is open.

asked = await opener.ask(person, shard, index, "complaint 2026/44: was it her neighbour?", days=7)
await opener.grant(colleague, asked.id)
row, details = await desk.look(person, "details", …)     # details.agent is there until the days are over
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from audit import Draft
from integrator.consoles.casefiles.machine import role_for
from integrator.consoles.looking import ACTIVITY, RETENTION, Desk
from integrator.consoles.reveals.store import Reveal, Store
from integrator.consoles.rights import NothingThere
from integrator.consoles.rights import Person as Asker
from integrator.errors import Issue, MalformedRequest, RequestRefused

DAYS = (1, 30)  # least, most
REASON = (10, 500)  # characters
_DAY = 86_400


class RevealRefused(RequestRefused):
    """The name stays closed; `reason` says why: SAME_PERSON, or DECIDED when somebody was first."""

    code, where = "REVEAL_REFUSED", "C2"
    advice = "Another officer than the one who asked decides, once."

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Opener:
    """Opens names. Is a `looking.Reveals`."""

    def __init__(self, desk: Desk, store: Store, now: Callable[[], float]) -> None:
        self._desk, self._store, self._now = desk, store, now

    def released(self, person: Asker, shard: str, index: int) -> bool:
        """Whether the name behind an entry is open to this person now. Blocks."""
        return self._store.granted(person.id, shard, index, self._now())

    async def ask(self, person: Asker, name: str, shard: str, index: int, reason: str, days: int = 7) -> Reveal:
        """Ask for the name behind an entry this person may see. `name`: of the account, for who decides.

        Raises `NothingThere`, `LookRefused`, `MalformedRequest`.
        """
        words = _words(reason)
        if not DAYS[0] <= days <= DAYS[1]:
            raise MalformedRequest(Issue("schemaViolation", "body", "/days", f"{DAYS[0]} to {DAYS[1]} days"))
        found = await self._desk.look(person, "details", words, shard=shard, index=index)
        if found is None:
            raise NothingThere
        org = found[0].org
        one = Reveal("", shard, index, org, "asked", days, person.id, name, int(self._now()), words)
        await self._record(person, "ask", one, words)
        return await self._store.add(one)

    async def grant(self, person: Asker, name: str, id_: str) -> Reveal:
        """Open the name to who asked, from now, for as many days as were asked."""
        one = await self._to_decide(person, id_)
        await self._record(person, "grant", one, one.reason)
        return await self._decided(person, name, one, "granted", int(self._now()) + one.days * _DAY)

    async def refuse(self, person: Asker, name: str, id_: str, why: str) -> Reveal:
        """Leave it closed."""
        one = await self._to_decide(person, id_)
        await self._record(person, "refuse", one, _words(why))
        return await self._decided(person, name, one, "refused", None)

    async def all(self, person: Asker) -> list[Reveal]:
        """What this officer may see of what was asked and decided."""
        if "hub_dpo" in person.roles:
            return await self._store.all(None, every=True)
        return await self._store.all(person.org, every=False) if person.org and "dpo" in person.roles else []

    async def one(self, person: Asker, id_: str) -> Reveal:
        found = await self._store.find(id_)
        if found is None or role_for(person, found.org) is None:
            raise NothingThere
        return found

    async def _to_decide(self, person: Asker, id_: str) -> Reveal:
        one = await self.one(person, id_)
        if one.asked_by == person.id:
            raise RevealRefused("SAME_PERSON")
        if one.state != "asked":
            raise RevealRefused("DECIDED")
        return one

    async def _decided(self, person: Asker, name: str, one: Reveal, state: Any, until: int | None) -> Reveal:
        values: dict[str, Any] = {
            "state": state, "decided_by": person.id, "decided_name": name, "decided_at": int(self._now()), "until": until,
        }  # fmt: skip
        if not await self._store.decide(one, values):
            raise RevealRefused("DECIDED")
        return replace(one, **values)

    async def _record(self, person: Asker, what: str, one: Reveal, words: str) -> None:
        await self._desk.write(
            Draft(
                type="admin", trace_id=os.urandom(16).hex(), span_id=os.urandom(8).hex(), name=f"reveal.{what}", retention=RETENTION,
                clear={
                    "op": "dpv:Consult", "status": "Ok", "initiator": "official", "dpl.core.processing_activity_id": ACTIVITY,
                    "shard": one.shard, "index": one.index,
                    "consumer": {"app": "audit-console", **({"org": one.org} if one.org else {})},
                },
                committed={"justification": words}, agent={"id": person.id, "role": role_for(person, one.org) or ""},
            )
        )  # fmt: skip


def _words(text: str) -> str:
    words = " ".join(
        "".join(
            " " if unicodedata.category(one)[0] == "C" else one for one in unicodedata.normalize("NFC", text)
        ).split()
    )
    if not REASON[0] <= len(words) <= REASON[1]:
        raise MalformedRequest(
            Issue("requiredInput", "body", "/reason", f"say why, in {REASON[0]} to {REASON[1]} characters")
        )
    return words
