"""A ledger, a desk over it and the consoles in this process, with a citizen and officers at their browsers."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from audit import Draft, FileKeyRing, Ledger, Store, Subject, open_entry, open_store
from audit.log.years import OneBook
from integrator import places
from integrator import settings as settings_module
from integrator.consoles.desks import open_desk
from integrator.consoles.people import Person
from integrator.consoles.web import Consoles
from integrator.policy import Policies, load_policies
from tests.unit.audit.kit import NOON, Clock, a_draft
from tests.unit.consoles.desk import ANNA, IXELLES
from tests.unit.consoles.doorstep import Browser, consoles

PERMIT, MARRIAGE, FINE = "resident_permit", "marriage_declaration", "administrative_fine"
DAY = 86_400_000_000


@cache
def policies() -> Policies:
    return load_policies(places.folder("policies"), settings_module.organisations())


@dataclass
class House:
    """What a test writes into the ledger, and who looks at it."""

    store: Store
    keyring: FileKeyRing
    ledger: Ledger
    consoles: Consoles
    clock: Clock

    def exchange(
        self, *who: Subject, purpose: str = PERMIT, org: str = IXELLES, case: str | None = None, **more: Any
    ) -> int:
        """An intent and its outcome; the index of the outcome."""
        trace, span = more.pop("trace", None) or os.urandom(16).hex(), os.urandom(8).hex()
        parent = {"parent_span_id": more.pop("parent")} if "parent" in more else {}
        clear = {
            "consumer": {"org": org, "app": "counter"}, "source": {"service": "rijksregister"}, "initiator": "official",
            "policy": {"id": f"{purpose}@2026-1", "decision": "permit"},
            "dpl.core.processing_activity_id": policies().purposes[purpose].activity, **parent,
        }  # fmt: skip
        agent = more.pop("agent", {"id": "agent-77", "role": "clerk", "unit": "parking"})
        committed = {"case_ref": case} if case else {}
        [intent] = self.write(
            a_draft("intent", trace_id=trace, span_id=span, clear=clear, committed=committed, agent=agent)
        )
        ended = {
            **clear, "intent_ref": intent.index, "status": "Ok", "categories": ["familyName", "address"],
            "counts": {"subjects": len(who)}, **more.pop("clear", {}),
        }  # fmt: skip
        [outcome] = self.write(
            a_draft("outcome", trace_id=trace, span_id=span, clear=ended, subjects=who or [ANNA], agent=agent, **more)
        )
        return int(outcome.index)

    def write(self, *drafts: Draft) -> list[Any]:
        self.clock.now += 1_000_000
        return list(self.ledger.append_blocking(list(drafts)))

    def last(self) -> Any:
        shard = self.ledger.shard
        return open_entry(self.store, self.keyring, shard, self.store.size(shard) - 1)

    async def citizen(self, subject: Subject = ANNA, language: str = "en") -> Browser:
        return await self._signed_in(
            Person("citizen", "Anna", frozenset({"citizen"}), subject=subject, language=language)
        )

    async def officer(self, org: str | None = IXELLES) -> Browser:
        role = "dpo" if org else "hub_dpo"
        return await self._signed_in(Person(f"officer-{org}", "Officer", frozenset({role}), org=org, language="en"))

    async def _signed_in(self, person: Person) -> Browser:
        browser = Browser(self.consoles)
        browser.cookies["session"] = (await self.consoles.sessions.begin(person)).token
        return browser


@contextmanager
def house(folder: Path) -> Iterator[House]:
    clock = Clock(NOON)
    store, keyring = open_store(f"sqlite:///{folder}/ledger.db"), FileKeyRing(folder / "keys")
    ledger = Ledger(store, keyring, shard="hub/test/citizen/2026", clock=clock)
    desk = open_desk(store, keyring, OneBook(ledger), policies(), {}, lambda: clock.now / 1e6)
    rooms = consoles(folder, lambda: clock.now / 1e6)
    rooms.desk = desk
    yield House(store, keyring, ledger, rooms, clock)
    for one in (desk.reports, ledger, store, rooms.database):
        one.close()


async def text_of(browser: Browser, path: str) -> str:
    """A page without what differs each time."""
    reply = await browser.get(path)
    assert 200 == reply.status, path
    return re.sub(r'name="csrf" value="[^"]+"', "", browser.page)


__all__ = ["AsyncIterator", "House", "house", "text_of"]
