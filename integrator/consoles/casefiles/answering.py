"""The second half of a request: its lines, what is decided of each, the letter, and who lets it go."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from audit import Subject
from audit.errors import NotPublished
from audit.reports import Row
from integrator.consoles.casefiles import letter
from integrator.consoles.casefiles.files import CaseFile, Decision, Line, kept
from integrator.consoles.casefiles.guard import grounds
from integrator.consoles.casefiles.machine import StepRefused, role_for
from integrator.consoles.casefiles.papers import attachments, rows_csv
from integrator.consoles.casefiles.steps import Steps, begin, clean, counts, is_day, need, said
from integrator.consoles.people import Person
from integrator.consoles.rights import NothingThere

WAYS = ("by_hand", "post", "ebox")
LETTER, LIST, EVIDENCE = "letter.pdf", "lines.csv", "attachments.zip"
PAGE, PAGES = 200, 50  # lines at a time, and how often at most


class Answering(Steps):
    """Steps from collecting to sending."""

    # --- the lines ----------------------------------------------------------------------------------------------------

    async def collect(self, person: Person, file: CaseFile) -> CaseFile:
        """Fetch every line about the person from the ledger, with the guard's proposal for each.

        What was decided about a line that is collected again stays decided.
        """
        self._may("collect", person, file)
        if file.subject is None:
            raise StepRefused("NOT_NOW")
        moment, decided = self._micros(), {line.key: line.decided for line in file.lines}
        since = begin(file.since) if file.since else None
        until = min(moment, begin(file.until + timedelta(1))) if file.until else moment
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
            need(key in known, "line", "a line of this file")
            self._check(known[key], decision)
        changed = file.with_decisions(decisions)
        changed = changed if remark is None else replace(changed, remark=clean(remark, 2000))
        if changed == file:
            return file
        return await self._take(person, changed, "decide", said=counts(changed))

    def _check(self, line: Line, decision: Decision) -> None:
        need(decision.what in ("show", "delay", "omit"), "what", "show, delay or omit")
        if line.locked and decision.what == "show":
            raise StepRefused("RESTRICTED")
        if decision.what == "show":
            need(
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
        need(fits, "ground", "a ground on which this may be done")
        if decision.what == "delay":
            need(is_day(decision.until) and (decision.until or "") > self.today().isoformat(), "until", "a day to come")

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
            person, replace(file, letter=written, sha256=digest), "prepare", papers=papers, said=counts(file)
        )

    async def send_back(self, person: Person, file: CaseFile, why: str) -> CaseFile:
        """Not yet: the letter has to be changed."""
        return await self._take(person, file, "send_back", said=said(why))

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
        need(how in WAYS, "how", "one of the list")
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
            pieces, missing = [], []
            for one in told:
                try:
                    pieces.append((one.number, bundle(one.row.shard, one.row.index, subject)))
                except NotPublished:  # written down a moment ago
                    missing.append((one.number, f"{one.row.shard}/{one.row.index}"))
            return attachments(papers, pieces, file.language, missing), ()

        made: bytes = await self._desk.export(
            person, "evidence", make, self._reason(file), subject=subject, org=file.org, role=role_for(person, file.org)
        )
        return made
