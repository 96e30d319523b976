"""The school's package ranks by the moment a form was sent, however the forms come in."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_sources.packages.school import SchoolDesk

CHILDREN = [f"{number:011}" for number in range(1, 7)]


def event(form: str, child: int, micro: int, school: str = "1520") -> dict[str, Any]:
    content = {"submittedAt": f"2027-02-01T09:00:00.{micro:06}Z", "form": form, "school": school, "year": "2027-2028"}
    return {"id": form, "data": {"ssin": CHILDREN[child], "content": content}}


def queue(desk: SchoolDesk, school: str = "1520") -> list[str]:
    return [one["form"] for one in asyncio.run(desk.queue(school))["queue"]]


def enter(desk: SchoolDesk, *events: dict[str, Any]) -> dict[str, Any]:
    return asyncio.run(desk.enter({"items": list(events)}))


@pytest.fixture
def desk(tmp_path: Path) -> SchoolDesk:
    return SchoolDesk(tmp_path / "packages" / "school.db")


FORMS = [("D", 0, 3), ("C", 1, 3), ("B", 2, 1), ("A", 3, 900), ("E", 4, 0)]


@settings(max_examples=30, deadline=None)
@given(st.permutations(FORMS))
def test_the_order_in_which_forms_come_changes_nothing(forms: list[tuple[str, int, int]]) -> None:
    with TemporaryDirectory() as folder:
        desk = SchoolDesk(Path(folder) / "school.db")
        for form in forms:
            enter(desk, event(*form))
        assert ["E", "B", "C", "D", "A"] == queue(desk)


def test_a_form_that_comes_twice_stands_there_once(desk: SchoolDesk) -> None:
    told = [enter(desk, event("A", 0, 1)) for _ in range(2)]

    assert [(1, 0), (0, 1)] == [(one["new"], one["known"]) for one in told]
    assert ["A"] == queue(desk)


@pytest.mark.parametrize("first", [("A", 0, 5), ("B", 0, 2)])
def test_of_two_forms_for_one_child_the_first_sent_counts(desk: SchoolDesk, first: tuple[str, int, int]) -> None:
    second = ("B", 0, 2) if first[0] == "A" else ("A", 0, 5)
    told = enter(desk, event(*first), event(*second))

    assert (1, 1, ["B"]) == (told["new"], told["doubles"], queue(desk))


def test_one_wrong_form_refuses_all_that_came_with_it(desk: SchoolDesk) -> None:
    wrong = event("B", 1, 1)
    wrong["data"]["content"]["submittedAt"] = "2027-02-01T09:00:00Z"

    with pytest.raises(ValueError, match="nobody could say"):
        enter(desk, event("A", 0, 1), wrong)
    with pytest.raises(ValueError, match="another enrolment"):
        enter(desk, event("A", 0, 1), event("A", 1, 1))
    assert [] == queue(desk)
