"""The language of checks: three answers, and never a false no."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrator.errors import ConfigurationError
from integrator.rules import compile_binding, compile_rule, kleene_all, kleene_any, word
from integrator.scope import PartAnswer, Scope, Unknown

MEMBERS = {
    "members": [{"ssin": "A"}, {"ssin": "B"}],
    "address": {"postCode": "1050", "streetName": "Rue de l'Été", "houseNumber": "012"},
}
PLACE = {
    "items": [{"postCode": "1050", "streetName": {"nl": "Zomerstraat", "fr": "Rue de l’Ete"}, "houseNumber": "12"}]
}


def verdict(rule, *, keys=None, **parts):
    answers = {name: part if isinstance(part, PartAnswer) else PartAnswer(part) for name, part in parts.items()}
    return word(compile_rule(rule)(Scope(keys or {}, {"limit": 2}, "2026-11-23", answers)))


FAILED, NOT_FOUND = PartAnswer(state="failed"), PartAnswer(state="notFound")


@pytest.mark.parametrize(
    ("expected", "rule", "parts"),
    [
        ("yes", {"absent": "person.deathDate"}, {"person": {"name": "x"}}),
        ("no", {"absent": "person.deathDate"}, {"person": {"deathDate": "2020-01-01"}}),
        ("unknown", {"absent": "person.deathDate"}, {"person": FAILED}),
        ("unknown", {"absent": "person.deathDate"}, {"person": NOT_FOUND}),
        ("no", {"present": "person.deathDate"}, {"person": NOT_FOUND}),
        ("yes", {"notEmpty": "place.items"}, {"place": PLACE}),
        ("no", {"notEmpty": "place.items"}, {"place": {"items": []}}),
        ("yes", {"some": {"in": "household.members", "where": {"equal": ["ssin", {"value": "B"}]}}}, {"household": MEMBERS}),
        ("no", {"some": {"in": "household.members", "where": {"equal": ["ssin", {"value": "C"}]}}}, {"household": MEMBERS}),
        ("unknown", {"some": {"in": "household.members", "where": {"equal": ["ssin", {"value": "C"}]}}}, {"household": PartAnswer(MEMBERS, "incomplete")}),
        ("yes", {"below": ["cards.count", "$parameters.limit"]}, {"cards": {"count": 1}}),
        ("no", {"below": ["cards.count", "$parameters.limit"]}, {"cards": {"count": 2}}),
        ("unknown", {"below": ["cards.count", "$parameters.limit"]}, {"cards": FAILED}),
        ("yes", {"sameAddress": ["household.address", "place.items.0"]}, {"household": MEMBERS, "place": PLACE}),
        ("yes", {"count": {"of": "household.members", "atLeast": 2}}, {"household": MEMBERS}),
        ("unknown", {"count": {"of": "household.members", "below": 3}}, {"household": PartAnswer(MEMBERS, "incomplete")}),
        ("no", {"count": {"of": "household.members", "below": 2}}, {"household": PartAnswer(MEMBERS, "incomplete")}),
        ("yes", {"before": ["person.born", "$today"]}, {"person": {"born": "1961-00-00"}}),
        ("unknown", {"before": ["person.born", {"value": "1961-06-01"}]}, {"person": {"born": "1961-00-00"}}),
        ("yes", {"oneOf": ["vehicle.status", "REG", "NOR"]}, {"vehicle": {"status": "REG"}}),
        ("no", {"not": {"present": "vehicle.status"}}, {"vehicle": {"status": "REG"}}),
    ],
)  # fmt: skip
def test_a_rule_answers(expected, rule, parts):
    assert expected == verdict(rule, **parts)


@pytest.mark.parametrize(
    "other", [{"houseNumber": "13"}, {"boxNumber": "2"}, {"postCode": "1060"}, {"streetName": "Rue de l’Hiver"}]
)
def test_an_address_that_differs_in_one_thing_is_another_address(other):
    asked = MEMBERS["address"] | other

    assert "no" == verdict(
        {"sameAddress": ["household.address", "place.items.0"]}, household={"address": asked}, place=PLACE
    )


def test_one_no_beats_an_unknown_but_a_yes_does_not():
    assert "no" == verdict({"all": [{"present": "a.x"}, {"present": "b.x"}]}, a=FAILED, b={})
    assert "unknown" == verdict({"all": [{"present": "a.x"}, {"present": "b.x"}]}, a=FAILED, b={"x": 1})


def test_a_binding_that_rests_on_a_failed_part_says_so():
    bind = compile_binding({"street": "household.address.street"})
    with pytest.raises(Unknown):
        bind(Scope({}, {}, "2026-11-23", {"household": FAILED}))


@pytest.mark.parametrize(
    "rule", [{"maybe": "x"}, {"all": []}, {"any": []}, {"present": "a", "absent": "b"}, {"count": {"of": "a.b"}}]
)
def test_a_rule_that_decides_nothing_stops_the_start(rule):
    with pytest.raises(ConfigurationError):
        compile_rule(rule)


VERDICTS = st.lists(st.sampled_from([True, False, None]), min_size=1)


@given(VERDICTS)
def test_learning_more_never_turns_a_known_answer_round(verdicts):
    for known in (True, False):
        learned = [known if one is None else one for one in verdicts]
        if kleene_all(verdicts) is not None:
            assert kleene_all(verdicts) == kleene_all(learned)
        if kleene_any(verdicts) is not None:
            assert kleene_any(verdicts) == kleene_any(learned)
