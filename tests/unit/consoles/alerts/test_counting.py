"""Statistics: a number with fewer than ten people behind it is nowhere, not even in a sum."""

from __future__ import annotations

from typing import Any

import pytest

from audit.exports import Processing
from integrator.consoles.alerts import counting
from integrator.consoles.alerts.counting import Cell, Counted, count


def processing(person: int, *, org: str = "0207373429", name: str = "person.get", kind: str = "outcome") -> Any:
    entry = {"consumer": {"org": org}, "name": name}
    return Processing("hub/1", 1, 0, 2, 1, kind, b"", entry, ((0, person.to_bytes(16, "big")),), 1, None, False)


def test_ten_people_are_a_number() -> None:
    assert Counted([Cell("0207373429", "person.get", "outcome", 10)], False, False) == count(map(processing, range(10)))


def test_nine_people_asked_about_a_hundred_times_are_no_number() -> None:
    assert Counted([], True, False) == count(processing(number % 9) for number in range(100))


def test_a_small_number_is_in_no_other() -> None:
    rows = [*map(processing, range(12)), *(processing(number, org="1992100975") for number in range(3))]

    assert Counted([Cell("0207373429", "person.get", "outcome", 12)], True, False) == count(rows)


def test_refusals_are_counted_apart_and_looks_at_the_ledger_not_at_all() -> None:
    rows = [processing(number, kind=kind) for kind in ("denied", "audit.read") for number in range(10)]

    assert ["denied"] == [cell.kind for cell in count(rows).cells]


def test_more_than_may_be_counted_is_said_and_not_cut_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MOST", 5)

    assert Counted([], False, True) == count(map(processing, range(10)))
