"""The letter: what it says (data, in the citizen's language) and how it becomes an accessible PDF.

    told = answer(file, book, day)        # blocks of plain text: headings, paragraphs, lists, tables
    data = pdf(told)                      # PDF/UA-1: tagged, titled, in a language, tables with headers

Text reaches the typesetter as JSON, so that nothing anybody typed is ever read as markup. The same letter gives the same
bytes. Short sentences on purpose: they are words/pages/casefiles.yaml (letter_…).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import typst

from audit.reports import Row
from integrator.consoles.book import Book
from integrator.consoles.casefiles.files import CaseFile, Line, exchanges
from integrator.consoles.explain import Explanation, explain
from integrator.consoles.rendering import Speech

Block = Mapping[str, Any]
_TEMPLATE = Path(__file__).parent / "letter.typ"
_RIGHTS = ("contest", "correct", "decisions", "kept", "authority", "court")


@dataclass(frozen=True, slots=True)
class Told:
    """One exchange as the citizen reads it, numbered without holes whatever was left out."""

    number: int
    row: Row
    told: Explanation
    inside: tuple[Explanation, ...]  # what was looked up to answer it


def told(file: CaseFile, book: Book) -> list[Told]:
    """The lines that are shown, newest first, one for each exchange; her own looks at the list are left out."""
    found: list[Told] = []
    for group in exchanges([line for line in file.shown if not _look(line)]):
        first, *parts = [(line.opened(), explain(line.opened(), book, file.language)) for line in group]
        found.append(Told(len(found) + 1, first[0], first[1], tuple(one for _, one in parts)))
    return found


def _look(line: Line) -> bool:
    """Whether somebody looked at the record itself: told apart, or this very request would drown the rest."""
    return bool(line.row["kind"] == "audit.read")


def answer(file: CaseFile, book: Book, day: date, *, draft: bool = False) -> dict[str, Any]:
    """The letter that answers a request."""
    say = Speech(file.language)
    lines = told(file, book)
    blocks: list[Block] = [
        _text(say("casefiles.letter_salutation")),
        _text(say("casefiles.letter_intro", day=say.day(file.received))),
        _text(say("casefiles.letter_period", period=period(file, say))),
        _text(say("casefiles.letter_found" if lines else "casefiles.letter_nothing")),
    ]
    if lines:
        blocks.append(_summary(lines, book, say))
    if file.remark:
        blocks += [_text(one) for one in file.remark.splitlines() if one.strip()]
    blocks += [_heading(say("casefiles.letter_withheld_title")), _text(say("casefiles.letter_withheld"))]
    blocks += [_heading(say("casefiles.letter_rights_title"))]
    blocks += [{"kind": "list", "items": [str(say(f"casefiles.letter_{one}")) for one in _RIGHTS]}]
    blocks += [_heading(say("casefiles.letter_check_title")), _text(say("casefiles.letter_check"))]
    blocks += [_sign(file, book, say)]
    if lines:
        blocks += [
            {"kind": "break"},
            _heading(say("casefiles.letter_list_title")),
            _text(say("casefiles.letter_list_how")),
        ]
        blocks += [_list(lines, book, say)]
    looks = [line.opened() for line in file.shown if _look(line)]
    if looks:
        blocks += [_heading(say("casefiles.letter_looks_title")), _text(say("casefiles.letter_looks"))]
        blocks += [_looks(looks, book, say)]
    return _letter(file, book, day, say, "answer", blocks, say("casefiles.letter_draft") if draft else "")


def notice(kind: str, file: CaseFile, book: Book, day: date, why: str) -> dict[str, Any]:
    """A short letter on the way: `extend` (we need more time), `ask_proof` (who are you?), `refuse`."""
    say = Speech(file.language)
    due = say.day(file.clock(day).due)
    blocks = [
        _text(say("casefiles.letter_salutation")),
        _text(say("casefiles.letter_asked", day=say.day(file.received))),
    ]
    blocks += [_text(say(f"casefiles.notice_{kind}", due=due)), _text(say("casefiles.notice_why", why=why))]
    blocks += [_text(say(f"casefiles.notice_{kind}_then", due=due))]
    blocks += [_text(say(f"casefiles.letter_{one}")) for one in ("authority", "court")]
    return _letter(file, book, day, say, kind, [*blocks, _sign(file, book, say)], "")


def pdf(letter: Mapping[str, Any]) -> bytes:
    """The letter as PDF/UA-1. Blocks for about a third of a second: call it in a thread."""
    data = typst.compile(
        _template(), format="pdf", pdf_standards=["ua-1"], ignore_system_fonts=True,
        sys_inputs={"letter": json.dumps(letter, ensure_ascii=False)},
    )  # fmt: skip
    if not isinstance(data, bytes):
        raise TypeError("one document gives one PDF")
    return data


def period(file: CaseFile, say: Speech) -> str:
    """The period that was asked for, in words."""
    if file.since and file.until:
        return str(say("casefiles.period_both", since=say.day(file.since), until=say.day(file.until)))
    if file.since:
        return str(say("casefiles.period_since", since=say.day(file.since)))
    if file.until:
        return str(say("casefiles.period_until", until=say.day(file.until)))
    return str(say("casefiles.period_all"))


def office(file: CaseFile, book: Book, say: Speech) -> str:
    """Who answers."""
    return book.organisation(file.org, file.language) if file.org else str(say("casefiles.hub"))


def _letter(
    file: CaseFile, book: Book, day: date, say: Speech, kind: str, blocks: Sequence[Block], draft: str
) -> dict[str, Any]:
    title = str(say(f"casefiles.letter_title_{kind}"))
    return {
        "lang": file.language,
        "day": [day.year, day.month, day.day],
        "title": title,
        "description": str(say("casefiles.letter_reference", number=file.number)),
        "sender": [office(file, book, say), str(say("casefiles.letter_office"))],
        "addressee": [one for one in file.addressee.splitlines() if one.strip()],
        "about": [say.day(day), str(say("casefiles.letter_reference", number=file.number))],
        "reference": str(say("casefiles.letter_reference", number=file.number)),
        "page": str(say("casefiles.letter_page")),
        "draft": str(draft),
        "blocks": list(blocks),
    }


def _summary(lines: Sequence[Told], book: Book, say: Speech) -> Block:
    """Who, what for and how often; what a purpose is for is told here once, not at every line."""
    counts: dict[tuple[str, str], int] = {}
    whys: dict[str, str] = {}
    for one in lines:
        aim = one.told.purpose or str(say("casefiles.letter_other_aim"))
        whys[aim] = one.told.why or ""
        who = book.organisation(one.row.org, say.language) if one.row.org else str(say("casefiles.hub_short"))
        counts[who, aim] = counts.get((who, aim), 0) + 1
    return {
        "kind": "table",
        "widths": [5, 7, 2],
        "header": [str(say(f"casefiles.column_{one}")) for one in ("who", "purpose", "times")],
        "rows": [[who, [one for one in (aim, whys[aim]) if one], str(count)] for (who, aim), count in counts.items()],
    }


def _list(lines: Sequence[Told], book: Book, say: Speech) -> Block:
    return {
        "kind": "table",
        "widths": [1, 3, 7, 7],
        "header": [str(say(f"casefiles.column_{one}")) for one in ("number", "when", "what", "why")],
        "rows": [[str(one.number), say.time(one.row.ts), _what(one), _why(one)] for one in lines],
    }


def _looks(rows: Sequence[Row], book: Book, say: Speech) -> Block:
    """Who looked at the record, by day: the offices, and she herself."""
    counts: dict[tuple[str, str], int] = {}
    for row in rows:
        office = book.organisation(row.org, say.language) if row.org else str(say("casefiles.hub_short"))
        who = str(say("casefiles.letter_yourself")) if row.initiator == "self" else office
        counts[say.day(row.ts), who] = counts.get((say.day(row.ts), who), 0) + 1
    return {
        "kind": "table",
        "widths": [4, 8, 2],
        "header": [str(say(f"casefiles.column_{one}")) for one in ("when", "who", "times")],
        "rows": [[day, who, str(count)] for (day, who), count in counts.items()],
    }


def _what(one: Told) -> list[str]:
    reason = [one.told.reason] if one.told.reason else []
    return [one.told.headline, *reason, *dict.fromkeys(inside.headline for inside in one.inside)]


def _why(one: Told) -> list[str]:
    return list(one.told.sentences) or ["–"]


def _sign(file: CaseFile, book: Book, say: Speech) -> Block:
    who = str(say("casefiles.letter_signed", office=office(file, book, say)))
    return {"kind": "sign", "text": str(say("casefiles.letter_greeting")), "who": who}


def _text(text: object) -> Block:
    return {"kind": "text", "text": str(text)}


def _heading(text: object) -> Block:
    return {"kind": "heading", "text": str(text)}


@cache
def _template() -> bytes:
    return _TEMPLATE.read_bytes()
