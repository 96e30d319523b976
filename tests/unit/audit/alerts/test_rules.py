"""What each rule minds, what it does not, and what the rules' own file may say."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from audit.alerts import Judge, Known, Rules, RulesInvalid
from tests.unit.audit.alerts.conftest import DAY, MINUTE, MORNING, ROOT, a_look, shipped
from tests.unit.audit.alerts.month import LASTING, SINGLE, Month

Found = Callable[..., list[tuple[str, int]]]
SCHEMA = json.loads((ROOT / "config" / "schema" / "alerts.schema.json").read_text())


def test_the_shipped_rules_fit_their_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(shipped(), SCHEMA)


def test_a_threshold_that_is_missing_is_found_by_the_schema_and_at_start() -> None:
    rules = shipped()
    del rules["rules"]["ENUMERATION"]["run"]

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(rules, SCHEMA)
    with pytest.raises(RulesInvalid, match="ENUMERATION: `run`"):
        Rules.read(rules)


@pytest.mark.parametrize(
    "wound",
    [
        {"kind": "magic"},
        {"severity": "?"},
        {"title": {"en": "x"}},
        {"explained_by": ["because"]},
        {"rate": True},
        {"rate": -1},
    ],
    ids=lambda wound: next(iter(wound)),
)
def test_a_rule_that_cannot_be_used_is_refused(wound: dict[str, Any]) -> None:
    rules = shipped()["rules"]["RANDOM_SAMPLE"] | wound

    with pytest.raises(RulesInvalid):
        Rules.read({"rules": {"RANDOM_SAMPLE": rules}})


def test_no_rules_are_no_reassurance() -> None:
    with pytest.raises(RulesInvalid):
        Rules.read({"rules": {}})


def test_an_ordinary_look_is_nothing(found: Found) -> None:
    assert [] == found([a_look()])


def test_a_person_on_the_list_is_always_asked_about(found: Found) -> None:
    assert [("PROTECTED_PERSON", 3)] == found(
        [a_look(3)], protected=lambda tag: tag == a_look(3).tags[0], open_case=lambda look: True
    )


def test_looking_oneself_up_is_not_explained_by_a_case(found: Found) -> None:
    assert [("OWN_DATA", 0)] == found([a_look(flags=frozenset(["SELF"]))], open_case=lambda look: True)


@pytest.mark.parametrize("reason", ["open_case", "registration"])
def test_a_neighbour_with_a_plain_reason_is_no_alert(found: Found, reason: str) -> None:
    look = a_look(flags=frozenset(["SAME_ADDRESS"]))

    assert [("CLOSE_TO_AGENT", 0)] == found([look])
    assert [] == found([look], **{reason: lambda look: True})


def test_a_citizen_s_own_session_explains_who_is_near(found: Found) -> None:
    assert [] == found([a_look(flags=frozenset(["SAME_SURNAME"]), self_service=True)])


@pytest.mark.parametrize(("days", "expected"), [(29, []), (31, ["AFTER_CASE_CLOSED"])])
def test_a_closed_case_is_no_reason_after_a_month(found: Found, days: int, expected: list[str]) -> None:
    assert expected == [rule for rule, _ in found([a_look()], case_closed=lambda look: look.ts - days * DAY)]


@pytest.mark.parametrize(("days", "expected"), [(179, []), (181, ["AFTER_DEATH"])])
def test_a_death_long_ago_asks_for_a_case(found: Found, days: int, expected: list[str]) -> None:
    assert expected == [rule for rule, _ in found([a_look()], death=lambda look: look.ts - days * DAY)]
    assert [] == found([a_look()], death=lambda look: look.ts - days * DAY, open_case=lambda look: True)


@pytest.mark.parametrize(("days", "expected"), [(364, []), (366, ["AFTER_MOVE"])])
def test_who_long_since_lives_elsewhere_asks_for_a_reason(found: Found, days: int, expected: list[str]) -> None:
    assert expected == [rule for rule, _ in found([a_look()], move=lambda look: look.ts - days * DAY)]
    for reason in ("open_case", "registration", "recent_mutation"):
        assert [] == found([a_look()], move=lambda look: look.ts - days * DAY, **{reason: lambda look: True})


def searches(opened: int, *, count: int = 12, minutes: int = 1, **more: Any) -> list[Any]:
    """So many searches an hour apart, of which the first few are followed by a look at who was found."""
    looks = []
    for number in range(count):
        ts = MORNING + number * 60 * MINUTE
        looks.append(a_look(2 * number, who=number, ts=ts, name="person.search", **more))
        if number < opened:
            looks.append(a_look(2 * number + 1, who=number, ts=ts + minutes * MINUTE, **more))
    return looks


def browsing(found: Found, looks: list[Any]) -> list[tuple[str, int]]:
    return [
        one
        for one in found(looks, open_case=lambda look: True, has_case=lambda look: True)
        if one[0] == "NAME_BROWSING"
    ]


def test_searching_by_name_without_opening_anybody_is_one_alert_a_day(found: Found) -> None:
    assert [("NAME_BROWSING", 22)] == browsing(found, searches(0))
    assert [("NAME_BROWSING", 22)] == browsing(found, searches(3))


@pytest.mark.parametrize(
    "looks",
    [searches(4), searches(0, count=11), searches(0, self_service=True)],
    ids=["a third is opened", "hardly any", "the citizen’s own session"],
)
def test_searching_as_part_of_the_work_is_none(found: Found, looks: list[Any]) -> None:
    assert [] == browsing(found, looks)


def test_a_look_much_later_or_at_somebody_else_opens_no_search(found: Found) -> None:
    assert [("NAME_BROWSING", 22)] == browsing(found, searches(9, minutes=31))


def test_one_look_opens_one_search(found: Found) -> None:
    """Who searches the same person twelve times and opens them once has not opened twelve."""
    looks = [a_look(number, who=1, ts=MORNING + number * MINUTE, name="person.search") for number in range(12)]

    assert [("NAME_BROWSING", 11)] == browsing(found, [*looks, a_look(12, who=1, ts=MORNING + 20 * MINUTE)])


def numbers(look: Any) -> int:
    return 610_101_000 + int.from_bytes(look.tags[0], "big") * 2


def test_numbers_one_after_the_other_are_one_alert(found: Found) -> None:
    assert [("ENUMERATION", 5)] == found([a_look(index, agent=None) for index in range(30)], ordinal=numbers)


def test_the_same_numbers_in_any_order_are_found(found: Found) -> None:
    looks = [a_look(index, agent=None, who=who) for index, who in enumerate((5, 2, 0, 4, 1, 3))]

    assert [("ENUMERATION", 5)] == found(looks, ordinal=numbers)


@pytest.mark.parametrize(
    "why", ["spread over hours", "two applications", "one person again and again", "numbers far apart"]
)
def test_what_only_resembles_an_enumeration_is_nothing(found: Found, why: str) -> None:
    change: dict[str, Callable[[int], dict[str, Any]]] = {
        "spread over hours": lambda n: {"ts": MORNING + n * 5 * MINUTE},
        "two applications": lambda n: {"app": f"app-{n % 2}"},
        "one person again and again": lambda n: {"who": 1},
        "numbers far apart": lambda n: {"who": n * 9},
    }

    assert [] == found([a_look(n, agent=None, **change[why](n)) for n in range(9)], ordinal=numbers)


def test_a_refused_attempt_counts_for_no_window(found: Found) -> None:
    assert [] == found([a_look(n, agent=None, ok=False) for n in range(9)], ordinal=numbers)


def test_very_many_persons_in_an_hour_is_scraping_once(found: Found) -> None:
    looks = [a_look(n, agent=None, app="report", who=n * 10) for n in range(900)]

    assert [("SCRAPING", 400)] == found(looks)


def test_an_application_that_rightly_asks_much_is_named_in_the_rules() -> None:
    data = shipped()
    data["rules"]["SCRAPING"]["applications"] = {"report": 2_000}
    judge = Judge(Rules.read(data), Known())

    assert [] == [one for n in range(900) for one in judge.look(a_look(n, agent=None, app="report", who=n * 10))]


def test_a_look_about_very_many_fills_a_window_and_no_memory() -> None:
    judge = Judge(Rules.read(shipped()), Known())
    many = tuple(n.to_bytes(16, "big") for n in range(1_000))
    found = [one.rule for n in range(20) for one in judge.look(a_look(n, agent=None, tags=many))]

    assert ["SCRAPING"] == found


def day(agent: int, count: int, start: int, at: int = MORNING, **more: Any) -> list[Any]:
    return [a_look(start + n, agent=agent, ts=at + n * 2 * MINUTE, **more) for n in range(count)]


def test_who_does_far_more_than_colleagues_stands_out(found: Found) -> None:
    colleagues = [look for agent in range(2, 9) for look in day(agent, 8, agent * 1_000)]
    looks = sorted(colleagues + day(1, 120, 0), key=lambda look: look.ts)

    assert [("UNUSUAL_VOLUME", 119), ("UNUSUAL_BREADTH", 119)] == found(looks, has_case=lambda look: True)


def test_a_day_that_is_busy_for_everybody_is_nothing(found: Found) -> None:
    looks = sorted(
        [look for agent in range(1, 9) for look in day(agent, 110 + agent, agent * 1_000)], key=lambda look: look.ts
    )

    assert [] == found(looks, has_case=lambda look: True)


def test_work_that_is_explained_is_not_scored(found: Found) -> None:
    assert [] == found(day(1, 200, 0), open_case=lambda look: True)


def test_one_agent_looked_up_often_is_volume_not_breadth(found: Found) -> None:
    assert ["UNUSUAL_VOLUME"] == [rule for rule, _ in found(day(1, 150, 0, who=7), has_case=lambda look: True)]


def test_a_night_shift_of_one_stands_out_by_brussels_time(found: Found) -> None:
    ten_at_night = MORNING + 13 * 60 * MINUTE  # 21:00 UTC in winter

    assert ["NIGHT"] == [rule for rule, _ in found(day(1, 9, 0, ten_at_night), has_case=lambda look: True)]
    assert [] == found(day(1, 9, 0, ten_at_night - 60 * MINUTE), has_case=lambda look: True)


def test_looks_without_a_case_add_up(found: Found) -> None:
    assert ["WITHOUT_CASE"] == [rule for rule, _ in found(day(1, 21, 0))]
    assert [] == found(day(1, 21, 0), has_case=lambda look: True)


def test_days_are_counted_apart(found: Found) -> None:
    looks = day(1, 15, 0) + day(1, 15, 100, MORNING + DAY)

    assert [] == found(looks)


@pytest.mark.parametrize(("leaf", "expected"), [(b"\x00" * 32, [("RANDOM_SAMPLE", 0)]), (b"\x00\x41" + b"\x00" * 30, [("RANDOM_SAMPLE", 0)]), (b"\x00\x42" + b"\x00" * 30, [])], ids=["lowest", "inside", "outside"])  # fmt: skip
def test_a_sample_is_drawn_by_the_leaf(found: Found, leaf: bytes, expected: list[tuple[str, int]]) -> None:
    assert expected == found([a_look(leaf=leaf)])


def test_a_look_drawn_twice_is_the_same_finding(rules: Rules) -> None:
    first, second = (next(Judge(rules).look(a_look(leaf=bytes(32)))).id for _ in range(2))

    assert first == second


def test_reasons_are_asked_only_when_a_rule_needs_them(found: Found) -> None:
    def never(look: Any) -> bool:
        raise AssertionError("a look without an agent and without a flag needs no reason")

    assert [] == found([a_look(agent=None)], open_case=never, registration=never, recent_mutation=never)


def test_a_month_s_misuse_is_found_and_ordinary_work_is_left_alone(rules: Rules) -> None:
    month = Month()
    findings = month.judge(rules)
    false = month.false(findings)
    print(f"{len(month.looks)} looks, {len(findings)} alerts; found {month.found(findings)}; false {false}")

    assert SINGLE | LASTING == month.found(findings)
    assert sum(false.values()) < len(month.looks) / 1_000
    assert 0.5 < sum(one.rule == "RANDOM_SAMPLE" for one in findings) / (len(month.looks) / 1_000) < 1.5
