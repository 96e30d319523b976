"""Conditions by themselves: hours on the wall, ages of people without a birthday, and what the sandbox's files say."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrator.errors import ConfigurationError
from integrator.places import read_yaml
from integrator.policy.afterwards import of_age
from integrator.policy.conditions import BRUSSELS, DAYS, Conditions, Facts, Hours, strictest
from integrator.policy.reading import _conditions
from integrator.seeds import seeded

HOME = Path(__file__).resolve().parents[3]
SPRING, AUTUMN = datetime(2026, 3, 29, tzinfo=BRUSSELS), datetime(2026, 10, 25, tzinfo=BRUSSELS)  # the clocks change


def hours(**said):
    return _conditions({"hours": said}, None).hours


@pytest.mark.parametrize(
    ("clock", "holds"),
    [("06:59:59", False), ("07:00:00", True), ("19:59:59", True), ("20:00:00", False)],
    ids=["a second early", "the first second", "the last second", "a second late"],
)
@pytest.mark.parametrize("day", ["2026-01-14", "2026-07-15"], ids=["winter", "summer"])
def test_hours_are_those_of_the_wall_in_brussels(day, clock, holds):
    moment = datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=BRUSSELS).timestamp()

    assert holds is hours(**{"from": "07:00", "to": "20:00"}).hold(moment)


def test_a_day_ends_at_midnight_in_brussels_not_in_greenwich():
    sunday = hours(days=["sun"])

    assert sunday.hold(datetime(2026, 7, 18, 22, 30, tzinfo=UTC).timestamp())  # Sunday 00:30 in Brussels
    assert not sunday.hold(datetime(2026, 7, 19, 22, 30, tzinfo=UTC).timestamp())


@given(
    moment=st.floats(1.7e9, 1.9e9) | st.sampled_from([SPRING, AUTUMN]).map(datetime.timestamp), days=st.frozensets(st.integers(0, 6), min_size=1),
    window=st.tuples(st.integers(0, 1439), st.integers(1, 1440)).filter(lambda both: both[0] < both[1]),
)  # fmt: skip
def test_the_nearest_moment_named_is_one_that_holds(moment, days, window):
    found = Hours(days, *window).nearest(moment, moment - 4e6, moment + 4e6)

    assert found is not None and Hours(days, *window).hold(found)


def test_hours_that_never_come_before_the_end_are_not_promised():
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()

    assert hours(days=["sun"]).nearest(noon, noon, noon + 86_400) is None


@pytest.mark.parametrize(
    "said", [{"from": "12:00", "to": "12:00"}, {"from": "22:00", "to": "06:00"}], ids=["none", "over midnight"]
)
def test_hours_that_end_before_they_begin_are_refused_when_read(said):
    with pytest.raises(ConfigurationError):
        hours(**said)


def test_a_purpose_sets_the_least_assurance_and_a_line_may_only_ask_more():
    assert ["high", "substantial", "low", None] == [
        strictest("low", "high"),
        strictest("substantial", "low"),
        strictest(None, "low"),
        strictest(None, None),
    ]
    assert "high" == _conditions({"assurance": "low"}, "high").assurance


def test_a_level_that_nobody_defined_is_none():
    assert "ASSURANCE_TOO_LOW" == Conditions(assurance="low").unmet(Facts(assurance="gold"), 0.0)


@given(born=st.dates(date(1930, 1, 1), date(2026, 11, 23)), today=st.dates(date(2026, 11, 23), date(2040, 1, 1)))
def test_somebody_is_of_age_from_their_eighteenth_birthday(born, today):
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))

    assert (years >= 18) is of_age(born.isoformat(), today)


@pytest.mark.parametrize(
    ("born", "grown"),
    [
        ("1980-00-00", True),
        ("2020-00-00", False),
        ("2008-00-00", None),
        ("2007-11-00", True),
        ("", None),
        (None, None),
        ("unknown", None),
        ("19", None),
    ],
)
def test_of_an_incomplete_date_only_what_is_certain_is_said(born, grown):
    assert grown is of_age(born, date(2026, 11, 23))


async def test_the_sandboxs_files_are_of_the_cpas_alone_and_not_about_everybody():
    organisations = read_yaml(HOME / "config" / "organisations.yaml")
    registered = seeded(HOME / "config" / "sandbox" / "registrations.yaml", organisations)
    cpas, municipality, day = "1982100968", "1992100975", date(2026, 11, 23)

    assert {"1"} == await registered(cpas, "84651797654", "social_inquiry", day)
    for organisation, subject, purpose in (
        (cpas, "74622794242", "social_inquiry"), (municipality, "84651797654", "social_inquiry"), (cpas, "84651797654", "local_tax"),
    ):  # fmt: skip
        assert frozenset() == await registered(organisation, subject, purpose, day)


def test_every_day_of_the_week_has_a_name():
    assert 7 == len(set(DAYS))
