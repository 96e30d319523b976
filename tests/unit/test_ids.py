"""Ids that stand in an address: none may be taken for the number of a person there."""

from __future__ import annotations

import secrets

import pytest

from integrator.api.headers import holds_number, new_trace
from integrator.ids import like_a_number, new_id

LOOKS_LIKE_ONE, DOES_NOT = "ab" + "71" * 5 + "2cdefabcdefa", "ab71ab71ab71ab71ab71abab"


def test_an_id_that_looks_like_a_number_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter((LOOKS_LIKE_ONE, DOES_NOT))
    monkeypatch.setattr(secrets, "token_hex", lambda size: next(drawn))

    assert holds_number(LOOKS_LIKE_ONE)
    assert DOES_NOT == new_id(12)


def test_no_trace_is_refused_where_it_is_asked_for_in_an_address() -> None:
    assert [] == [
        trace for trace in (new_trace({}).trace_id for _ in range(2_000)) if like_a_number(trace) or holds_number(trace)
    ]
