"""Events made ready for a page: who, when, why, under which law, what came out, which data; each in one plain sentence first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from audit.reports import Details, Row
from integrator.consoles.book import Law
from integrator.consoles.citizen.grouping import Case, Event, ending, kinds, sources, whose
from integrator.consoles.explain import Explanation, explain
from integrator.consoles.visit import BASE, Visit

MANY = 3  # fields in a headline; more of them are told by their kinds


@dataclass(frozen=True, slots=True)
class Told:
    """One event, or one part of it, in the reader's language."""

    row: Row
    headline: str
    said: Explanation
    whose: str  # me.whose_…
    ending: str  # shell.kind_…
    organisation: str
    sources: list[str]
    kinds: list[str]
    fields: tuple[str, ...]
    law: str | None
    case: str | None
    link: str  # to the page of this line
    parts: list[Told]
    new: bool = False

    @property
    def question(self) -> str:
        """What its own page answers."""
        return "me.why_refused" if self.ending == "denied" else "me.why_allowed" if self.law else "me.line"

    @property
    def answers(self) -> bool:
        """Whether only questions were answered, and no data given."""
        return any(name.startswith("answer:") for name in self.row.categories)

    @property
    def quiet(self) -> bool:
        """What somebody did himself is folded away."""
        return self.whose in ("self", "mine")


@dataclass(frozen=True, slots=True)
class ToldCase:
    """A case: `number` None where there is none, and then one event."""

    number: str | None
    organisation: str
    purpose: str | None
    events: list[Told]


def tell(visit: Visit, event: Event, *, since: int | None = None) -> Told:
    """One event. `since`: what came after it is new."""
    book, language = visit.consoles.book, visit.language
    row = event.row
    said = explain(row, book, language, viewer="you", details=event.details)
    names = kinds(row.categories, row.name)
    return Told(
        row, _headline(visit, row, said, names), said, whose(row, book), ending(row),
        book.organisation(row.org, language) if row.org else "",
        [book.source(code, language) for code in sources(event, book)],
        [str(visit.t(f"me.data_{name}")) for name in names],
        said.fields, _law(visit, said.law), event.details.case_ref, link_of(row),
        [tell(visit, Event(*part)) for part in event.parts],
        since is not None and row.ts > since and whose(row, book) not in ("self", "mine"),
    )  # fmt: skip


def tell_all(visit: Visit, cases: Iterable[Case], *, since: int | None = None) -> list[ToldCase]:
    told = []
    for case in cases:
        events = [tell(visit, event, since=since) for event in case.events]
        purposes = {event.said.purpose for event in events}
        told.append(
            ToldCase(case.number, events[0].organisation, purposes.pop() if len(purposes) == 1 else None, events)
        )
    return told


def link_of(row: Row) -> str:
    """The page of a line; where it stands in the ledger says nothing of anybody."""
    return f"{BASE}/me/line?" + urlencode({"shard": row.shard, "index": row.index})


def role_of(details: Details) -> str | None:
    """As what the agent acted, when the organisation told us: role and unit, never who."""
    agent = details.agent or {}
    return ", ".join(str(agent[name]) for name in ("role", "unit") if agent.get(name)) or None


def _law(visit: Visit, law: Law | None) -> str | None:
    """Which text, of whom and of when, in words."""
    if law is None:
        return None
    day = visit.t.day(date.fromisoformat(law.date))
    return str(visit.t(f"me.law_{law.kind}", number=law.number, issuer=law.issuer, day=day))


def _headline(visit: Visit, row: Row, said: Explanation, names: list[str]) -> str:
    """As told to everybody, but by kinds of data when there are many fields; remarks have words of their own."""
    if row.kind == "annotate" and visit.t.has(f"me.wrote_{row.name.replace('.', '_')}"):
        return str(visit.t(f"me.wrote_{row.name.replace('.', '_')}"))
    given = row.kind == "outcome" and row.status != "Error" and not row.reason and not row.parent
    if not given or not row.categories:
        return said.headline
    organisation = visit.consoles.book.organisation(row.org, visit.language)
    if any(name.startswith("answer:") for name in row.categories):
        return str(visit.t("me.answered", organisation=organisation, n=len(row.categories)))
    if len(row.categories) <= MANY:
        return said.headline
    words = visit.consoles.book.words[visit.language]
    text: str = words["kinds"]["given"].format(
        organisation=organisation,
        about=words["about"]["you"],
        fields=", ".join(str(visit.t(f"me.data_{name}")) for name in names),
    )
    return text[0].upper() + text[1:]
