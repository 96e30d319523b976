"""What every step of a request has in common: the right, the entry in the ledger, then the file.

The entry says who took which step of which file, sealed, and the print of the letter; it carries no person.
"""

from __future__ import annotations

import asyncio
import os
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from audit import Draft
from integrator.consoles.book import Book
from integrator.consoles.casefiles import letter
from integrator.consoles.casefiles.cabinet import Cabinet
from integrator.consoles.casefiles.files import CaseFile, Outcome, Taken
from integrator.consoles.casefiles.guard import Guard
from integrator.consoles.casefiles.machine import Machine, machine, role_for
from integrator.consoles.casefiles.papers import Bundle
from integrator.consoles.looking import ACTIVITY, RETENTION, Desk
from integrator.consoles.people import Person
from integrator.errors import Issue, MalformedRequest

_BRUSSELS = ZoneInfo("Europe/Brussels")


class Steps:
    """Base of the office. `now()` in epoch seconds; `bundle` makes the evidence of one line for one person (blocks)."""

    def __init__(
        self,
        desk: Desk,
        cabinet: Cabinet,
        guard: Guard,
        book: Book,
        now: Callable[[], float],
        bundle: Bundle | None = None,
    ) -> None:
        self.cabinet, self.guard = cabinet, guard
        self._desk, self._book, self._now, self._bundle = desk, book, now, bundle

    @property
    def machine(self) -> Machine:
        return machine()

    def today(self) -> date:
        """The day in Brussels, where the offices are."""
        return datetime.fromtimestamp(self._now(), _BRUSSELS).date()

    async def _notified(
        self, person: Person, file: CaseFile, step: Literal["ask_proof", "extend", "refuse"], why: str
    ) -> CaseFile:
        """A step that the citizen is told of by a short letter."""
        words = said(why)
        made = await asyncio.to_thread(letter.pdf, letter.notice(step, file, self._book, self.today(), words))
        return await self._take(person, file, step, said=words, papers={f"{step}-{len(file.taken)}.pdf": made})

    async def _closed(self, person: Person, file: CaseFile, step: str, outcome: Outcome, why: str) -> CaseFile:
        return await self._take(person, replace(file, closed=self.today(), outcome=outcome), step, said=said(why))

    def _may(self, step: str, person: Person, file: CaseFile) -> None:
        self.machine.check(step, file.state, person, file.org, file.hands)

    async def _take(
        self,
        person: Person,
        file: CaseFile,
        step: str,
        *,
        said: str = "",
        papers: dict[str, bytes] | None = None,
        check: bool = True,
    ) -> CaseFile:
        found = (
            self.machine.check(step, file.state, person, file.org, file.hands) if check else self.machine.steps[step]
        )
        place = await self._record(person.id, role_for(person, file.org) or "", file, step, said)
        taken = Taken(step, self._micros(), person.id, person.name, place, said)
        return await self.cabinet.save(replace(file, state=found.to or file.state, taken=(*file.taken, taken)), papers)

    async def _record(
        self, by: str, role: str, file: CaseFile, step: str, said: str, basis: str = "eu-gdpr:A15"
    ) -> str:
        committed = {"case_ref": file.number, **({"justification": said} if said else {})}
        if file.sha256 and step in ("prepare", "release", "send"):
            committed["response_digest"] = file.sha256
        draft = Draft(
            type="annotate", trace_id=os.urandom(16).hex(), span_id=os.urandom(8).hex(), name=f"casefile.{step}", retention=RETENTION,
            clear={
                "op": self.machine.steps[step].op, "status": "Ok", "initiator": "system" if by == "system" else "official",
                "legal_basis": basis, "dpl.core.processing_activity_id": ACTIVITY,
                "consumer": {"app": "audit-console", **({"org": file.org} if file.org else {})},
            },
            committed=committed, agent={"id": by, "role": role},
        )  # fmt: skip
        return str((await self._desk.write(draft)).index)

    def _reason(self, file: CaseFile) -> str:
        return f"request {file.number} of the person concerned (GDPR art. 15)"

    def _micros(self) -> int:
        return int(self._now() * 1_000_000)


def counts(file: CaseFile) -> str:
    counts = {what: sum(1 for line in file.lines if line.decision.what == what) for what in ("show", "delay", "omit")}
    grounds_ = sorted({line.decision.ground for line in file.lines if line.decision.ground})
    return ", ".join(f"{what} {count}" for what, count in counts.items()) + (
        f" ({', '.join(grounds_)})" if grounds_ else ""
    )


def said(why: str) -> str:
    words = clean(why, 500)
    need(len(words) >= 10, "why", "say why, in at least 10 characters")
    return words


def clean(text: str, most: int) -> str:
    """Typed text as it is kept: composed letters, no control characters but line ends."""
    words = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
    return "".join(one for one in words if one == "\n" or unicodedata.category(one)[0] != "C").strip()[:most]


def need(holds: bool, name: str, advice: str) -> None:
    if not holds:
        raise MalformedRequest(Issue("requiredInput", "body", f"/{name}", advice))


def begin(day: date) -> int:
    """Midnight in Brussels, in µs."""
    return int(datetime(day.year, day.month, day.day, tzinfo=_BRUSSELS).astimezone(UTC).timestamp()) * 1_000_000


def is_day(text: str | None) -> bool:
    try:
        date.fromisoformat(text or "")
    except ValueError:
        return False
    return True
