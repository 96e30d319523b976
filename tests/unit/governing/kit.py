"""People, texts and a house for the tests of governing: a store on either engine, a ledger that is a list, a clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit import Draft, LedgerUnwritable, Record
from integrator import places, settings
from integrator.consoles.people import Person
from integrator.database import Database
from integrator.governing.archive import Archive
from integrator.governing.entries import Scribe
from integrator.governing.live import Live
from integrator.governing.office import Office
from integrator.governing.proving import Proof
from integrator.governing.store import ROOM, Store
from integrator.governing.suspending import Suspending
from integrator.governing.tables import Proposal
from integrator.governing.texts import Texts, digest, read_texts

NOON = 1_795_440_600  # a day in November 2026
IXELLES, UCCLE, PARKING = "1992100975", "1992101668", "1970000417"
WHY = "the school no longer needs it"
STEWARD = Person("steward-1", "Sanne", frozenset({"steward"}))
STEWARD_2 = Person("steward-2", "Stijn", frozenset({"steward"}))
HUB = Person("hub-1", "Hanne", frozenset({"hub_dpo"}))
HUB_2 = Person("hub-2", "Hugo", frozenset({"hub_dpo"}))
DPO = Person("dpo-1", "Dounia", frozenset({"dpo"}), org=IXELLES)
AUDITOR = Person("auditor-1", "An", frozenset({"auditor"}))
SCHOOL = "school_enrolment"
BASE = read_texts(places.folder("policies"))
GOOD: Proof = {
    "cases": 1,
    "loosenings": 1,
    "findings": [],
    "sound": True,
    "differences": {"nl": [], "fr": [], "en": []},
}


def without_language(text: bytes = BASE[SCHOOL]) -> bytes:
    """The school's text, without the language of the child, cases included."""
    return text.replace(b"address, language, parents", b"address, parents")


def without_gender(text: bytes = BASE[SCHOOL]) -> bytes:
    return text.replace(b"birthDate, gender, address", b"birthDate, address")


class Clock:
    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Ledger:
    """What was written, in order; `broken` = nothing can be."""

    def __init__(self) -> None:
        self.entries: list[Draft] = []
        self.broken = False

    async def append(self, drafts: Sequence[Draft]) -> list[Record]:
        for draft in drafts:
            draft.check()
        if self.broken:
            raise LedgerUnwritable("the disk is full")
        self.entries += drafts
        return [Record(len(self.entries) - 1, bytes(32), 0) for _ in drafts]

    @property
    def steps(self) -> list[str]:
        return [entry.name.removeprefix("policy.") for entry in self.entries]


@dataclass
class House:
    """One node, or one of several at the same database."""

    store: Store
    ledger: Ledger
    live: Live
    office: Office
    suspending: Suspending
    clock: Clock
    archive: Archive

    @property
    def school(self) -> bytes:
        return self.live.current.texts[SCHOOL]


async def proved(changed: Texts, at: float) -> Proof:
    return GOOD


async def propose(one: House, who: Person, text: bytes, effective: int = NOON) -> Proposal:
    """Written from the newest text there is."""
    bases = {code: digest(each) for code, each in one.office.newest().items()}
    return await one.office.propose(who, [text], WHY, effective, bases)


def house(url: str, folder: Path, *, clock: Clock | None = None, ledger: Ledger | None = None, **chosen: Any) -> House:
    """`organisations`, `base`, `prove`, `activates`: what this node has otherwise than the others."""
    clock, ledger = clock or Clock(), ledger or Ledger()
    organisations = chosen.get("organisations") or settings.organisations()
    store, archive, scribe = Store(Database(url, ROOM)), Archive(folder / "texts"), Scribe(ledger)
    live = Live(
        store,
        chosen.get("base") or BASE,
        organisations,
        archive,
        clock,
        scribe if chosen.get("activates", True) else None,
    )
    office = Office(store, scribe, archive, lambda: live.current, organisations, chosen.get("prove", proved), clock)
    return House(store, ledger, live, office, Suspending(office), clock, archive)
