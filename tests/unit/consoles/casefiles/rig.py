"""An office over a real ledger, with people who answer requests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from audit import Draft, FileKeyRing, Ledger, Subject, open_store
from audit.log.years import OneBook
from integrator import places
from integrator import settings as settings_module
from integrator.consoles.book import open_book
from integrator.consoles.casefiles.cabinet import Cabinet
from integrator.consoles.casefiles.files import CaseFile
from integrator.consoles.casefiles.guard import Guard
from integrator.consoles.casefiles.office import Office, Opening
from integrator.consoles.casefiles.papers import Bundle
from integrator.consoles.database import Database
from integrator.consoles.desks import open_desk
from integrator.consoles.looking import Desk
from integrator.consoles.people import Person
from integrator.consoles.vault import Vault
from integrator.policy import load_policies
from tests.unit.audit.kit import NOON, a_draft
from tests.unit.consoles.desk import ANNA, BERT, BRUSSELS, IXELLES

POLICIES = load_policies(places.folder("policies"), settings_module.organisations())
BOOK = open_book()
FIRST = Person("dpo-1", "Els", frozenset({"dpo"}), org=IXELLES)
SECOND = Person("dpo-2", "Omar", frozenset({"dpo"}), org=IXELLES)
OTHER = Person("dpo-3", "Zoë", frozenset({"dpo"}), org=BRUSSELS)
HUB = Person("hub-1", "Lin", frozenset({"hub_dpo"}))
AUDITOR = Person("aud-1", "Rik", frozenset({"auditor"}))
ADDRESS = "Anna Peeters\nKroonlaan 12\n1050 Elsene"
DAY = 86_400
TODAY = datetime.fromtimestamp(NOON / 1e6, UTC).date()


@dataclass
class Rig:
    office: Office
    desk: Desk
    ledger: Ledger
    database: Database
    store: Any
    keyring: Any
    now: float = NOON / 1e6 + 60

    def write(self, purpose: str, *, subjects: Any = (ANNA,), **more: Any) -> None:
        """One exchange of a purpose: its intent and outcome."""
        trace = f"{self.store.size(self.ledger.shard) + 1:032x}"
        clear = {
            "consumer": {"org": IXELLES, "app": "counter"}, "initiator": "official", "counts": {"subjects": len(subjects)},
            "dpl.core.processing_activity_id": POLICIES.purposes[purpose].activity, "source": {"service": "rijksregister"},
            "policy": {"id": f"{purpose}@2026-1", "decision": "permit"},
        }  # fmt: skip
        shared = {"subjects": list(subjects), "trace_id": trace}
        [intent] = self.ledger.append_blocking(
            [a_draft("intent", clear=clear, agent={"id": "agent-77", "unit": "housing"}, **shared)]
        )
        done = {**clear, "status": "Ok", "intent_ref": intent.index, "categories": ["familyName"], **more}
        self.ledger.append_blocking([a_draft("outcome", clear=done, **shared)])
        self.now += 1

    def drafts(self, name: str) -> list[dict[str, Any]]:
        """Clear parts of the entries of that name."""
        import orjson

        size = self.store.size(self.ledger.shard)
        found = [orjson.loads(one.body) for one in self.store.read(self.ledger.shard, 0, size)]
        return [one for one in found if one["name"] == name]

    async def to(self, state: str, *, person: Person = FIRST, language: str = "nl", **more: Any) -> CaseFile:
        """A file that came that far."""
        office = self.office
        file = await office.open(person, Opening(ANNA, language, TODAY, ADDRESS, "letter", **more))
        if state != "opened":
            file = await office.identify(person, file, method="eid_counter", checks=["number", "photo"])
        if state not in ("opened", "identified"):
            file = await office.collect(person, file)
        if state not in ("opened", "identified", "collected"):
            file = await office.prepare(person, file)
        return file


@contextmanager
def a_rig(folder: Path, bundle: Bundle | None = None) -> Iterator[Rig]:
    store, keyring = open_store(f"sqlite:///{folder}/ledger.db"), FileKeyRing(folder / "keys")
    rig: Rig
    ledger = Ledger(store, keyring, shard="hub/test/cases/2026", clock=lambda: int(rig.now * 1e6) if started else NOON)
    database = Database(f"sqlite:///{folder}/consoles.db")
    started = False

    def now() -> float:
        return rig.now

    desk = open_desk(store, keyring, OneBook(ledger), POLICIES, {}, now)
    guard = Guard(POLICIES.purposes.values(), lambda: int(now() * 1e6))
    office = Office(desk, Cabinet(database, Vault(b"v" * 32)), guard, BOOK, now, bundle)
    rig = Rig(office, desk, ledger, database, store, keyring)
    started = True
    yield rig
    desk.reports.close(), ledger.close(), store.close(), database.close()


__all__ = ["ANNA", "AUDITOR", "BERT", "FIRST", "HUB", "OTHER", "SECOND", "Draft", "Rig", "Subject", "a_rig"]
