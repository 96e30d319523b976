"""A line of the ledger in words: who, what, why, under which law, and how it ended. In Dutch, French or English.

    told = explain(row, book, "nl", viewer="you", details=details)
    told.headline      "Gemeente Elsene kreeg gegevens over u: achternaam, adres."
    told.sentences     ("De gegevens kwamen van Rijksregister …", "Doel: …", …)

The wording is data (words/explain.<language>.yaml); here stands only which sentence belongs to which line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from audit.reports import Details, Row
from integrator.consoles.book import Book, Law

Viewer = Literal["you", "person"]  # told to the person concerned, or to somebody else about that person
_LOOKS = "audit.read"
_NAMING = frozenset(
    (
        *("audit.about", "audit.details", "audit.proof", "audit.by_agent", "audit.affected_subjects"),
        *("audit.casefile", "audit.evidence", "audit.findUsage", "audit.processingActivities"),
    )
)
_WITH_PURPOSE = frozenset({"intent", "outcome", "denied", "unknown", "close"})


@dataclass(frozen=True, slots=True)
class Explanation:
    """One line, told."""

    headline: str  # what happened, in one sentence
    reason: str | None  # why it was refused or failed
    sentences: tuple[str, ...]  # the rest, in the order to read it
    purpose: str | None  # title
    why: str | None  # what the purpose is for, in the words for citizens
    fields: tuple[str, ...]  # what was given (or asked, where nothing was given), by title
    law: Law | None
    law_text: str | None


def explain(
    row: Row, book: Book, language: str, *, viewer: Viewer = "you", details: Details | None = None
) -> Explanation:
    """Tell a row, and what was opened of it if anything was. `language`: nl, fr or en; another one is told in English."""
    language = language if language in book.words else "en"
    words = book.words[language]
    aim = book.aim_of(row.activity, row.policy) if row.kind in _WITH_PURPOSE else None
    law = book.law_of(row.policy) if row.kind in _WITH_PURPOSE else None
    asked = details.fields if details else ()
    fields = tuple(book.field(name, language) for name in row.categories or asked)
    filled = {
        "organisation": book.organisation(row.org, language),
        "source": book.source(row.source, language),
        "fields": ("; " if any(name.startswith("answer:") for name in row.categories) else ", ").join(fields),
        "about": words["about"][viewer],
    }
    headline = words["kinds"][_kind(row, viewer)].format(**filled)
    told = _Told(row, book, words, language)
    sentences = (
        *told.origin(filled),
        *told.asked(filled, asked),
        *told.aim(aim),
        *told.law(law),
        *told.opened(details),
        *told.initiator(viewer),
    )
    return Explanation(
        headline[0].upper() + headline[1:],
        told.reason(),
        sentences,
        aim.title.in_(language) if aim else None,
        aim.why.in_(language) if aim else None,
        fields,
        law,
        law.text.in_(language) if law and law.text else None,
    )


def _kind(row: Row, viewer: Viewer) -> str:
    """Which headline."""
    if row.kind == _LOOKS:
        if row.initiator == "self":
            return "read_self" if viewer == "you" else "read_self_office"
        named = viewer == "you" or row.name in _NAMING
        return ("read_office" if row.org else "read_hub") + ("" if named else "_list")
    if row.kind != "outcome":
        return row.kind
    if row.status == "Error" or row.reason:
        return "not_given"
    if row.parent:
        return "looked_inside"
    if any(name.startswith("answer:") for name in row.categories):
        return "answered"
    return "given" if row.categories else "nothing"


class _Told:
    """The sentences after the headline, each there or not."""

    def __init__(self, row: Row, book: Book, words: Mapping[str, Any], language: str) -> None:
        self._row, self._book, self._words, self._language = row, book, words, language

    def reason(self) -> str | None:
        code = self._row.reason
        if code is None:
            return None
        return str(self._words["reasons"].get(code) or self._words["other_reason"].format(code=code))

    def origin(self, filled: dict[str, str]) -> Iterator[str]:
        row = self._row
        if row.kind == "outcome" and row.status != "Error" and row.categories and row.source in self._book.sources:
            yield self._words["source"].format(**filled)

    def asked(self, filled: dict[str, str], asked: tuple[str, ...]) -> Iterator[str]:
        if asked and not self._row.categories and not self._row.parent:
            yield self._words["asked"].format(**filled)

    def aim(self, aim: Any) -> Iterator[str]:
        if aim is not None:
            yield self._words["purpose"].format(title=aim.title.in_(self._language))

    def law(self, law: Law | None) -> Iterator[str]:
        if law is None:
            return
        named = self._words["legal"][law.kind].format(number=law.number, issuer=law.issuer, date=law.date)
        yield self._words["law_denied" if self._row.kind == "denied" else "law"].format(law=named)
        version = self._row.policy.get("ver")
        if version is None:
            return
        today = self._book.laws.get(law.authorisation)
        if version != law.version:
            yield self._words["earlier_text"]
        elif today is None or today.version != version:
            yield self._words["text_of_then"]

    def opened(self, details: Details | None) -> Iterator[str]:
        if details is None:
            return
        if details.erased:
            yield self._words["erased"]
        if details.case_ref:
            yield self._words["case"].format(case=details.case_ref)
        if details.justification:
            yield self._words["reason_given"].format(reason=details.justification)

    def initiator(self, viewer: Viewer) -> Iterator[str]:
        row = self._row
        if row.kind in _WITH_PURPOSE and row.initiator in ("self", "official", "system"):
            yield self._words["initiator"][
                "self_person" if row.initiator == "self" and viewer == "person" else row.initiator
            ]
