"""A month is a month: short months, holidays, weekends, pauses and the two months more."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from integrator.consoles.casefiles.clock import Pause, clock, easter, holidays, working_day


@pytest.mark.parametrize(
    ("received", "due"),
    [
        (date(2026, 11, 23), date(2026, 12, 23)),
        (date(2026, 1, 31), date(2026, 3, 2)),  # 28 February 2026 is a Saturday
        (date(2024, 1, 31), date(2024, 2, 29)),
        (date(2026, 3, 5), date(2026, 4, 7)),  # Sunday, then Easter Monday
        (date(2026, 11, 25), date(2026, 12, 28)),  # Christmas on a Friday
        (date(2026, 12, 1), date(2027, 1, 4)),  # New Year on a Friday, then the weekend
    ],
)
def test_the_answer_is_due_on_the_next_working_day_after_a_month(received: date, due: date) -> None:
    assert due == clock(received, received).due


def test_two_months_more_are_counted_from_receipt() -> None:
    assert date(2026, 4, 23) == clock(date(2026, 1, 23), date(2026, 1, 24), extended=True).due


@pytest.mark.parametrize(
    ("today", "pace", "may_extend"),
    [
        (date(2026, 11, 24), "ok", True),
        (date(2026, 12, 16), "soon", True),
        (date(2026, 12, 23), "soon", True),
        (date(2026, 12, 24), "late", False),
    ],
)
def test_the_last_day_is_not_late_and_the_next_one_is(today: date, pace: str, may_extend: bool) -> None:
    told = clock(date(2026, 11, 23), today)

    assert (pace, may_extend) == (told.pace, told.may_extend)


def test_days_of_waiting_for_proof_are_added() -> None:
    pause = Pause(date(2026, 11, 25), date(2026, 12, 2))
    waiting = clock(date(2026, 11, 23), date(2026, 12, 20), [Pause(date(2026, 11, 25))])

    assert date(2026, 12, 30) == clock(date(2026, 11, 23), date(2026, 12, 20), [pause]).due
    assert "waiting" == waiting.pace and waiting.left > 0


def test_a_year_has_ten_holidays_and_none_is_a_working_day() -> None:
    for year in range(2020, 2041):
        days = holidays(year)
        assert len(days) in (9, 10)  # Ascension falls on 1 May now and then
        assert all(working_day(day) > day for day in days)
        assert 6 == easter(year).weekday()
        assert easter(year) + timedelta(1) in days
