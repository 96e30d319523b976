"""What is written is read back as it was, and what cannot be is refused; a file read from any row on is the rest of it."""

from __future__ import annotations

import tempfile
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrator.adapters.checking import check, judged
from integrator.adapters.fieldtypes import Wrong, compile_type
from integrator.adapters.intake import _behind
from integrator.adapters.layout import Layout
from integrator.adapters.reading import rows as read
from integrator.adapters.writing import write
from integrator.errors import MalformedRequest
from tests.unit.adapters import kit

SIGNS = st.characters(codec="cp1252", exclude_categories=("Cc", "Cs"))
WORDS = st.text(SIGNS, min_size=1, max_size=12).map(str.strip).filter(bool)
AMOUNT = st.decimals(min_value=0, max_value=99_999, places=2)
FIXED_ROWS = st.fixed_dictionaries(
    {"ssin": st.sampled_from(kit.PEOPLE), "amount": AMOUNT},
    optional={
        "name": WORDS,
        "day": st.dates(date(1900, 1, 1)).map(date.isoformat),
        "kind": st.sampled_from(["salary", "bonus"]),
    },
)
CSV_ROWS = st.fixed_dictionaries(
    {"invoice": st.from_regex(r"F[0-9]{4}", fullmatch=True), "resident": st.sampled_from(kit.PEOPLE)},
    optional={"amount": AMOUNT, "remark": st.text(SIGNS | st.sampled_from('";'), min_size=1, max_size=20).map(str.strip).filter(bool)},
)  # fmt: skip


def without_key(data: dict[str, Any]) -> Layout:
    return kit.layout({name: value for name, value in data.items() if name != "key"})


def back(layout: Layout, content: bytes) -> list[dict[str, Any]]:
    with tempfile.NamedTemporaryFile() as aside:
        aside.write(content)
        aside.flush()
        return [one.values for one in judged(layout, Path(aside.name))]


@given(st.lists(FIXED_ROWS, min_size=1, max_size=20))
def test_fixed_rows_come_back_as_they_were(rows: list[dict[str, Any]]) -> None:
    layout = without_key(kit.FIXED)

    content = b"".join(write(layout, rows))

    assert rows == back(layout, content)


@given(st.lists(CSV_ROWS, min_size=1, max_size=20))
def test_delimited_rows_come_back_as_they_were(rows: list[dict[str, Any]]) -> None:
    layout = without_key(kit.DELIMITED)

    assert rows == back(layout, b"".join(write(layout, rows)))


@given(st.lists(CSV_ROWS, min_size=2, max_size=12), st.data())
def test_a_file_read_from_any_row_on_is_the_rest_of_it(rows: list[dict[str, Any]], data: st.DataObject) -> None:
    layout = without_key(kit.DELIMITED)
    stop = data.draw(st.integers(1, len(rows) - 1))
    with tempfile.NamedTemporaryFile() as aside:
        aside.write(b"".join(write(layout, rows)))
        aside.flush()
        whole = list(read(layout, Path(aside.name)))
        rest = list(read(layout, Path(aside.name), _behind(stop, whole[stop - 1])))

    assert [(one.line, one.offset, one.texts) for one in whole[stop:]] == [
        (one.line, one.offset, one.texts) for one in rest
    ]


@pytest.mark.parametrize(
    "row",
    [
        {"ssin": kit.PEOPLE[0]},
        {"ssin": kit.PEOPLE[0], "amount": Decimal("1.00"), "name": "longer than twelve"},
        {"ssin": kit.PEOPLE[0], "amount": Decimal("1.00"), "name": "Łukasz"},
        {"ssin": kit.PEOPLE[0], "amount": Decimal("1.00"), "name": "a\nb"},
        {"ssin": kit.PEOPLE[0], "amount": Decimal("1.00"), "kind": "gift"},
        {"ssin": kit.PEOPLE[0], "amount": Decimal("1.00"), "shoe": 44},
        {"ssin": "84651797655", "amount": Decimal("1.00")},
        {"ssin": kit.PEOPLE[0], "amount": Decimal("1.005")},
    ],
    ids=["nothing where something is needed", "too long", "a sign cp1252 has not", "two lines", "no such code", "no such field", "a typing error", "half a cent"],
)  # fmt: skip
def test_what_would_be_read_back_otherwise_is_not_written(row: dict[str, Any]) -> None:
    with pytest.raises(MalformedRequest):
        list(write(kit.layout(kit.FIXED), [row]))


@pytest.mark.parametrize(
    "data", [kit.FIXED, kit.DELIMITED, kit.WORKBOOK, kit.XML], ids=lambda data: data["format"]["kind"]
)
@settings(max_examples=50)
@given(st.data())
def test_a_mutated_file_never_crashes_and_loads_only_what_the_check_calls_good(
    data: dict[str, Any], draws: st.DataObject
) -> None:
    layout = kit.layout(data)
    content = bytearray(SAMPLES[layout.kind])
    for _ in range(draws.draw(st.integers(1, 6))):
        at = draws.draw(st.integers(0, len(content) - 1))
        match draws.draw(st.integers(0, 3)):
            case 0:
                content[at] = draws.draw(st.integers(0, 255))
            case 1:
                del content[at : at + draws.draw(st.integers(1, 40))]
            case 2:
                content[at:at] = draws.draw(st.binary(min_size=1, max_size=20))
            case 3:
                content[at:at] = content[at : at + draws.draw(st.integers(1, 60))]
        if not content:
            content = bytearray(b"\n")
    with tempfile.NamedTemporaryFile() as aside:
        aside.write(content)
        aside.flush()
        report = check(layout, Path(aside.name))

    assert report.refusal is not None or report.rows == report.good + len(report.bad)
    assert (report.found > 0) == (len(report.bad) > 0)


SAMPLES = {
    "fixed": kit.fixed_file(kit.three_rows()),
    "delimited": f'Facture;NISS;Montant;Remarque\r\nF0001;{kit.PEOPLE[0]};1,00;"a; b"\r\nF0002;{kit.PEOPLE[1]};2,00;é\r\n'.encode(),
    "workbook": kit.workbook([["Ann", "02/11/2026", 7.6], ["Bob", "03/11/2026", 8]]),
    "xml": b'<invoice xmlns="urn:invented:invoice"><line><id>1</id><amount currency="EUR">5.00</amount></line></invoice>',
}


@pytest.mark.parametrize(("decimals", "text"), [(0, "1,5"), (0, "1,0"), (1, "1,25"), (2, "1,005")])
def test_an_amount_with_more_decimals_than_the_layout_has_is_refused_and_never_rounded(decimals: int, text: str) -> None:
    with pytest.raises(Wrong, match="NOT_A_NUMBER"):
        compile_type("amount", {"type": "decimal", "decimals": decimals}, sandbox=kit.SANDBOX).parse(text)


def test_a_whole_amount_of_a_workbook_needs_no_decimals() -> None:
    amount = compile_type("amount", {"type": "decimal", "decimals": 0}, sandbox=kit.SANDBOX)

    assert amount.cell is not None
    assert [Decimal(12), Decimal(12)] == [amount.parse(amount.cell(held)) for held in (12, 12.0)]
