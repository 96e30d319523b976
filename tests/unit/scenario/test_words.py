"""What a scenario may write instead of a value, and how an answer is held against what it expects."""

from __future__ import annotations

from datetime import date

import pytest

from integrator.commands.scenario.leaves import _differences, expected
from integrator.commands.scenario.script import read
from integrator.commands.scenario.words import at, differences, filled
from integrator.errors import ConfigurationError

TODAY = date(2026, 2, 27)
TEXTS = {"nl": "x", "fr": "x", "en": "x"}


def test_a_name_that_nothing_has_is_said_and_not_left_standing() -> None:
    with pytest.raises(ConfigurationError, match="there is no 'ssin'"):
        filled({"a": ["${resident.ssin}"]}, {"resident": {}}, TODAY)


def test_days_are_counted_over_the_end_of_a_month() -> None:
    assert {"from": "2026-02-27", "until": "x 2026-03-01"} == filled(
        {"from": "${today}", "until": "x ${today+2}"}, {}, TODAY
    )


def test_what_stands_alone_keeps_its_type() -> None:
    assert {"n": 7, "list": [1]} == filled({"n": "${n}", "list": "${list}"}, {"n": 7, "list": [1]}, TODAY)


@pytest.mark.parametrize(
    ("wish", "answer"),
    [
        ({"eligible": "yes"}, {"eligible": "unknown"}),
        ({"items": []}, {"items": [1]}),
        ({"items": [{"a": 1}]}, {"items": [{"a": 2}]}),
        ({"name": None}, {"name": "Ann"}),
        ({"id": "~[0-9a-f]{4}"}, {"id": "12345"}),
        ({"a": {"b": 1}}, {"a": 1}),
        ({"a": 1}, {}),
        ([1, 2], [2, 1]),
        (1, True and 2),
    ],
    ids=[
        "other",
        "more items",
        "other item",
        "should be absent",
        "not the whole",
        "no mapping",
        "left out",
        "order",
        "number",
    ],
)
def test_an_answer_that_differs_is_said(wish: object, answer: object) -> None:
    assert [] != list(differences(wish, answer))


def test_what_is_there_beside_the_expected_is_no_difference() -> None:
    assert [] == list(differences({"a": {"b": "~x+"}, "c": None}, {"a": {"b": "xx", "d": 1}, "e": 2}))


def test_a_path_that_leads_nowhere_is_said() -> None:
    for path in ("b", "a.1", "a.0.c.d"):
        with pytest.raises(ConfigurationError):
            at(path, {"a": [{"c": "text"}]})


def test_an_entry_too_many_and_one_too_few_are_both_said() -> None:
    wish = expected([{"organisation": "ixelles", "about": "person.get", "intent": 2, "outcome": "1+"}])
    key = ("ixelles", "person.get")

    assert [] == list(_differences(wish, {(*key, "intent"): 2, (*key, "outcome"): 5}))
    assert 1 == len(list(_differences(wish, {(*key, "intent"): 1, (*key, "outcome"): 1})))
    assert 1 == len(list(_differences(wish, {(*key, "intent"): 2, (*key, "outcome"): 1, (*key, "denied"): 1})))
    assert 1 == len(list(_differences(wish, {(*key, "intent"): 2})))


@pytest.mark.parametrize(
    "step", [{"say": TEXTS}, {"say": TEXTS, "heal": "div", "pause": 1}], ids=["nothing", "two at once"]
)
def test_a_step_is_exactly_one_thing(step: dict[str, object]) -> None:
    case = {"title": TEXTS, "steps": [step], "leaves": []}
    with pytest.raises(ConfigurationError, match="main, step 1"):
        read("x.yaml", {"scenario": "x", "title": TEXTS, "story": TEXTS, "applications": {}, "cases": {"main": case}})
