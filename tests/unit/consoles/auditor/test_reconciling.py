"""A source's own list beside ours: what only one of the two has is named, however the list is written."""

from __future__ import annotations

from typing import Any

import pytest

from audit.exports import Processing
from integrator.consoles.auditor import reconciling
from integrator.consoles.auditor.reconciling import Compared, compare, numbers_of

A, B, C = "a" * 32, "b" * 32, "c" * 32


def processing(trace: str, kind: str = "outcome", source: str = "kbo") -> Any:
    entry = {"trace_id": trace, "span_id": trace[:16], "source": {"service": source}}
    return Processing("hub/1", 1, 0, 2, 1, kind, b"", entry, (), 1, None, False)


@pytest.mark.parametrize(
    "text",
    [
        f"{A}\n{B}",
        f"id;when\n{A};10:00\n{B};11:00\n",
        f'"transaction","when"\r\n"{A}","10:00"\r\n"{B}","11:00"\r\n',
        f"{A[:8]}-{A[8:12]}-{A[12:16]}-{A[16:20]}-{A[20:]}\n\nurn:uuid:{B}\n".upper(),
    ],
    ids=["column", "semicolons with heading", "commas and quotes", "uuids in capitals"],
)
def test_a_list_is_read_however_the_source_writes_it(text: str) -> None:
    assert ({A, B}, 0) == numbers_of(text)


def test_lines_without_a_number_are_counted_not_dropped_in_silence() -> None:
    assert ({A}, 2) == numbers_of(f"id\n{A}\n85610100147\n{'1' * 16}\n")


def test_what_only_one_of_the_two_has_is_named_both_ways() -> None:
    assert Compared(1, (B,), (C,), 0) == compare({A, C}, [processing(A), processing(B)], "kbo")


def test_a_refusal_never_reached_the_source_and_another_source_is_not_this_one() -> None:
    assert Compared(0, (), (A,), 0) == compare({A}, [processing(A, "denied"), processing(A, source="div")], "kbo")


def test_a_question_of_unknown_outcome_may_have_reached_the_source() -> None:
    assert Compared(1, (), (), 0) == compare({A}, [processing(A, "unknown")], "kbo")


def test_a_source_that_wrote_our_ticket_is_compared_by_ticket() -> None:
    theirs, _ = numbers_of(f"{A[:16]}\n{C[:16]}")

    assert Compared(1, (B[:16],), (C[:16],), 0) == compare(theirs, [processing(A), processing(B)], "kbo")


def test_too_much_for_one_comparison_is_said_and_not_cut_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciling, "MOST", 1)

    assert compare({A}, [processing(A), processing(B)], "kbo").cut
