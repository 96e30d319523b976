"""What a purpose says about showing is kept: at once, later, never, and not to relatives who could guess."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from audit.reports import Row
from integrator.consoles.disclosing import shows

DAY = 86_400_000_000
ROW = Row(
    "s",
    0,
    0,
    100 * DAY,
    "outcome",
    "t",
    "p",
    None,
    "person.get",
    "Ok",
    None,
    None,
    None,
    None,
    None,
    "urn:a",
    None,
    None,
)


@dataclass(frozen=True)
class Purpose:
    disclosure: dict[str, Any]
    activity: str = "urn:a"


def judge(rule: str, day: float, safe: bool = True):
    return shows({"a": Purpose({"rule": rule, "thirdPartySafe": safe})}, lambda: int(day * DAY))


@pytest.mark.parametrize(
    ("rule", "day", "seen"),
    [("immediate", 100, True), ("delayed(P30D)", 129.9, False), ("delayed(P30D)", 130, True), ("delayed(P1M)", 130, False),
     ("delayed(P1M)", 131, True), ("delayed(P1Y)", 465, False), ("withheld(investigation)", 99999, False), ("soon", 99999, False)],
)  # fmt: skip
def test_a_line_is_seen_when_its_purpose_says(rule: str, day: float, seen: bool) -> None:
    assert seen is judge(rule, day)(ROW)


def test_a_relative_does_not_learn_of_somebody_else_s_act() -> None:
    assert [True, False] == [judge("immediate", 100, safe=False)(replace(ROW, part=part)) for part in (0, 1)]


def test_a_relative_sees_what_is_safe_to_see() -> None:
    assert judge("immediate", 100)(replace(ROW, part=1))


def test_a_purpose_nobody_knows_any_more_hides_nothing() -> None:
    assert judge("withheld(x)", 100)(replace(ROW, activity="urn:old"))
