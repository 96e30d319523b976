"""The register of candidates counts a pseudonym once, and takes nothing in which a national number stands."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from mock_sources.packages.candidates import Candidates

ONE, TWO, NUMBER = "ps_" + "a" * 36, "ps_" + "b" * 36, "84651797654"


def event(name: str, candidate: str = ONE, rooms: Any = 2, **more: Any) -> dict[str, Any]:
    content = {"rooms": rooms, "since": "2026-11-20", **more}
    return {"id": name, "data": {"ssin": candidate, "sender": "1970000615", "content": content}}


@pytest.fixture
def register(tmp_path: Path) -> Candidates:
    return Candidates(tmp_path / "packages" / "candidates.db")


def enter(register: Candidates, *events: dict[str, Any]) -> dict[str, Any]:
    return asyncio.run(register.enter({"items": list(events)}))


def test_one_candidate_with_two_candidatures_is_counted_once(register: Candidates) -> None:
    assert {"new": 2, "known": 1, "again": 0} == enter(register, event("a"), event("b", rooms=3), event("c", TWO))
    assert {"candidates": 2, "candidatures": 3, "rooms": 4} == asyncio.run(register.register(""))


def test_a_candidature_that_comes_again_stands_there_once(register: Candidates) -> None:
    enter(register, event("a"))

    assert {"new": 0, "known": 0, "again": 1} == enter(register, event("a"))


@pytest.mark.parametrize(
    "wrong",
    [event("b", NUMBER), event("b", note=f"born as {NUMBER}"), event("b", rooms=0), event("b", rooms="many"), event("b", since="soon")],
    ids=["a-number", "a-number-in-a-text", "no-room", "no-figure", "no-day"],
)  # fmt: skip
def test_what_has_no_place_there_leaves_nothing_of_its_page(register: Candidates, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        enter(register, event("a"), wrong)

    assert 0 == asyncio.run(register.register(""))["candidatures"]
