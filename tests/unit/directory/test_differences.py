"""What we keep beside what another directory has: differences found, mended once, and asked again when an answer got lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from integrator.directory.differences import Difference, Kind, Lost, Mended, Refused, differences, mend
from integrator.directory.periods import Period, union
from tests.unit.directory.kit import period
from tests.unit.directory.test_properties import DAYS, periods

MISSING = Difference(Kind.MISSING, "2", period("03-01", "03-31"))
LONGER = Difference(Kind.LONGER, "2", period("01-01", "03-31"))

held = st.dictionaries(st.sampled_from(["1", "2"]), st.lists(periods, max_size=3), max_size=2)


def test_the_same_days_are_no_difference_however_they_are_cut():
    assert [] == differences(
        {"2": [period("01-01", "03-31")]}, {"2": [period("02-01", "03-31"), period("01-01", "01-31")]}
    )


def test_what_the_other_lacks_is_only_the_days_it_lacks():
    found = differences({"2": [period("01-01", "06-30")]}, {"2": [period("01-01", "03-31")]})

    assert [Difference(Kind.MISSING, "2", period("04-01", "06-30"))] == found


def test_an_end_that_the_other_does_not_know_is_told_with_our_last_day():
    assert [LONGER] == differences({"2": [period("01-01", "03-31")]}, {"2": [period("01-01")]})


def test_what_only_the_other_has_is_never_taken_for_an_end():
    found = differences({"2": [period("01-01")]}, {"2": [period("01-01")], "7": [period("05-01")]})

    assert [Difference(Kind.UNKNOWN, "7", period("05-01"))] == found


@given(held, held)
def test_days_missing_there_are_exactly_ours_without_theirs(
    ours: dict[str, list[Period]], theirs: dict[str, list[Period]]
):
    missing = [one for one in differences(ours, theirs) if one.kind is Kind.MISSING]

    for quality in ("1", "2"):
        days = lambda some: {day for day in DAYS if any(one.holds(day) for one in some)}
        wanted = days(ours.get(quality, ())) - days(theirs.get(quality, ()))
        assert wanted == days([one.period for one in missing if one.quality == quality])


@given(held)
def test_two_that_say_the_same_have_no_difference(ours: dict[str, list[Period]]):
    assert [] == differences(ours, {quality: union(some) for quality, some in ours.items()})


def test_an_act_whose_answer_got_lost_is_confirmed_by_what_is_there_and_done_once():
    acted: list[Difference] = []

    def act(one: Difference) -> None:
        acted.append(one)
        raise Lost

    confirmed = mend([MISSING], act, lambda: {"2": [period("01-01")]})

    assert ([Mended(MISSING, "confirmed")], [MISSING]) == (confirmed, acted)


def test_an_act_whose_answer_got_lost_stays_open_when_it_is_not_there_or_nobody_says():
    def lose(*_: object) -> None:
        raise Lost

    def silent() -> dict[str, list[Period]]:
        raise Lost

    assert [Mended(MISSING, "open")] == mend([MISSING], lose, dict)
    assert [Mended(MISSING, "open")] == mend([MISSING], lose, silent)
    assert [Mended(LONGER, "open")] == mend([LONGER], lose, lambda: {"2": [period("01-01")]})
    assert [Mended(LONGER, "confirmed")] == mend([LONGER], lose, lambda: {"2": [period("01-01", "03-31")]})


def test_a_refusal_is_told_with_its_reason_and_the_next_one_goes_on():
    def act(one: Difference) -> None:
        if one is MISSING:
            raise Refused("NOT_INTEGRATED")

    assert [Mended(MISSING, "refused", "NOT_INTEGRATED"), Mended(LONGER, "done")] == mend([MISSING, LONGER], act, dict)
