"""The one door to the ledger for people: rights, then the look itself in the ledger, then the answer.

    page = await desk.look(person, "about", "complaint 2026/44 of the person herself", subject=Subject("nrn", "…"))

Pages, API and command line all come through here. The look is durable before anything is read (rule R7): whoever is
looked at finds it in their own list. Restricted rows do not exist for their subject; names of agents stay closed for
everybody until two people released them (`Reveals`).
"""

from __future__ import annotations

import asyncio
import os
import re
import unicodedata
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Protocol

from audit import Draft, LedgerError, Record, Subject
from audit.draft import MAX_SUBJECTS
from audit.errors import EntryRefused, NotPublished
from audit.keeping.shown import ShowsAt
from audit.reports import CursorInvalid, Details, Granted, Page, Reports, Row, role_of
from integrator.consoles.rights import LedgerUnreadable, LookRefused, Person, Right, may, questions
from integrator.errors import Issue, LedgerUnwritable, MalformedRequest
from integrator.ids import new_id
from integrator.logs import log

REASON = (10, 500)  # characters
RETENTION = "Y10"
ACTIVITY = "https://ropa.integrator.example/audit_read/v1"
_LOOKED_AT = "dpl.core.foreign_operation"
_FOREVER = (0, 2**52)  # µs: every entry there is
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
# What a citizen's list is made of. An alert or a restriction is the office's work: seeing it would warn, or disclose.
_OF_PEOPLE = frozenset(
    ("intent", "outcome", "denied", "unknown", "close", "audit.read", "erasure", "release", "annotate")
)
_NAMING = ("details", "proof", "affected_subjects")
_TAKEN_HOME = ("proof", "day")


class Ledger(Protocol):
    """Where a look is written."""

    async def append(self, drafts: Sequence[Draft]) -> list[Record]: ...


class Reveals(Protocol):
    """Whose agents were released to whom: asked for by one person, granted by another, for one entry, for some days."""

    def released(self, person: Person, shard: str, index: int) -> bool: ...


class Sealed:
    """No agent was ever released."""

    def released(self, person: Person, shard: str, index: int) -> bool:
        return False


Day = Callable[[Subject, date, ShowsAt], bytes | None]  # whose, which day, who saw what -> evidence; blocks
Proof = Callable[[str, int, Collection[str]], Awaitable[Any]]  # shard, index, audiences -> evidence


class Desk:
    """Answers people's questions over `reports`. `granted(org)`: the fields authorisations grant an organisation (or any).

    `shows(row)`: whether the subject of a row may see it by now, as its purpose says; `shows_then(µs)` judges as of a moment.
    `health()` adds what others know of the ledger (publishing, witnesses, time stamps) to what the reports know.
    """

    def __init__(
        self,
        reports: Reports,
        ledger: Ledger,
        *,
        granted: Callable[[str | None], Sequence[Granted]] = lambda org: (),
        health: Callable[[], Mapping[str, Any]] = dict,
        proof: Proof | None = None,
        reveals: Reveals | None = None,
        shows: Callable[[Row], bool] = lambda row: True,
        shows_then: Callable[[int], Callable[[Row], bool]] | None = None,
        day: Day | None = None,
    ) -> None:
        self.reports = reports
        self._ledger = ledger
        self._granted = granted
        self._health = health
        self._proof = proof
        self._reveals = reveals or Sealed()
        self._shows = shows
        self._shows_then = shows_then or (lambda ts: shows)
        self._day = day

    async def look(
        self,
        person: Person,
        question: str,
        reason: str = "",
        *,
        subject: Subject | None = None,
        org: str | None = None,
        role: str | None = None,
        **asked: Any,
    ) -> Any:
        """Answer one question, or raise `LookRefused`, `MalformedRequest` (a reason is missing, a cursor is foreign),
        `NotPublished` (ask for the evidence again in a minute) or `LedgerUnwritable` (the look could not be written, so nothing is shown).

        `asked` are the arguments of the method of Reports that has the question's name; `since` and `until` may be left
        out. Of `details` and `proof` they are `shard` and `index`: None when there is no such row for this person.
        """
        right = may(person, question, org=org, subject=subject, role=role)
        if question in _TAKEN_HOME:
            allowed_by(person, "evidence")
        if question == "about" and right.subject is None:
            raise MalformedRequest(Issue("requiredInput", "body", "/subject", "say whom you ask about"))
        words = reason_of(reason, right)
        try:
            if question in _NAMING:  # it opens names, so it is read first, and shown once those named can find the look
                answer, named = await asyncio.to_thread(self._named, person, right, asked)
                looked_at = answer[0] if answer is not None and isinstance(answer[0], Row) else None
                await self._record(person, right, words, named, looked_at)
                return await self._proved(right, answer) if question == "proof" else answer
            if right.recorded:
                whom = [Subject("agent", str(asked["agent"]))] if question == "by_agent" else []
                await self._record(person, right, words, whom)
            if question == "day":
                return await asyncio.to_thread(self._proof_of, right, asked["day"])
            return await asyncio.to_thread(self._answer, right, asked)
        except CursorInvalid as error:
            raise MalformedRequest(Issue("rejectedInput", "body", "/cursor", str(error))) from error
        except NotPublished:  # not broken, only early: in a minute there is evidence
            raise
        except LedgerError as error:
            log.error("ledger_unreadable", question=question, error=type(error).__name__)
            raise LedgerUnreadable(type(error).__name__) from error

    async def export(
        self,
        person: Person,
        form: str,
        make: Callable[[Right, Callable[[Row], bool]], tuple[Any, Sequence[Subject]]],
        reason: str = "",
        *,
        subject: Subject | None = None,
        org: str | None = None,
        role: str | None = None,
        table: str = "exports.yaml",
    ) -> Any:
        """The ledger in the words of another system, or another book of the hub, by the rights in `table`.

        `make(right, seen)` reads no more than the right covers (in a thread) and says whom the answer names; it is given once
        they can find the look. `seen`: whether a row may be shown.
        """
        right = may(person, form, org=org, subject=subject, role=role, table=table)
        words = reason_of(reason, right)
        seen = self._seen if right.scope == "own" else _anything
        try:
            answer, named = await asyncio.to_thread(make, right, seen)
        except CursorInvalid as error:
            raise MalformedRequest(Issue("rejectedInput", "body", "/cursor", str(error))) from error
        await self._record(person, right, words, named)
        return answer

    async def mine(self, person: Person, *, own_looks: bool = False, **asked: Any) -> tuple[Page, list[Details]]:
        """What happened with one's own data, each row opened: a look like any other. `own_looks`: also one's own looks.

        Raises as `look`.
        """
        right = may(person, "about", role="citizen")
        try:
            await self._record(person, right, "", [])
            return await asyncio.to_thread(self._mine, right, own_looks, asked)
        except CursorInvalid as error:
            raise MalformedRequest(Issue("rejectedInput", "body", "/cursor", str(error))) from error
        except LedgerError as error:
            log.error("ledger_unreadable", question="about", error=type(error).__name__)
            raise LedgerUnreadable(type(error).__name__) from error

    def news(self, subject: Subject, since: int) -> bool:
        """Whether something came into somebody's list that they did not do themself. For the hub alone: nobody is shown
        anything, so it is no look. Blocks.
        """

        def keep(row: Row) -> bool:
            return row.initiator != "self" and self._seen(row)

        return bool(self.reports.about(subject, since, _FOREVER[1], shown=True, keep=keep, limit=1).rows)

    def attested(self) -> Mapping[str, Any]:
        """How the logs, their time stamps and their witnesses stand: what is published anyway, and about nobody."""
        return self._health()

    async def write(self, draft: Draft) -> Record:
        """Put on record what somebody did at the consoles; durable when this returns. Raises `LedgerUnwritable`."""
        try:
            return (await self._ledger.append([draft]))[0]
        except EntryRefused as error:
            raise MalformedRequest(Issue("rejectedInput", "body", "/", "write it in plain text")) from error
        except LedgerError as error:
            raise LedgerUnwritable("this could not be written in the ledger, so nothing was done") from error

    def open_names_by(self, reveals: Reveals) -> None:
        """From now on ask this whether the name of an agent is open; without it none ever is."""
        self._reveals = reveals

    def visible(self, row: Row) -> bool:
        """Whether the subject of a row may see it by now. Blocks."""
        return self._seen(row)

    def questions(self, person: Person) -> list[str]:
        """What this person may ask at all, in the order of the table."""
        return [name for name, line in questions().items() if person.roles & set(line.roles)]

    async def _record(
        self, person: Person, right: Right, reason: str, whom: Sequence[Subject], at: Row | None = None
    ) -> None:
        """Durable when this returns: who looked, why, at whom, and at which entry if it was one."""
        people = list(dict.fromkeys(Subject(one.type, one.id) for one in ([right.subject] if right.subject else whom)))
        clear: dict[str, Any] = {
            "op": "dpv:Consult",
            "status": "Ok",
            "initiator": "official" if right.scope != "own" else "self" if _acting(person) is None else "mandate",
            "dpl.core.processing_activity_id": ACTIVITY,
            "consumer": {
                "app": "audit-console",
                **({"org": person.org} if person.org and right.scope != "own" else {}),
            },
        }
        if at is not None:
            clear[_LOOKED_AT] = {"trace_id": at.trace_id, "shard": at.shard, "index": at.index}
        trace = new_id(16)
        drafts = [
            Draft(
                type="audit.read", trace_id=trace, span_id=os.urandom(8).hex(), name="audit." + right.question,
                retention=RETENTION, clear=clear, committed=_sealed(person, reason),
                subjects=people[start : start + MAX_SUBJECTS], agent={"id": person.id, "role": right.role},
            )
            for start in range(0, max(1, len(people)), MAX_SUBJECTS)
        ]  # fmt: skip
        try:
            await self._ledger.append(drafts)
        except EntryRefused as error:
            raise MalformedRequest(Issue("rejectedInput", "body", "/reason", "write it in plain text")) from error
        except LedgerError as error:
            raise LedgerUnwritable("the look could not be written in the ledger, so nothing is shown") from error

    def _answer(self, right: Right, asked: dict[str, Any]) -> Any:
        """What shows no name: rows, counts, states."""
        reports, question = self.reports, right.question
        if "reason_code" in asked:  # the reason of a refusal, where `reason` is why somebody looks
            asked = {**asked, "reason": asked["reason_code"]}
            del asked["reason_code"]
        only = {"org": right.org} if right.org else {}
        if question == "about":
            shown = {"shown": True, "keep": self._seen} if right.scope == "own" else {}
            return reports.about(right.subject, **{**_period(asked), **shown, **only})  # type: ignore[arg-type]
        if question == "exchange":
            page = reports.exchange(about=right.subject, **asked, **only)
            return page if right.scope != "own" else _only(page, self._seen)
        if question in ("unused_fields", "field_use"):
            return getattr(reports, question)(self._granted(right.org), **_period(asked), **only)
        if question == "health":
            return {"ledger": reports.health(), **self._health()}
        if question == "retention":
            return reports.retention()
        return getattr(reports, question)(**_period(asked), **only)

    def _named(self, person: Person, right: Right, asked: dict[str, Any]) -> tuple[Any, list[Subject]]:
        """What shows names, and whose."""
        if right.question == "affected_subjects":
            only: dict[str, Any] = {"org": right.org} if right.org else {}
            people, cursor = self.reports.affected_subjects(**{**_period(asked), **only})
            return (people, cursor), list(people)
        row = self._row(right, **asked)
        if row is None:
            return None, []
        released = right.scope != "own" and self._reveals.released(person, row.shard, row.index)
        details = self.reports.details(row, ("subject", "agent") if released else ("subject",))
        if right.scope == "own" and right.subject is not None:
            details = self._own(row, details, right.subject)
        return (row, details), [] if right.role == "auditor" else list(details.subjects)

    def _mine(self, right: Right, own_looks: bool, asked: dict[str, Any]) -> tuple[Page, list[Details]]:
        if right.subject is None:  # `own` always has one
            raise LookRefused("ONLY_YOURSELF")

        def keep(row: Row) -> bool:
            return (own_looks or row.kind != "audit.read" or row.initiator != "self") and self._seen(row)

        page = self.reports.about(right.subject, **{**_period(asked), "shown": True, "keep": keep})
        return page, [_alone(self.reports.details(row), right.subject) for row in page.rows]

    def _own(self, row: Row, details: Details, subject: Subject) -> Details:
        """What somebody may see of an entry about himself: nobody else in it, and of the agent only role and unit."""
        agent = self.reports.details(row, ("agent",)).agent or {}
        known = {name: agent[name] for name in ("role", "unit") if name in agent}
        return replace(_alone(details, subject), agent=known or None)

    def _row(self, right: Right, shard: str, index: int) -> Row | None:
        """One row, if it is there for this person."""
        row = self.reports.row(shard, index, about=right.subject)
        if row is None or (right.org and row.org != right.org) or (right.scope == "own" and not self._seen(row)):
            return None
        return row

    def shown_at(self, ts: int) -> Callable[[bytes, str, int], bool]:
        """Whether whoever bears a tag could see an entry at a moment (µs), for audit.keeping.shown. Blocks."""
        shows = self._shows_then(ts)

        def judge(tag: bytes, shard: str, index: int) -> bool:
            row = self.reports.row_by_tags(shard, index, [tag])
            return row is not None and self._seen(row, shows)

        return judge

    def _proof_of(self, right: Right, day: date) -> bytes | None:
        if self._day is None or right.subject is None:
            return None
        return self._day(right.subject, day, self.shown_at)

    def _seen(self, row: Row, shows: Callable[[Row], bool] | None = None) -> bool:
        """Whether the subject may see a row by now. A look at what he may not see would tell him that it is there."""
        shows = shows or self._shows
        looked_at = row.entry.get(_LOOKED_AT) if row.kind == "audit.read" else None
        if looked_at is not None:
            target = self.reports.row(looked_at["shard"], looked_at["index"])
            if target is not None and not (target.vis == 0 and shows(target)):
                return False
        return row.kind in _OF_PEOPLE and not row.vis and shows(row)

    async def _proved(self, right: Right, found: tuple[Row, Details] | None) -> Any:
        if found is None or self._proof is None:
            return None
        row, _ = found
        # An entry about several people is proved to each of them without opening what is sealed for the others.
        alone = right.scope != "own" or (row.part == 0 and row.counts.get("subjects", 1) <= 1)
        return await self._proof(row.shard, row.index, ("subject",) if alone and right.role != "auditor" else ())


def allowed_by(person: Person, what: str) -> None:
    """Whether somebody who acts for somebody else may do this for them (`evidence`, `contest`). Raises `LookRefused`."""
    acting = _acting(person)
    if acting is not None and what not in acting.scope:
        raise LookRefused("NOT_IN_MANDATE")


def _acting(person: Person) -> Any:
    return getattr(person, "acting", None)


def _sealed(person: Person, reason: str) -> dict[str, str]:
    """What is sealed beside a look: why, and the mandate that was used."""
    acting = _acting(person)
    return ({"justification": reason} if reason else {}) | ({"on_behalf_of": acting.mandate} if acting else {})


def _alone(details: Details, subject: Subject) -> Details:
    """Without whoever else stands in the entry."""
    return replace(details, subjects=(Subject(subject.type, subject.id, role_of(details, subject) or ""),), agent=None)


def reason_of(reason: str, right: Right) -> str:
    """The reason as it is written down. Raises `MalformedRequest` when one is needed and this is none."""
    words = " ".join(_CONTROL.sub(" ", unicodedata.normalize("NFC", reason)).split())
    least, most = REASON
    if len(words) > most:
        raise MalformedRequest(Issue("schemaViolation", "body", "/reason", f"at most {most} characters"))
    if right.needs_reason and len(words) < least:
        advice = f"say why you look, in at least {least} characters: the person concerned will read it"
        raise MalformedRequest(Issue("requiredInput", "body", "/reason", advice))
    return words


def _anything(row: Row) -> bool:
    return True


def _only(page: Page, seen: Callable[[Row], bool]) -> Page:
    rows = [row for row in page.rows if seen(row)]
    return replace(page, rows=rows, total=len(rows))


def _period(asked: dict[str, Any]) -> dict[str, Any]:
    return {"since": _FOREVER[0], "until": _FOREVER[1], **{name: one for name, one in asked.items() if one is not None}}


__all__ = ["Desk", "LookRefused", "Page", "Reveals", "reason_of"]
