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

import asyncio
import hashlib
import os
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from audit import Draft, Subject
from audit.errors import NotPublished
from audit.reports import Row
from integrator.consoles.book import Book
from integrator.consoles.casefiles import letter
from integrator.consoles.casefiles.cabinet import Cabinet
from integrator.consoles.casefiles.clock import Pause
from integrator.consoles.casefiles.files import CaseFile, Decision, Line, Outcome, Taken, kept
from integrator.consoles.casefiles.guard import Guard, grounds
from integrator.consoles.casefiles.machine import Machine, StepRefused, machine, role_for
from integrator.consoles.casefiles.papers import Bundle, attachments, rows_csv
from integrator.consoles.looking import ACTIVITY, RETENTION, Desk
from integrator.consoles.people import Person
from integrator.consoles.rights import NothingThere
from integrator.errors import Issue, MalformedRequest

METHODS = ("eid_counter", "eid_online", "known", "mandate")
CHECKS = ("photo", "valid", "number", "mandate")
CHANNELS = ("counter", "letter", "mail", "online")
WAYS = ("by_hand", "post", "ebox")
LETTER, LIST, EVIDENCE = "letter.pdf", "lines.csv", "attachments.zip"
PAGE, PAGES = 200, 50  # lines at a time, and how often at most
_BRUSSELS = ZoneInfo("Europe/Brussels")


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


class Office:
    """All steps. `now()` in epoch seconds; `bundle` makes the evidence of one line for one person (blocks)."""

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
        _need(opening.received <= self.today(), "received", "a day that has been")
        _need(bool(opening.addressee.strip()), "addressee", "name and address of who gets the letter")
        _need(
            not (opening.since and opening.until and opening.since > opening.until),
            "period",
            "a day not before the first",
        )
        told = (opening.language, opening.channel)
        _need(told[0] in ("nl", "fr", "en") and told[1] in CHANNELS, "channel", "one of the list")
        file = CaseFile(
            os.urandom(12).hex(), "", org, "opened", opening.received, opening.language, opening.subject,
            _clean(opening.addressee, 600), _clean(opening.agent, 200), opening.channel, opening.since, opening.until,
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
        _need(method in METHODS, "method", "one of the list")
        wanted = {"number"} | ({"mandate"} if file.agent else set())
        if not wanted <= set(checks) <= set(CHECKS):
            raise StepRefused("INCOMPLETE")
        pauses = tuple(replace(one, until=one.until or self.today()) for one in file.pauses)
        identity = {
            "method": method,
            "checks": sorted(checks),
            "remark": _clean(remark, 500),
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

    # --- the lines ----------------------------------------------------------------------------------------------------

    async def collect(self, person: Person, file: CaseFile) -> CaseFile:
        """Fetch every line about the person from the ledger, with the guard's proposal for each.

        What was decided about a line that is collected again stays decided.
        """
        self._may("collect", person, file)
        if file.subject is None:
            raise StepRefused("NOT_NOW")
        moment, decided = self._micros(), {line.key: line.decided for line in file.lines}
        since = _begin(file.since) if file.since else None
        until = min(moment, _begin(file.until + timedelta(1))) if file.until else moment
        lines: list[Line] = []
        cursor: str | None = None
        for _ in range(PAGES):
            page = await self._desk.look(
                person, "about", self._reason(file), subject=file.subject, org=file.org, role=role_for(person, file.org),
                since=since, until=until, cursor=cursor, limit=PAGE,
            )  # fmt: skip
            for line in await asyncio.to_thread(self._proposed, page.rows):
                lines.append(replace(line, decided=decided.get(line.key)))
            cursor = page.next
            if cursor is None:
                break
        else:
            raise StepRefused("TOO_MANY")
        file = replace(file, lines=tuple(lines), collected=moment)
        return await self._take(person, file, "collect", said=f"{len(lines)} lines")

    def _proposed(self, rows: Sequence[Row]) -> list[Line]:
        """Lines with the guard's proposal; what her own list would never show is locked."""
        found = []
        for row in rows:
            proposal = self.guard.propose(row)
            if proposal.what == "show" and not self._desk.visible(row):
                proposal = Decision("omit", "restricted")
            found.append(Line(kept(row), proposal))
        return found

    def _shielded(self, file: CaseFile) -> bool:
        """Whether a restriction was ordered since for something that the letter shows."""
        rows = (self._desk.reports.row(line.row["shard"], line.row["index"]) for line in file.shown)
        return any(row is None or row.vis for row in rows)

    async def decide(
        self, person: Person, file: CaseFile, decisions: Mapping[str, Decision], *, remark: str | None = None
    ) -> CaseFile:
        """Say what happens to lines, by their keys; the others stay as they were."""
        self._may("decide", person, file)
        known = {line.key: line for line in file.lines}
        for key, decision in decisions.items():
            _need(key in known, "line", "a line of this file")
            self._check(known[key], decision)
        changed = file.with_decisions(decisions)
        changed = changed if remark is None else replace(changed, remark=_clean(remark, 2000))
        if changed == file:
            return file
        return await self._take(person, changed, "decide", said=_counts(changed))

    def _check(self, line: Line, decision: Decision) -> None:
        _need(decision.what in ("show", "delay", "omit"), "what", "show, delay or omit")
        if line.locked and decision.what == "show":
            raise StepRefused("RESTRICTED")
        if decision.what == "show":
            _need(
                line.suggested.what == "show" or len(decision.why) >= 10,
                "why",
                "say why the line may be shown after all",
            )
            return
        ground = grounds().get(decision.ground or "")
        fits = (
            ground is not None
            and decision.what in ground.whats
            and (ground.chosen or decision.ground == line.suggested.ground)
        )
        _need(fits, "ground", "a ground on which this may be done")
        if decision.what == "delay":
            _need(
                _is_day(decision.until) and (decision.until or "") > self.today().isoformat(), "until", "a day to come"
            )

    # --- the letter ---------------------------------------------------------------------------------------------------

    def told(self, file: CaseFile) -> list[letter.Told]:
        return letter.told(file, self._book)

    async def draft(self, file: CaseFile) -> bytes:
        """The letter as it would be, marked as a draft."""
        return await asyncio.to_thread(letter.pdf, letter.answer(file, self._book, self.today(), draft=True))

    async def prepare(self, person: Person, file: CaseFile) -> CaseFile:
        """Make the letter and its list; from now on nothing of them changes."""
        self._may("prepare", person, file)
        if await asyncio.to_thread(self._shielded, file):
            raise StepRefused("SHIELDED")
        written = letter.answer(file, self._book, self.today())
        made = await asyncio.to_thread(letter.pdf, written)
        told = self.told(file)
        papers = {LETTER: made, LIST: rows_csv(told, self._book, file.language)}
        papers[EVIDENCE] = await self._evidence(person, file, told, papers)
        digest = hashlib.sha256(made).hexdigest()
        return await self._take(
            person, replace(file, letter=written, sha256=digest), "prepare", papers=papers, said=_counts(file)
        )

    async def send_back(self, person: Person, file: CaseFile, why: str) -> CaseFile:
        """Not yet: the letter has to be changed."""
        return await self._take(person, file, "send_back", said=_said(why))

    async def release(self, person: Person, file: CaseFile, sha256: str) -> CaseFile:
        """Agree to the letter whose print is `sha256`: the one that was read, and no other."""
        self._may("release", person, file)
        if sha256 != file.sha256:
            raise StepRefused("MEANWHILE")
        if await asyncio.to_thread(self._shielded, file):
            raise StepRefused("SHIELDED")
        return await self._take(person, file, "release")

    async def send(self, person: Person, file: CaseFile, how: str) -> CaseFile:
        """The letter went out; the file is closed."""
        _need(how in WAYS, "how", "one of the list")
        self._may("send", person, file)
        return await self._take(person, replace(file, closed=self.today(), outcome="answered"), "send", said=how)

    async def resume(self, person: Person, file: CaseFile) -> CaseFile:
        """The day of a delayed line has come: make a second letter, with those lines only."""
        self._may("resume", person, file)
        later = file.later(self.today())
        if not later:
            raise StepRefused("NOT_NOW")
        lines = tuple(replace(line, suggested=self.guard.propose(line.opened()), decided=None) for line in later)
        return await self._take(
            person, replace(file, lines=lines, closed=None, outcome=None), "resume", said=f"{len(lines)} lines"
        )

    async def paper(self, person: Person, file: CaseFile, name: str) -> bytes:
        """A paper of the file. The answer's own only once a second person released it; to read it before, see `draft`."""
        found = await self.cabinet.paper(file, name)
        if found is None:
            raise NothingThere
        return found

    async def _evidence(
        self, person: Person, file: CaseFile, told: Sequence[letter.Told], papers: Mapping[str, bytes]
    ) -> bytes:
        bundle, subject = self._bundle, file.subject
        if bundle is None or subject is None or not told:
            return attachments(papers, [], file.language)

        def make(right: Any, seen: Any) -> tuple[bytes, Sequence[Subject]]:
            pieces = []
            for one in told:
                with suppress(NotPublished):  # written down a moment ago: README.txt says so
                    pieces.append((one.number, bundle(one.row.shard, one.row.index, subject)))
            return attachments(papers, pieces, file.language), ()

        made: bytes = await self._desk.export(
            person, "evidence", make, self._reason(file), subject=subject, org=file.org, role=role_for(person, file.org)
        )
        return made

    # --- the end ------------------------------------------------------------------------------------------------------

    async def forget(self) -> int:
        """Wipe files whose time is over; how many that were."""
        today = self.today()
        years = self.machine.kept_years
        before = date(today.year - years, today.month, 1)
        over = await self.cabinet.over(before)
        for file in over:
            await self._record("system", "system", file, "erase", "its time is over", self.machine.kept_basis)
            empty = CaseFile(
                file.id, file.number, file.org, "erased", file.received, file.language, None,
                closed=file.closed, outcome=file.outcome, version=file.version,
            )  # fmt: skip
            await self.cabinet.wipe(empty)
        return len(over)

    # --- every step ---------------------------------------------------------------------------------------------------

    async def _notified(
        self, person: Person, file: CaseFile, step: Literal["ask_proof", "extend", "refuse"], why: str
    ) -> CaseFile:
        """A step that the citizen is told of by a short letter."""
        words = _said(why)
        made = await asyncio.to_thread(letter.pdf, letter.notice(step, file, self._book, self.today(), words))
        return await self._take(person, file, step, said=words, papers={f"{step}-{len(file.taken)}.pdf": made})

    async def _closed(self, person: Person, file: CaseFile, step: str, outcome: Outcome, why: str) -> CaseFile:
        return await self._take(person, replace(file, closed=self.today(), outcome=outcome), step, said=_said(why))

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


def _counts(file: CaseFile) -> str:
    counts = {what: sum(1 for line in file.lines if line.decision.what == what) for what in ("show", "delay", "omit")}
    grounds_ = sorted({line.decision.ground for line in file.lines if line.decision.ground})
    return ", ".join(f"{what} {count}" for what, count in counts.items()) + (
        f" ({', '.join(grounds_)})" if grounds_ else ""
    )


def _said(why: str) -> str:
    words = _clean(why, 500)
    _need(len(words) >= 10, "why", "say why, in at least 10 characters")
    return words


def _clean(text: str, most: int) -> str:
    """Typed text as it is kept: composed letters, no control characters but line ends."""
    words = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
    return "".join(one for one in words if one == "\n" or unicodedata.category(one)[0] != "C").strip()[:most]


def _need(holds: bool, name: str, advice: str) -> None:
    if not holds:
        raise MalformedRequest(Issue("requiredInput", "body", f"/{name}", advice))


def _begin(day: date) -> int:
    """Midnight in Brussels, in µs."""
    return int(datetime(day.year, day.month, day.day, tzinfo=_BRUSSELS).astimezone(UTC).timestamp()) * 1_000_000


def _is_day(text: str | None) -> bool:
    try:
        date.fromisoformat(text or "")
    except ValueError:
        return False
    return True
