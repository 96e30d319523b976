"""What closed packages really send: each wound has its name, good rows are good, and nothing of a refused file is."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from integrator.adapters.checking import Report, check
from tests.unit.adapters import kit
from tests.unit.adapters.kit import DELIMITED, FIXED, PEOPLE, WORKBOOK, XML, fixed_file, fixed_row, three_rows, workbook

HEAD = "Facture;NISS;Montant;Remarque"
GOOD = [f"F0001;{PEOPLE[0]};12,50;", f'F0002;{PEOPLE[1]};3,00;"deux; trois"']


@pytest.fixture
def checked(tmp_path: Path) -> Any:
    def judge(data: dict[str, Any], content: bytes | str) -> Report:
        path = tmp_path / "file"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return check(kit.layout(data), path)

    return judge


def told(report: Report) -> list[tuple[int, str | None, str]]:
    return [(one.line, one.field, one.reason) for one in report.findings]


def csv_of(*rows: str, head: str = HEAD, end: str = "\r\n") -> str:
    return end.join([head, *rows, ""])


# --- fixed width --------------------------------------------------------------------------------------------------------


def test_a_whole_file_has_nothing_to_mend(checked: Any) -> None:
    report = checked(FIXED, fixed_file(three_rows()))

    assert (3, 3, []) == (report.rows, report.good, told(report))


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (fixed_row("84651797655", "Eekhoorn", "20261101", 1), ("ssin", "CHECK_DIGITS")),
        # Of the real world on purpose: the wound is such a number in the sandbox. A published test vector, of nobody we know.
        (fixed_row("93051822361", "Eekhoorn", "20261101", 1), ("ssin", "OTHER_WORLD")),
        (fixed_row(PEOPLE[0], "Eekhoorn", "20260230", 1), ("day", "NOT_A_DATE")),
        (fixed_row(PEOPLE[0], "Eekhoorn", "20261101", 1, "X"), ("kind", "NOT_IN_LIST")),
        (fixed_row(" " * 11, "Eekhoorn", "20261101", 1), ("ssin", "MISSING")),
        (fixed_row(PEOPLE[0], "Eekhoorn", "20261101", 777).replace("777", "7x7"), ("amount", "NOT_A_NUMBER")),
        (fixed_row(PEOPLE[0], "Eekhoorn", "20261101", 1) + "!", (None, "ROW_TOO_LONG")),
        (fixed_row(PEOPLE[0], "Eekhoorn", "20261101", 1)[:-1], (None, "ROW_TOO_SHORT")),
        (fixed_row(PEOPLE[0], "Eek\0oorn", "20261101", 1), (None, "CONTROL_SIGN")),
        ("X" + fixed_row(PEOPLE[0], "Eekhoorn", "20261101", 1)[1:], (None, "UNKNOWN_ROW")),
        (fixed_row(PEOPLE[2], "Mandarine", "20261102", 99), (None, "DOUBLE")),
        ("D" * 5_000, (None, "ROW_TOO_LONG")),
    ],
    ids=[
        "check digits", "a real number in the sandbox", "a day that does not exist", "a code of nobody", "a number that is not there",
        "letters in an amount", "a sign too many", "a sign too few", "a NUL", "a kind of row nobody knows", "the same row again",
        "a line without end",
    ],
)  # fmt: skip
def test_a_bad_row_is_named_and_the_others_are_good(checked: Any, row: str, found: tuple[str | None, str]) -> None:
    rows = three_rows()
    amount = int(row[32:42]) if row[32:42].strip().isdigit() else 0
    content = fixed_file(rows, count=4, total=123560 + amount).replace(
        b"T     4", row.encode("cp1252") + b"\r\nT     4"
    )

    report = checked(FIXED, content)

    assert (4, 3) == (report.rows, report.good), report.refusal
    assert [(5, *found)] == told(report)


def test_a_bad_row_is_found_by_its_bytes(checked: Any, tmp_path: Path) -> None:
    rows = three_rows()
    rows[1] = rows[1].replace("Mésange", "M\0sange")
    content = fixed_file(rows)

    finding = checked(FIXED, content).findings[0]

    assert rows[1].encode("cp1252") + b"\r\n" == content[finding.offset : finding.offset + finding.length]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "EMPTY_FILE"),
        (fixed_file([]), "EMPTY_FILE"),
        (fixed_file(three_rows())[:150], "NOT_WHOLE"),
        (fixed_file(three_rows(), count=4), "NOT_WHOLE"),
        (fixed_file(three_rows(), total=1), "SUM_DIFFERS"),
        (fixed_file(three_rows()) + three_rows()[0].encode("cp1252") + b"\r\n", "NOT_WHOLE"),
        (b"\xff\xfe" + fixed_file(three_rows()), "NOT_THIS_FORMAT"),
    ],
    ids=["nothing", "no row", "half written", "a row was lost", "totals that differ", "rows behind the end", "UTF-16"],
)
def test_a_file_that_cannot_be_whole_is_refused_whole(checked: Any, content: bytes, reason: str) -> None:
    report = checked(FIXED, content)

    assert report.refusal is not None
    assert (reason, 0) == (report.refusal.reason, report.good)


def test_a_byte_order_mark_is_passed_over(checked: Any) -> None:
    assert checked(DELIMITED, b"\xef\xbb\xbf" + csv_of(*GOOD).encode()).clean


def test_a_sub_that_ms_dos_left_at_the_end_is_no_row(checked: Any) -> None:
    assert checked(FIXED, fixed_file(three_rows()) + b"\x1a").clean


def test_mixed_line_ends_are_read_where_the_layout_takes_any_and_named_where_not(checked: Any) -> None:
    mixed = f"{HEAD}\r\n{GOOD[0]}\n{GOOD[1]}\r\n"

    assert checked(DELIMITED, mixed).clean
    strict = {**DELIMITED, "format": {**DELIMITED["format"], "lineEnd": "crlf"}}
    assert [(2, None, "LINE_END")] == told(checked(strict, mixed))


# --- delimited ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (f"F0003;{PEOPLE[2]};1,00;a;b", (None, "COLUMN_EXTRA")),
        (f"F0003;{PEOPLE[2]};1,00", (None, "COLUMN_MISSING")),
        (f'F0003;{PEOPLE[2]};1,00;"open', (None, "QUOTES")),
        (f"F0003;{PEOPLE[2]};1.000,00;", ("amount", "NOT_A_NUMBER")),
        (f"F0003;{PEOPLE[2]};-1,00;", ("amount", "OUT_OF_RANGE")),
        (f"f3;{PEOPLE[2]};1,00;", ("invoice", "NOT_THE_FORM")),
        (f"F0001;{PEOPLE[2]};1,00;", (None, "DOUBLE")),
    ],
    ids=["a column too many", "a column too few", "a quote that stays open", "points for thousands", "below zero", "not the form", "the same invoice"],
)  # fmt: skip
def test_a_bad_record_is_named(checked: Any, row: str, found: tuple[str | None, str]) -> None:
    report = checked(DELIMITED, csv_of(*GOOD, row))

    assert [(4, *found)] == told(report)
    assert 2 == report.good


def test_a_text_over_two_lines_is_one_record_and_the_next_has_its_own_line(checked: Any) -> None:
    report = checked(DELIMITED, csv_of(f'F0001;{PEOPLE[0]};1,00;"un\r\ndeux"', "bad;row"))

    assert [(4, None, "COLUMN_MISSING")] == told(report)


def test_another_encoding_is_named_not_guessed(checked: Any) -> None:
    report = checked(DELIMITED, csv_of(*GOOD, f"F0003;{PEOPLE[2]};1,00;payé").encode("cp1252"))

    assert [(4, None, "ENCODING")] == told(report)


def test_columns_may_stand_in_any_order_and_one_may_be_passed_over(checked: Any) -> None:
    assert checked(
        DELIMITED, csv_of(f"x;3,00;{PEOPLE[0]};F0001;", head="Utilisateur;Montant;NISS;Facture;Remarque")
    ).clean


@pytest.mark.parametrize(
    "head", ["Facture;NISS;Bedrag;Remarque", HEAD + ";Nouveau", "Facture;NISS;NISS;Montant;Remarque"]
)
def test_other_columns_are_another_layout(checked: Any, head: str) -> None:
    report = checked(DELIMITED, csv_of(*GOOD, head=head))

    assert report.refusal is not None
    assert "OTHER_LAYOUT" == report.refusal.reason


# --- workbooks ----------------------------------------------------------------------------------------------------------

DAY = datetime(2026, 11, 2)  # noqa: DTZ001 (a cell has no zone)


def test_a_workbook_of_values_is_read_as_it_was_typed(checked: Any) -> None:
    assert checked(WORKBOOK, workbook([["Ann", DAY, 7.6], ["Bob", "03/11/2026", 8]])).clean


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (["Ann", DAY, "=SUM(1;2)"], ("hours", "FORMULA")),
        (["Ann", DAY, "=HYPERLINK(A1)"], ("hours", "FORMULA")),
        (["Ann", DAY, 25], ("hours", "OUT_OF_RANGE")),
        (["Ann", DAY, 7.123], ("hours", "NOT_A_NUMBER")),
        (["Ann", DAY.replace(hour=13), 7], ("day", "NOT_A_DATE")),
        ([None, DAY, 7], ("helper", "MISSING")),
        (["Ann", DAY, 7, None, "a note beside it"], (None, "COLUMN_EXTRA")),
        (["Ann", DAY, "#N/A"], ("hours", "CELL_ERROR")),
    ],
    ids=["a sum", "a link", "25 hours", "three decimals", "an hour in a day", "nobody", "a note", "an error"],
)
def test_a_bad_cell_is_named(checked: Any, row: list[Any], found: tuple[str | None, str]) -> None:
    report = checked(WORKBOOK, workbook([["Bob", DAY, 8], row]))

    assert [(3, *found)] == told(report), report.refusal
    assert 1 == report.good


CLEAN = workbook([["Ann", DAY, 7.6]])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (kit.repacked(CLEAN, xl__vbaProject_dot_bin=b"macro"), "MACROS"),
        (kit.repacked(CLEAN, xl__externalLinks__externalLink1_dot_xml=b"<a/>"), "FOREIGN_PARTS"),
        (kit.repacked(CLEAN, xl__media__big_dot_xml=b" " * 30_000_000), "BOMB"),
        (kit.repacked(CLEAN, **{"xl__..__..__x": b"x"}), "FOREIGN_PARTS"),
        (kit.repacked(CLEAN, xl__worksheets__sheet1_dot_xml=b'<!DOCTYPE x [<!ENTITY a "b">]><x/>'), "FOREIGN_PARTS"),
        (kit.repacked(CLEAN, xl__worksheets__sheet1_dot_xml=b"<worksheet><sheetData><row>"), "NOT_WELL_FORMED"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"), "ENCRYPTED"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "NOT_THIS_FORMAT"),
        (CLEAN[:-200], "NOT_THIS_FORMAT"),
        (workbook([["Ann", DAY, 7]], header=("Aide", "Dag", "Heures")), "OTHER_LAYOUT"),
        (workbook([["Ann", DAY, 7]], sheet="Feuille1"), "OTHER_LAYOUT"),
        (workbook([]), "EMPTY_FILE"),
        (b"Aide;Jour;Heures\n", "NOT_THIS_FORMAT"),
    ],
    ids=[
        "macros", "another workbook behind it", "a bomb", "a path that climbs", "entities", "broken off", "a password", "an old workbook",
        "half copied", "another column", "another sheet", "no row", "a text file",
    ],
)  # fmt: skip
def test_a_workbook_that_is_not_one_of_values_is_refused(checked: Any, content: bytes, reason: str) -> None:
    report = checked(WORKBOOK, content)

    assert report.refusal is not None
    assert reason == report.refusal.reason


# --- XML ----------------------------------------------------------------------------------------------------------------


def xml(*lines: str, begin: str = "") -> str:
    return f'{begin}<invoice xmlns="urn:invented:invoice"><head/>{"".join(lines)}</invoice>'


def test_each_record_of_a_document_is_a_row(checked: Any) -> None:
    assert checked(XML, xml('<line><id>1</id><amount currency="EUR">5.00</amount></line>' * 1)).clean


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("<line><amount>5.00</amount></line>", ("id", "MISSING")),
        ("<line><id>2</id><id>3</id><amount>5.00</amount></line>", ("id", "NOT_THE_FORM")),
        ('<line><id>2</id><amount currency="USD">5.00</amount></line>', ("currency", "NOT_IN_LIST")),
        ("<line><id>1</id><amount>5.00</amount></line>", (None, "DOUBLE")),
    ],
    ids=["without id", "with two", "in another currency", "the same again"],
)
def test_a_bad_element_is_named(checked: Any, line: str, found: tuple[str | None, str]) -> None:
    report = checked(XML, xml("<line><id>1</id><amount>5.00</amount></line>", line))

    assert [found] == [(one.field, one.reason) for one in report.findings]
    assert 1 == report.good


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (xml("<line><id>1</id><amount>5.00</amount></line>")[:-12], "NOT_WELL_FORMED"),
        (
            xml("<line><id>&a;</id></line>", begin='<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'),
            "NOT_WELL_FORMED",
        ),
        (xml(), "EMPTY_FILE"),
    ],
    ids=["broken off", "entities", "no record"],
)
def test_a_document_that_is_not_whole_is_refused(checked: Any, content: str, reason: str) -> None:
    report = checked(XML, content)

    assert report.refusal is not None
    assert reason == report.refusal.reason


def test_a_document_of_elements_may_be_a_tenth_as_large_as_a_file_of_lines_unless_its_layout_says_so() -> None:
    said = {**kit.XML, "limits": {"bytes": 90_000_000}}

    assert [200_000_000, 20_000_000, 90_000_000] == [kit.layout(one).max_bytes for one in (kit.FIXED, kit.XML, said)]
