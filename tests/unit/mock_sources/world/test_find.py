"""The question language: what it finds, and how it says no."""

from __future__ import annotations

import pytest

from mock_sources.world import World
from mock_sources.world.find import QuestionError, compile_question, document, find
from mock_sources.world.subject import PROPERTIES, Subject


def slugs(world: World, question: str, limit: int = 100) -> list[str]:
    return [found["slug"] for found in find(world, question, limit, scan=0)]


@pytest.mark.parametrize(("question", "found"), [
    ('slug == "vrolijke-eekhoorn"', ["vrolijke-eekhoorn"]),
    ("household.size == 12", ["grote-mierenhoop"]),
    ('register == "RAD"', ["vergeten-rat"]),
    ('not known and ssin != "x" and slug in ["spook-zonder-spoor", "trotse-pauw"]', ["spook-zonder-spoor"]),
    ("100 <= age", ["wijze-schubvis"]),
    ('"822" in nationality', ["gevluchte-gazelle"]),
    ('"limit" in tags and cards.valid >= 2 and municipality == "21009"', ["buurman-das", "trage-schildpad"]),
    ('household.collective == "05"', ["zuster-bij"]),
    ("vehicles.leased == 1", ["gehuurde-gans"]),
    ("licence.withdrawn", ["lievre-trop-vite"]),
])  # fmt: skip
def test_a_question_finds_whom_it_describes(world: World, question: str, found: list[str]) -> None:
    assert found == sorted(slugs(world, question))


def test_an_empty_question_means_every_persona(world: World) -> None:
    assert list(world.personas) == slugs(world, "", limit=1000)


def test_personas_come_first_and_derived_people_follow(world: World) -> None:
    found = list(find(world, 'household.size >= 4 and municipality == "21009" and not minor', limit=4))

    assert found[0]["slug"] == "vrolijke-eekhoorn"
    assert len(found) == 4
    assert [(world.household_of(one["ssin"]) is not None) for one in found] == [True] * 4


def test_the_same_question_finds_the_same_people(world: World) -> None:
    question = "vehicles.count == 2 and not persona"

    assert list(find(world, question, 2)) == list(find(World.build(7), question, 2))


def test_no_more_than_the_limit_is_found(world: World) -> None:
    assert len(list(find(world, "persona", limit=2))) == 2


def test_looking_stops_after_the_scan(world: World) -> None:
    assert list(find(world, "age > 150", limit=1, scan=50)) == []


def test_what_somebody_has_not_is_less_than_nothing(world: World) -> None:
    assert "spook-zonder-spoor" not in slugs(world, "age < 200")
    assert "spook-zonder-spoor" not in slugs(world, 'municipality in "21009"')


@pytest.mark.parametrize(("question", "words"), [
    ("vehicles.colour == 1", "vehicles.colour.*there are: slug"),
    ("__import__('os').system('true')", "a call cannot be asked"),
    ("().__class__", "has no properties"),
    ("(lambda: 1)()", "a call"),
    ("[x for x in tags]", "ListComp"),
    ("tags[0] == 'x'", "an index"),
    ("age + 1 == 2", "a sum"),
    ("'a' * 10**9", "a sum"),
    ("age is None", "write =="),
    ("age = 3", "no question, at character"),
    ("(((", "no question"),
    ("[age] == tags", "a list holds only"),
    ("x" * 3000, "at most 2000"),
    ("not " * 60 + "minor", "levels deep"),
    ("\x00", "no question"),
])  # fmt: skip
def test_a_question_that_cannot_be_read_says_why(world: World, question: str, words: str) -> None:
    with pytest.raises(QuestionError, match=words):
        find(world, question)


def test_comparing_words_with_numbers_is_refused(world: World) -> None:
    with pytest.raises(QuestionError, match="cannot be compared"):
        list(find(world, 'age < "30"'))


def test_a_limit_below_one_is_refused(world: World) -> None:
    with pytest.raises(QuestionError, match="limit"):
        find(world, "persona", limit=0)


@pytest.mark.parametrize("name", list(PROPERTIES))
def test_every_property_can_be_asked_of_everybody(world: World, name: str) -> None:
    test = compile_question(name)

    for slug in ("vrolijke-eekhoorn", "spook-zonder-spoor", "laatste-hert", "mysterieuze-lynx", "bedrijvige-mier"):
        test(Subject(world, world.personas[slug]))
    test(Subject(world, index=1_000_000))


def test_what_is_shown_has_keys_to_ask_with_and_no_empty_words(world: World) -> None:
    shown = document(Subject(world, world.personas["bus-konijn"]))

    assert tuple(shown["address"][key] for key in ("houseNumber", "boxNumber", "postCode")) == ("12A", "B003", "1050")
    assert shown["plates"] == ["1AKN012"]
    assert None not in shown.values()
