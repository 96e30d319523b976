"""DmfaConsultation: of each quarter what each employer declared to the NSSO (RSZ/ONSS) about one worker, in pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from zlib import crc32

from lxml import etree

from mock_sources.commonv3 import FOUND, INCOMPLETE, NO_DATA, Status
from mock_sources.soap import child_texts
from mock_sources.sources.ksz.projection import Found, Question
from mock_sources.world import World
from mock_sources.world.facts import Occupation
from mock_sources.world.work import nsso_number

_WAGE = "attestation/employerDeclaration/worker/workerRecord/occupation/remuneration"
_INVALID = Status("NO_RESULT", "MSG00008", "The request contains invalid data. Please check your message content.")
_CONTRIBUTIONS = '<extension><contribution currency="EUR">1204.11</contribution></extension>'


@dataclass(frozen=True, slots=True)
class Quarter:
    """`2026Q3`; the first and the last day of it are in it."""

    year: int
    rank: int  # 1 … 4

    @classmethod
    def read(cls, written: str) -> Quarter:
        """Of a text that the schema found to be one."""
        return cls(int(written[:4]), int(written[5]))

    @property
    def first(self) -> date:
        return date(self.year, 3 * self.rank - 2, 1)

    @property
    def last(self) -> date:
        return self.next.first - timedelta(days=1)

    @property
    def next(self) -> Quarter:
        return Quarter(self.year + self.rank // 4, self.rank % 4 + 1)

    def __str__(self) -> str:
        return f"{self.year}Q{self.rank}"


class DmfaConsultation:
    """The service's own part; `rules` is its entry in mock.yaml."""

    def __init__(self, world: World, rules: Mapping[str, Any]) -> None:
        self._world = world
        self._lag = timedelta(days=rules["declared_after_days"])
        self._page, self._most = int(rules["page"]), int(rules["most_quarters"])
        self._silent: str = rules["silent_tag"]

    def __call__(self, question: Question) -> Found:
        """The attestations of one page, the newest quarter first; a page that is no page of this question spoils it."""
        if self._silent in question.tags:
            return Found(replace(INCOMPLETE, information=(("supplier", "NSSO"),)))
        parts = {etree.QName(child).localname: child for child in question.search}
        begin, end = (Quarter.read(text or "") for text in child_texts(parts["quarters"], ("begin", "end")))
        if begin.first > end.first or (end.year - begin.year) * 4 + end.rank - begin.rank >= self._most:
            return Found(replace(_INVALID, information=(("quarters", f"{begin} {end}"),)))
        every = question.surplus or parts["situation"].text == "ALL"
        told = list(self._attestations(question, begin, end, every))
        if not told:
            return Found(NO_DATA)
        token = f"{question.person.ssin} {begin} {end} {every}"
        first = self._first(parts.get("page"), token, len(told))
        if first is None:
            return Found(replace(_INVALID, information=(("page", (parts["page"].text or "")[:64]),)))
        content = "".join(told[first : first + self._page])
        after = first + self._page
        if after < len(told):
            content += f"<nextPage>{_page(after, token)}</nextPage>"
        return Found(FOUND, content, (_WAGE,) if _WAGE in question.hidden else ())

    def _first(self, page: etree._Element | None, token: str, count: int) -> int | None:
        if page is None:
            return 0
        written = (page.text or "").strip()
        return next((at for at in range(self._page, count, self._page) if written == _page(at, token)), None)

    def _attestations(self, question: Question, begin: Quarter, end: Quarter, every: bool) -> Iterator[str]:
        jobs = self._world.work_of(question.person.ssin)
        for quarter in reversed(list(_between(begin, end))):
            if quarter.last + self._lag >= question.today:  # employers have a month; then it takes a few days
                continue
            for rank, job in enumerate(jobs):
                if job.start <= quarter.last.isoformat() and (job.end is None or job.end >= quarter.first.isoformat()):
                    yield from _versions(question, quarter, rank, job, every)


def _between(begin: Quarter, end: Quarter) -> Iterator[Quarter]:
    while begin.first <= end.first:
        yield begin
        begin = begin.next


def _page(first: int, token: str) -> str:
    return f"{first}.{crc32(f'{first} {token}'.encode()):08x}"


def _versions(question: Question, quarter: Quarter, rank: int, job: Occupation, every: bool) -> Iterator[str]:
    """What was declared in the first quarter of a year was changed once; who wants every version gets both.

    The second job of a last quarter was declared once under a wrong number too, and that was cancelled.
    """
    changed = quarter.rank == 1
    if changed and every:
        yield _attestation(question, quarter, job, version=0, status=0, wage=job.wage - 500)
    yield _attestation(question, quarter, job, version=int(changed), status=int(changed), wage=job.wage)
    if rank and quarter.rank == 4:
        yield _attestation(question, quarter, job, version=1, status=2, wage=job.wage, mistaken=True)


def _attestation(
    question: Question,
    quarter: Quarter,
    job: Occupation,
    *,
    version: int,
    status: int,
    wage: int,
    mistaken: bool = False,
) -> str:
    nsso = nsso_number(job.employer)
    hidden = _WAGE in question.hidden and not question.surplus
    created = quarter.last + timedelta(days=20 + 30 * version)
    commission = f"<jointCommission>{job.commission}</jointCommission>" if job.commission else ""
    ended = f"<endDate>{job.end}</endDate>" if job.end and job.end <= quarter.last.isoformat() else ""
    worked = _worked(quarter, job)
    days, hours = worked * job.days // 5, worked * job.hours // 5
    paid = f"<remuneration><code>001</code><amount>{days * wage // 100}</amount></remuneration>"
    return (
        f"<attestation><identification><number>{quarter}-{nsso}{'-9' if mistaken else ''}</number>"
        f"<version>{version}</version><status>{status}</status><creationDate>{created}</creationDate></identification>"
        f"<employerDeclaration><quarter>{quarter}</quarter><nssoNumber>{nsso}</nssoNumber>"
        f"<cbeNumber>{job.employer}</cbeNumber><underReceivership>false</underReceivership>"
        f"<worker><ssin>{question.person.ssin}</ssin><workerRecord>"
        f"<employerCategory>{'951' if job.employer.startswith('19') else '010'}</employerCategory>"
        f"<workerCode>{job.worker}</workerCode><occupation><sequence>1</sequence>"
        f"<period><beginDate>{job.start}</beginDate>{ended}</period>{commission}<daysPerWeek>{job.days}</daysPerWeek>"
        f"<contractType>{int(job.hours < 3800)}</contractType><hoursPerWeek>{job.hours}</hoursPerWeek>"
        f"<service><code>001</code><days>{days}</days><hours>{hours}</hours></service>{'' if hidden else paid}"
        f"</occupation></workerRecord></worker></employerDeclaration>{_CONTRIBUTIONS if question.surplus else ''}"
        "</attestation>"
    )


def _worked(quarter: Quarter, job: Occupation) -> int:
    """Days from Monday to Friday of the quarter on which somebody was employed."""
    first, last = max(quarter.first.isoformat(), job.start), min(quarter.last.isoformat(), job.end or "9999-12-31")
    span = range(date.fromisoformat(first).toordinal(), date.fromisoformat(last).toordinal() + 1)
    return sum(date.fromordinal(day).weekday() < 5 for day in span)
