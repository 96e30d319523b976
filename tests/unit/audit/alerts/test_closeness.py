"""Who is near to whom is said in codes, and what is not known is near to nobody."""

from __future__ import annotations

import doctest

import pytest

from audit.alerts import closeness
from audit.alerts.closeness import About, flags

FULL = About("85610100147", "Peeters", "address-1", "household-1", "0207373429")


def test_the_examples_run() -> None:
    assert 0 == doctest.testmod(closeness).failed


def test_what_is_not_known_is_near_to_nobody() -> None:
    assert frozenset() == flags(About(), About())


def test_oneself_is_oneself_and_nothing_else() -> None:
    assert {"SELF"} == flags(FULL, FULL)


@pytest.mark.parametrize(
    ("same", "code"),
    [
        ("surname", "SAME_SURNAME"),
        ("address", "SAME_ADDRESS"),
        ("household", "SAME_HOUSEHOLD"),
        ("employer", "COLLEAGUE"),
    ],
)
def test_each_likeness_has_its_own_code(same: str, code: str) -> None:
    assert {code} == flags(FULL, About(**{same: getattr(FULL, same)}))


def test_a_surname_that_many_bear_is_no_likeness() -> None:
    assert frozenset() == flags(FULL, About(surname="PEETERS"), common=lambda surname: surname == "peeters")


@pytest.mark.parametrize(
    ("one", "other"), [("Van den  Broeck", "van den broeck"), ("Müller", "Muller"), ("STRAß", "strass")]
)
def test_a_surname_is_the_same_however_it_is_written(one: str, other: str) -> None:
    assert {"SAME_SURNAME"} == flags(About(surname=one), About(surname=other))
