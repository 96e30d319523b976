"""What is done with a request, step by step: the right, then the ledger, then the file.

    file = await office.open(person, Opening(…))
    file = await office.identify(person, file, method="eid_counter", checks=["photo"])
    file = await office.collect(person, file)
    file = await office.prepare(person, file)
    file = await office.release(colleague, file)

Each step is an entry of the ledger before it happens: who, which step of which file, the print of the letter; never whom
it is about. The lines come from the desk, which records the look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from audit import Subject
from integrator.consoles.casefiles.answering import EVIDENCE, LETTER, LIST, WAYS, Answering
from integrator.consoles.casefiles.clock import Pause
from integrator.consoles.casefiles.files import CaseFile
from integrator.consoles.casefiles.machine import StepRefused, role_for
from integrator.consoles.casefiles.steps import clean, need
from integrator.consoles.people import Person
from integrator.consoles.rights import NothingThere
from integrator.consoles.vault import SealBroken
from integrator.ids import new_id
from integrator.logs import log

METHODS = ("eid_counter", "eid_online", "known", "mandate")
CHECKS = ("photo", "valid", "number", "mandate")
CHANNELS = ("counter", "letter", "mail", "online")


@dataclass(frozen=True, slots=True)
class Opening:
    """What begins a file."""

    subject: Subject
    language: str
    received: date
    addressee: str
    channel: str
    agent: str = ""
    since: date | None = None
    until: date | None = None


class Office(Answering):
    """All steps."""

    # --- finding ------------------------------------------------------------------------------------------------------

    async def files(self, person: Person) -> list[CaseFile]:
        """The files this person may see, the most urgent first."""
        if "hub_dpo" in person.roles:
            return await self.cabinet.all(every=True)
        return await self.cabinet.all(org=person.org) if person.org and "dpo" in person.roles else []

    async def of(self, person: Person, subject: Subject) -> list[CaseFile]:
        """Files about one person that this officer may see."""
        return [file for file in await self.cabinet.of(subject) if role_for(person, file.org)]

    async def file(self, person: Person, id_: str) -> CaseFile:
        """One file. Raises `NothingThere` also for a file of somebody else's."""
        found = await self.cabinet.find(id_)
        if found is None or role_for(person, found.org) is None:
            raise NothingThere
        return found

    async def seen(self, person: Person, file: CaseFile) -> None:
        """Put on record that somebody looks into a file with lines in it. Raises `LedgerUnwritable`."""
        if file.lines and file.subject is not None:
            await self._desk.export(
                person, "casefile", lambda right, seen: (None, ()), self._reason(file), subject=file.subject, org=file.org,
                role=role_for(person, file.org),
            )  # fmt: skip

    def steps(self, person: Person, file: CaseFile) -> list[str]:
        """What this person may do with a file now."""
        open_ = self.machine.open_to(file.state, person, file.org, file.hands)
        may = {"extend": file.clock(self.today()).may_extend, "resume": bool(file.later(self.today()))}
        return [step for step in open_ if may.get(step, True)]

    # --- before the lines ---------------------------------------------------------------------------------------------

    async def open(self, person: Person, opening: Opening) -> CaseFile:
        """Begin a file; for the organisation of who opens it, else for the hub. Raises `StepRefused`, `MalformedRequest`."""
        org = person.org if "dpo" in person.roles else None
        self.machine.check("open", None, person, org, ())
        need(opening.received <= self.today(), "received", "a day that has been")
        need(bool(opening.addressee.strip()), "addressee", "name and address of who gets the letter")
        need(
            not (opening.since and opening.until and opening.since > opening.until),
            "period",
            "a day not before the first",
        )
        told = (opening.language, opening.channel)
        need(told[0] in ("nl", "fr", "en") and told[1] in CHANNELS, "channel", "one of the list")
        file = CaseFile(
            new_id(12), "", org, "opened", opening.received, opening.language, opening.subject,
            clean(opening.addressee, 600), clean(opening.agent, 200), opening.channel, opening.since, opening.until,
        )  # fmt: skip
        file = await self.cabinet.add(file)
        return await self._take(person, file, "open", check=False)

    async def ask_proof(self, person: Person, file: CaseFile, why: str) -> CaseFile:
        """Ask the citizen to prove who she is; the clock stands still from today."""
        self._may("ask_proof", person, file)
        file = replace(file, pauses=(*file.pauses, Pause(self.today())))
        return await self._notified(person, file, "ask_proof", why)

    async def identify(
        self, person: Person, file: CaseFile, *, method: str, checks: Sequence[str] = (), remark: str = ""
    ) -> CaseFile:
        """Write down how it was established who asks. Who asks for somebody else shows a mandate."""
        self._may("identify", person, file)
        need(method in METHODS, "method", "one of the list")
        wanted = {"number"} | ({"mandate"} if file.agent else set())
        if not wanted <= set(checks) <= set(CHECKS):
            raise StepRefused("INCOMPLETE")
        pauses = tuple(replace(one, until=one.until or self.today()) for one in file.pauses)
        identity = {
            "method": method,
            "checks": sorted(checks),
            "remark": clean(remark, 500),
            "by": person.name,
            "at": self._micros(),
        }
        return await self._take(
            person,
            replace(file, identity=identity, pauses=pauses),
            "identify",
            said=f"{method}: {', '.join(sorted(checks))}",
        )

    async def extend(self, person: Person, file: CaseFile, why: str) -> CaseFile:
        """Take two months more, and make the letter that says so (GDPR art. 12(3): within the first month)."""
        self._may("extend", person, file)
        if not file.clock(self.today()).may_extend:
            raise StepRefused("TOO_LATE")
        return await self._notified(person, replace(file, extended=True), "extend", why)

    async def withdraw(self, person: Person, file: CaseFile, why: str) -> CaseFile:
        """The citizen does not want an answer any more."""
        return await self._closed(person, file, "withdraw", "withdrawn", why)

    async def refuse(self, person: Person, file: CaseFile, why: str) -> CaseFile:
        """No answer can be given (GDPR art. 12(2), 12(5)); the letter says why and where to complain."""
        self._may("refuse", person, file)
        day = self.today()
        return await self._notified(person, replace(file, closed=day, outcome="refused"), "refuse", why)

    # --- the end ------------------------------------------------------------------------------------------------------

    async def forget(self) -> int:
        """Wipe files whose time is over; how many that were.

        Raises `SealBroken` when one could not be opened, after all others were wiped: that one stays, and is tried again.
        """
        today = self.today()
        before = date(today.year - self.machine.kept_years, today.month, 1)
        gone, broken = 0, None
        for id_ in await self.cabinet.over(before):
            try:
                gone += await self._forget(id_)
            except SealBroken as error:
                log.error("request_not_forgotten", error=type(error).__name__)
                broken = error
        if broken is not None:
            raise broken
        return gone

    async def _forget(self, id_: str) -> bool:
        """Whether there was still something to wipe; another hub may have come first."""
        file = await self.cabinet.find(id_)
        if file is None or file.state != "closed":
            return False
        await self._record("system", "system", file, "erase", "its time is over", self.machine.kept_basis)
        empty = CaseFile(
            file.id, file.number, file.org, "erased", file.received, file.language, None,
            closed=file.closed, outcome=file.outcome, version=file.version,
        )  # fmt: skip
        try:
            await self.cabinet.wipe(empty)
        except StepRefused:
            return False
        return True


__all__ = ["CHANNELS", "CHECKS", "EVIDENCE", "LETTER", "LIST", "METHODS", "WAYS", "Office", "Opening"]
