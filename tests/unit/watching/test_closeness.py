"""Each code has somebody who is near and somebody who only looks so."""

from __future__ import annotations

import doctest
from pathlib import Path
from typing import Any

import pytest

from integrator.watching import happenings, tags
from integrator.watching.closeness import Closeness
from integrator.watching.tags import Tagger
from tests.unit.watching.rig import AGENT_NUMBER, HOME, OTHER_ORG, SUBJECT, THIRD, Agents, caller, tagger

ABOUT = ("nrn", SUBJECT)
FRENCH = HOME | {"streetName": {"nl": "Voorbeeldstraat", "fr": "Rue de l’Exemple"}}


@pytest.fixture
def keyed(tmp_path: Path) -> Tagger:
    return tagger(tmp_path / "keys")


def seen(
    keyed: Tagger, *, people: Any = (), values: Any = None, about: Any = ABOUT, who: Any = None, **known: Any
) -> set[str]:
    agents = Agents(keyed, **known)
    return set(
        Closeness(keyed, agents, agents, common=["Peeters"]).of_answer(who or caller(), about, people, values or {})
    )


def test_the_words_of_the_modules_are_true() -> None:
    assert [0, 0] == [doctest.testmod(one).failed for one in (tags, happenings)]


def test_who_looks_up_themself_is_seen_before_the_source_is_asked(keyed: Tagger) -> None:
    agents = Agents(keyed, number=SUBJECT)

    assert {"SELF"} == Closeness(keyed, agents).of_question(caller(), ABOUT)


@pytest.mark.parametrize(
    ("who", "about"),
    [(caller(None), ABOUT), (caller("a.2"), ABOUT), (caller(), ("nrn", THIRD)), (caller(), ("cbe", SUBJECT)), (caller(), None)],
    ids=["no agent", "another agent", "another person", "an enterprise with the same digits", "nobody"],
)  # fmt: skip
def test_nobody_else_is_taken_for_themself(keyed: Tagger, who: Any, about: Any) -> None:
    agents = Agents(keyed, number=SUBJECT)

    assert set() == Closeness(keyed, agents).of_question(who, about)
    assert "SELF" not in Closeness(keyed, agents).of_answer(who, about, [], {})


def test_oneself_is_oneself_and_not_also_a_namesake(keyed: Tagger) -> None:
    assert {"SELF"} == seen(keyed, number=SUBJECT, surname="Maes-Vos", values={"familyName": "Maes-Vos"})


@pytest.mark.parametrize(
    ("role", "code"),
    [("household-member", "SAME_HOUSEHOLD"), ("reference-person", "SAME_HOUSEHOLD"), ("spouse", "FAMILY"), ("former-spouse", "FAMILY"),
     ("partner", "FAMILY"), ("parent", "FAMILY"), ("holder", None), ("driver", None), ("found", None), ("", None)],
)  # fmt: skip
def test_who_stands_in_the_answer_is_near_as_what_they_stand_there(keyed: Tagger, role: str, code: str | None) -> None:
    people = [(SUBJECT, "data-subject"), (THIRD, role), (AGENT_NUMBER, role)]

    assert ({code} if code else set()) == seen(keyed, number=AGENT_NUMBER, people=people)
    assert set() == seen(keyed, number=AGENT_NUMBER, people=people[:2])


@pytest.mark.parametrize(
    ("given", "found"), [("MAËS  vos", {"SAME_SURNAME"}), ("Vos", set()), (None, set()), ("", set())]
)
def test_a_rare_surname_is_compared_without_case_and_accents(keyed: Tagger, given: Any, found: set[str]) -> None:
    assert found == seen(keyed, surname="Maes Vos", values={"familyName": given})


def test_a_surname_that_many_bear_says_nothing(keyed: Tagger) -> None:
    assert set() == seen(keyed, surname="Peeters", values={"familyName": "PEETERS"})


def test_the_same_surname_of_somebody_among_many_found_says_nothing(keyed: Tagger) -> None:
    assert set() == seen(keyed, surname="Vos", about=None, values={"items": [{"familyName": "Vos"}]})


@pytest.mark.parametrize(
    ("address", "found"),
    [(HOME, {"SAME_ADDRESS"}), (FRENCH, {"SAME_ADDRESS"}), (HOME | {"boxNumber": "4"}, set()), (HOME | {"houseNumber": "14"}, set()),
     ({"postCode": "1050", "streetName": "Voorbeeldstraat"}, set()), (None, set()), ("hidden", set())],
    ids=["there", "there, in two languages", "the neighbour’s box", "the house beside", "a street only", "not given", "no record"],
)  # fmt: skip
def test_a_home_is_the_same_down_to_the_box(keyed: Tagger, address: Any, found: set[str]) -> None:
    assert found == seen(keyed, home=HOME, values={"address": address})


def test_colleagues_are_those_of_the_same_organisation(keyed: Tagger) -> None:
    agents = Agents(keyed)
    agents.staff = {keyed.person(SUBJECT)}
    closeness = Closeness(keyed, agents, agents)

    assert {"COLLEAGUE"} == closeness.of_answer(caller(), ABOUT, [], {})
    assert set() == closeness.of_answer(caller(org=OTHER_ORG), ABOUT, [], {})
    assert set() == closeness.of_answer(caller(), ("nrn", THIRD), [], {})


def test_two_hubs_tag_the_same_person_differently(tmp_path: Path) -> None:
    one, other = tagger(tmp_path / "one"), tagger(tmp_path / "other")

    assert one.person(SUBJECT) != other.person(SUBJECT)
    assert one.person(SUBJECT) == tagger(tmp_path / "one").person(SUBJECT)
