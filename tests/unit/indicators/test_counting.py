"""The same people, as three packages write them down, are the same figures; and nothing of anybody is in a figure."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrator.adapters.findings import FileRefused
from integrator.adapters.layout import load
from integrator.adapters.reading import rows
from integrator.errors import ConfigurationError
from integrator.indicators.aggregates import hand_in, render, state_of, total_of
from integrator.indicators.counting import _whole, count, figures_of
from integrator.indicators.definitions import days, load_indicators, load_words

ROOT = Path(__file__).resolve().parents[3]
INDICATORS = load_indicators(ROOT / "config" / "indicators")
CASES = sorted((ROOT / "connectors").glob("welfare_*/cases/*.json"))
PACKAGES = ("welfare_csv", "welfare_fixed", "welfare_xml")
WAGE = INDICATORS["living_wage_persons"].versions[0]
CENTRE = "1982100968"


def package(name: str):
    room = ROOT / "connectors" / name
    return load(room / "adapter.yaml", sandbox=frozenset()), load_words(room)


def file_of(name: str, tmp_path: Path, change=lambda data: data) -> Path:
    path = tmp_path / name
    path.write_bytes(change(_beside(ROOT / "connectors" / name / "cases" / "october.json").read_bytes()))
    return path


def _beside(case: Path) -> Path:
    """The package's file of which a case says the figures."""
    [file] = [path for path in case.parent.glob(f"{case.stem}.*") if path.suffix != ".json"]
    return file


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.parent.name}/{path.stem}")
def test_a_file_of_a_package_gives_the_figures_of_its_case(path):
    said = json.loads(path.read_bytes())
    layout, words = package(path.parent.parent.name)
    period = said.pop("period")

    assert said == {
        name: figures_of(layout, words, _beside(path), INDICATORS[name].at(period), period) for name in said
    }


def test_the_three_cases_say_the_same():
    assert 3 == len(CASES)
    assert 1 == len({path.read_bytes() for path in CASES})


@pytest.mark.parametrize("name", PACKAGES)
def test_another_meaning_gives_another_figure(name, tmp_path):
    """Version 2 counts who is there on the last day: the 23 whose right ended on 12 October are gone."""
    layout, words = package(name)
    second = INDICATORS["living_wage_persons"].versions[1]

    assert 17 == count_all(layout, words, file_of(name, tmp_path), second)


def count_all(layout, words, path, version):
    return count(_whole(layout, words, path), version, "2026-10").total()


@pytest.mark.parametrize("name", PACKAGES)
def test_no_number_of_anybody_is_in_what_leaves(name, tmp_path):
    layout, words = package(name)
    path = file_of(name, tmp_path)
    numbers = {row.texts["person"] for row in rows(layout, path)}
    told = render(CENTRE, WAGE, "2026-10", figures_of(layout, words, path, WAGE, "2026-10")).decode()

    assert len(numbers) > 50
    assert [] == [number for number in numbers if number in told]


def test_a_half_written_file_gives_no_figure(tmp_path):
    layout, words = package("welfare_csv")
    with pytest.raises(FileRefused):
        figures_of(
            layout, words, file_of("welfare_csv", tmp_path, lambda data: data[: len(data) // 2]), WAGE, "2026-10"
        )


def test_one_row_that_cannot_be_read_is_enough_for_no_figure(tmp_path):
    layout, words = package("welfare_csv")
    with pytest.raises(FileRefused) as refused:
        figures_of(
            layout,
            words,
            file_of("welfare_csv", tmp_path, lambda data: data.replace(b"01/03/2026", b"31/02/2026", 1)),
            WAGE,
            "2026-10",
        )

    assert "BAD_ROWS" == refused.value.reason


def test_a_code_that_nobody_translated_is_refused_and_not_left_out(tmp_path):
    layout, words = package("welfare_csv")
    with pytest.raises(FileRefused) as refused:
        figures_of(
            layout,
            words,
            file_of("welfare_csv", tmp_path, lambda data: data.replace(b";LL;", b";XX;", 1)),
            WAGE,
            "2026-10",
        )

    assert "NOT_IN_LIST" == refused.value.reason


def row(person: str, start="2026-10-01", until=None, born="1980-01-01", kind="living_wage") -> dict:
    told = {"person": person, "file": "F" + person, "kind": kind, "from": start, "born": born}
    return told | ({"until": until} if until else {})


@pytest.mark.parametrize(
    ("start", "until", "n"),
    [
        ("2026-10-31", None, 1),
        ("2026-11-01", None, 0),
        ("2026-01-01", "2026-10-01", 1),
        ("2026-01-01", "2026-09-30", 0),
    ],
)
def test_a_right_counts_when_it_runs_on_some_day_of_the_month(start, until, n):
    assert n == count([row("a", start, until)], WAGE, "2026-10").total()


def test_two_days_of_birth_of_one_person_are_a_contradiction_and_no_guess():
    with pytest.raises(FileRefused) as refused:
        count([row("a", born="1980-01-01"), row("a", born="2010-01-01")], WAGE, "2026-10")

    assert "CONTRADICTION" == refused.value.reason


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(["2026-10-01", "2026-10-15"])), max_size=40))
@settings(deadline=None)
def test_a_person_is_counted_once_however_often_written_down(written):
    assert len({person for person, _ in written}) == count([row(p, s) for p, s in written], WAGE, "2026-10").total()


# --- what leaves, and what is believed ------------------------------------------------------------------------------


def told(**changed) -> bytes:
    return json.dumps({**json.loads(render(CENTRE, WAGE, "2026-10", {"*": 40, "0-24": 14})), **changed}).encode()


@pytest.mark.parametrize(
    ("data", "state"),
    [
        (told(), {"state": "known", "value": 40, "groups": [{"ageGroup": "0-24", "value": 14}]}),
        (told(figures={}), {"state": "suppressed"}),
        (None, {"state": "unknown", "reason": "MISSING"}),
        (b"", {"state": "unknown", "reason": "UNREADABLE"}),
        (b"[]", {"state": "unknown", "reason": "UNREADABLE"}),
        (told(figures={"*": 3}), {"state": "unknown", "reason": "UNREADABLE"}),  # what must not leave is not passed on
        (told(figures={"*": 40, "85660812341": 12}), {"state": "unknown", "reason": "UNREADABLE"}),
        (told(figures={"*": True}), {"state": "unknown", "reason": "UNREADABLE"}),
        (told(people=["…"]), {"state": "unknown", "reason": "UNREADABLE"}),
        (told(organisation="1982100176"), {"state": "unknown", "reason": "NOT_THIS_ONE"}),
        (told(period="2026-09"), {"state": "unknown", "reason": "NOT_THIS_ONE"}),
        (told(version=2), {"state": "unknown", "reason": "OTHER_DEFINITION"}),
        (told(definition="sha256:0"), {"state": "unknown", "reason": "OTHER_DEFINITION"}),
    ],
    ids=["known", "small", "nothing", "empty", "a list", "too small", "a number of somebody", "no number", "more in it",
         "another centre", "another month", "another version", "another text"],
)  # fmt: skip
def test_what_a_file_is_worth(data, state):
    assert state == state_of(data, CENTRE, WAGE, "2026-10")


@pytest.mark.parametrize(
    ("states", "total"),
    [
        ([{"state": "known", "value": 40}, {"state": "known", "value": 12}], {"state": "known", "value": 52}),
        ([{"state": "known", "value": 40}, {"state": "unknown"}], {"state": "unknown", "knownTogether": 40}),
        ([{"state": "known", "value": 40}, {"state": "suppressed"}], {"state": "unknown", "knownTogether": 40}),
        ([{"state": "suppressed"}], {"state": "unknown"}),
    ],
    ids=["all", "one is missing", "one is small", "nobody"],
)
def test_a_total_is_told_only_when_it_tells_nothing_that_was_kept_back(states, total):
    assert total == total_of(states)


def test_a_month_is_handed_in_once(tmp_path):
    path = hand_in(tmp_path, CENTRE, WAGE, "2026-10", {"*": 40})
    assert path == hand_in(tmp_path, CENTRE, WAGE, "2026-10", {"*": 40})
    with pytest.raises(ConfigurationError):
        hand_in(tmp_path, CENTRE, WAGE, "2026-10", {"*": 41})

    assert [path] == list(path.parent.iterdir())
    assert 40 == json.loads(path.read_bytes())["figures"]["*"]


# --- definitions ----------------------------------------------------------------------------------------------------


def test_each_month_has_one_meaning():
    wage = INDICATORS["living_wage_persons"]

    assert [None, 1, 1, 2] == [
        one.number if (one := wage.at(period)) else None for period in ("2025-12", "2026-01", "2026-12", "2027-01")
    ]
    assert wage.versions[0].digest != wage.versions[1].digest


def test_a_month_ends_with_its_last_day():
    assert ["2026-02-01", "2026-02-28"] == [day.isoformat() for day in days("2026-02")]


@pytest.mark.parametrize(
    ("old", "new"),
    [("version: 2", "version: 3"), ('since: "2027-01"', 'since: "2025-01"'), ("atLeast: 10", "atLeast: 1"), ("[25, 64]", "[26, 64]"),
     ("indicator: l", "indicator: x")],
    ids=["a version left out", "a later version for earlier", "one person", "a gap between ages", "another name"],
)  # fmt: skip
def test_a_definition_that_does_not_hold_together_is_refused(old, new, tmp_path):
    text = (ROOT / "config/indicators/living_wage_persons.yaml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "living_wage_persons.yaml").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigurationError):
        load_indicators(tmp_path)
