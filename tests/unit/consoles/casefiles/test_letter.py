"""The letter: accessible, in the citizen's language, and silent about what it leaves out."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from audit import Subject
from integrator.consoles.book import open_book
from integrator.consoles.casefiles import letter
from integrator.consoles.casefiles.files import CaseFile, Decision, Line, kept
from integrator.consoles.casefiles.papers import rows_csv
from integrator.consoles.rendering import Speech
from tests.unit.consoles.casefiles.test_guard import a_row

BOOK = open_book()
DAY = date(2026, 11, 23)
ACTIVITY = "https://ropa.integrator.example/resident_permit/v1"
LANGUAGES = ("nl", "fr", "en")


def a_file(language: str = "nl", *decisions: Decision, **more: Any) -> CaseFile:
    rows = [a_row(ACTIVITY, index, categories=("familyName",)) for index in range(len(decisions) or 2)]
    lines = tuple(
        Line(kept(row), Decision("show"), decided) for row, decided in zip(rows, decisions or [None, None], strict=True)
    )
    given: dict[str, Any] = {
        "addressee": "Anna Peeters\nKroonlaan 12\n1050 Elsene",
        "lines": lines,
        "channel": "letter",
    }
    return CaseFile(
        "f",
        "2026-0007",
        "1992100975",
        "collected",
        date(2026, 11, 2),
        language,
        Subject("nrn", "85610100147"),
        **{**given, **more},
    )


def text_of(told: dict[str, Any]) -> str:
    return str(told["blocks"])


def structure_of(pdf: bytes) -> bytes:
    """The PDF with every compressed stream opened, so that its structure can be read."""
    opened = [pdf]
    for match in re.finditer(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            opened.append(zlib.decompress(match[1]))
        except zlib.error:
            continue
    return b"\n".join(opened)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pdf_is_tagged_titled_and_in_a_language(language: str) -> None:
    inside = structure_of(letter.pdf(letter.answer(a_file(language), BOOK, DAY)))

    assert b"/Marked true" in inside and b"/StructTreeRoot" in inside
    assert b"/DisplayDocTitle true" in inside and b"<pdfuaid:part>1</pdfuaid:part>" in inside
    assert f"/Lang({language}-BE)".encode() in inside
    assert {b"H1", b"H2", b"L", b"Table", b"THead", b"TH", b"P"} <= set(re.findall(rb"/S ?/(\w+)", inside))
    assert b"/Scope/Column" in inside


def test_the_same_letter_gives_the_same_bytes() -> None:
    told = letter.answer(a_file(), BOOK, DAY)

    assert letter.pdf(told) == letter.pdf(told)


def test_what_somebody_typed_is_never_markup() -> None:
    file = a_file(addressee='#panic("x")\n*Bold* $x$ @y', remark='#import "/etc/passwd"\n[x] <y>')

    assert letter.pdf(letter.answer(file, BOOK, DAY)).startswith(b"%PDF")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sentence_on_what_may_be_withheld_is_in_every_letter_and_the_same(language: str) -> None:
    sentence = str(Speech(language)("casefiles.letter_withheld"))
    whole, less = a_file(language), a_file(language, Decision("show"), Decision("omit", "crime"))

    assert [1, 1, 1] == [
        text_of(letter.answer(one, BOOK, DAY)).count(sentence) for one in (whole, less, replace(whole, lines=()))
    ]


def test_a_letter_with_a_line_left_out_is_the_letter_that_never_had_it() -> None:
    less = a_file("nl", Decision("show"), Decision("omit", "crime"))
    never = replace(less, lines=less.lines[:1])

    assert letter.answer(never, BOOK, DAY) == letter.answer(less, BOOK, DAY)
    assert rows_csv(letter.told(never, BOOK), BOOK, "nl") == rows_csv(letter.told(less, BOOK), BOOK, "nl")


def test_no_number_of_the_person_stands_in_the_letter() -> None:
    assert "85610100147" not in str(letter.answer(a_file(), BOOK, DAY))


def test_looks_at_the_record_are_told_by_day_and_do_not_drown_the_rest() -> None:
    looks = tuple(Line(kept(a_row("x", 10 + n, kind="audit.read", org=None)), Decision("show")) for n in range(5))
    told = letter.answer(a_file(lines=looks), BOOK, DAY)
    [table] = [block for block in told["blocks"] if block["kind"] == "table"]

    assert [["23 november 2026", "Dienstenintegrator", "5"]] == table["rows"]


@pytest.mark.parametrize("kind", ["extend", "ask_proof", "refuse"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_short_letter_gives_the_reason_and_where_to_complain(kind: str, language: str) -> None:
    told = letter.notice(kind, a_file(language), BOOK, DAY, "because of #this")

    assert "because of #this" in text_of(told) and str(Speech(language)("casefiles.letter_authority")) in text_of(told)
    assert letter.pdf(told).startswith(b"%PDF")


def test_a_cell_that_looks_like_a_formula_is_text_in_a_spreadsheet() -> None:
    file = a_file()
    [one, _] = letter.told(file, BOOK)
    bad = replace(one, told=replace(one.told, headline="=HYPERLINK(1)"))

    assert b";'=HYPERLINK(1);" in rows_csv([bad], BOOK, "nl")


def test_a_file_survives_being_written_and_read() -> None:
    file = a_file("fr", Decision("show"), Decision("delay", "crime", "2027-01-01"), since=date(2026, 1, 1))

    assert file == CaseFile.read(file.text())
