"""Values made anew for every exchange: cheap to make, and still values."""

from __future__ import annotations

import pytest

from audit.draft import Draft
from audit.entry import Record
from integrator.contract import Question
from integrator.fixed import fixed
from integrator.model import Answer, Request, Trace
from integrator.policy import Ask
from integrator.recording import Call, Outcome


@fixed
class Pair:
    left: int
    right: int = 2


def test_it_is_compared_and_hashed_by_its_values() -> None:
    assert Pair(1) == Pair(1, 2) != Pair(2)
    assert {Pair(1), Pair(1, 2)} == {Pair(1)}


@pytest.mark.parametrize("kind", [Pair, Draft, Record, Question, Answer, Request, Trace, Ask, Call, Outcome])
def test_it_holds_nothing_but_what_was_said(kind: type) -> None:
    with pytest.raises(AttributeError):
        kind.__new__(kind).invented = 1
