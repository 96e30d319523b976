"""Reasons: what is said to turn a decision round does so, nothing less does, and it is told in three languages."""

from __future__ import annotations

import itertools
import json
import re
import string

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from integrator.api.openapi_parts import shared_schemas
from integrator.api.problems import Problems
from integrator.errors import PolicyDenied
from integrator.model import Trace
from integrator.policy import ADVICE, Ask, Denial, Permit, Policies
from integrator.policy.telling import LANGUAGES, change_text, changes_json, tell, words
from integrator.policy.why import _EFFORT, Change, nearest, turned, why
from tests.unit.policy.test_never import ASKS, FACTS, MOMENTS, NEW_YEAR, NUMBERS, OFFERS, SERVICES, WORLDS, engine

CASE = settings(deadline=None, max_examples=25)
ALONE = {"service": "person.get", "keys": ["ssin"], "fields": ["name", "home.box"]}
ENTRY = {
    "validFrom": "2026-01-01",
    "validUntil": "2026-12-31",
    "organisations": [NUMBERS[0]],
    "applications": ["counter"],
}


def world(**authorisation):
    return engine({"school": [{**ENTRY, "grants": [ALONE], **authorisation}]})


def ask(**changes):
    first = {
        "organisation": NUMBERS[0], "application": "counter", "purpose": "school", "service": "person.get",
        "keys": frozenset({"ssin"}), "offers": OFFERS,
    }  # fmt: skip
    return Ask(**(first | changes))


@CASE
@given(world=WORLDS, question=ASKS, now=MOMENTS, facts=FACTS)
def test_the_changes_named_turn_a_refusal_into_a_permit_and_fewer_do_not(world, question, now, facts):
    policies = engine(world)
    found = why(policies, question, now, facts)
    if isinstance(found.decision, Denial):
        if found.changes:
            assert isinstance(policies.decide(*turned(question, now, found.changes, facts)), Permit)
            assert found.by
        for fewer in range(len(found.changes)):
            for some in itertools.combinations(found.changes, fewer):
                assert isinstance(policies.decide(*turned(question, now, some, facts)), Denial)


@CASE
@given(world=WORLDS, question=ASKS, now=MOMENTS, facts=FACTS)
def test_a_permit_ends_on_the_day_it_says_and_falls_with_the_lines_it_names(world, question, now, facts):
    policies = engine(world)
    found = why(policies, question, now, facts)
    if isinstance(found.decision, Permit):
        (change,) = found.changes  # every authorisation of these worlds has an end
        lines = [grant for service in SERVICES for grant in policies.of_service(service)]

        named = [grant for grant in lines if grant.id in found.by]
        if not any(
            grant.conditions and grant.conditions.hours for grant in lines
        ):  # else the hour of that day may matter too
            assert isinstance(policies.decide(*turned(question, now, found.changes, facts)), Denial)
            assert isinstance(policies.decide(question, change.moment - 1, facts), Permit)
        assert all(grant.starts <= now < grant.ends for grant in named)
        left = Policies(policies.purposes, [grant for grant in lines if grant.id not in found.by])
        assert isinstance(left.decide(question, now, facts), Denial)
        assert found.decision.grant.id == found.by[0]


def test_nothing_near_is_said_as_such():
    found = why(world(), ask(service="household.get"), NEW_YEAR)

    assert ((), ()) == (found.changes, found.by)
    assert "No authorisation gives this service" in tell(found, ask(), "en")[-1]


@pytest.mark.parametrize(
    ("wound", "kind", "was", "to"),
    [
        ({"keys": frozenset({"ssin", "plate"})}, "key", "plate", ()),
        ({"keys": frozenset({"plate"})}, "key", "plate", ("ssin",)),
        ({"fields": frozenset({"birth.date"})}, "field", "birth.date", ("home.box", "name")),
        ({"history": True}, "history", "", ()),
        ({"application": "mobile"}, "application", "mobile", ("counter",)),
        ({"purpose": "tax"}, "purpose", "tax", ("school",)),
        ({"organisation": NUMBERS[1]}, "organisation", NUMBERS[1], (NUMBERS[0],)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_one_thing_wrong_is_the_one_thing_named(wound, kind, was, to):
    (change,) = nearest(world(), ask(**wound), NEW_YEAR)

    assert (kind, was, to) == (change.kind, change.was, change.to)


@pytest.mark.parametrize(("moment", "day"), [(NEW_YEAR - 1, "2026-01-01"), (NEW_YEAR + 365 * 86_400, "2026-12-31")])
def test_out_of_its_term_the_nearest_day_is_named(moment, day):
    (change,) = nearest(world(), ask(), moment)

    assert ("date", (day,)) == (change.kind, change.to)


def test_data_that_only_serve_an_answer_are_asked_by_the_answer():
    policies = world(grants=[{**ALONE, "use": "answersOnly"}])

    assert ["use"] == [change.kind for change in nearest(policies, ask(), NEW_YEAR)]


def test_a_withheld_field_says_for_which_purpose_it_is_given():
    policies = engine(
        {
            "school": [{**ENTRY, "grants": [ALONE]}],
            "tax": [{**ENTRY, "grants": [{**ALONE, "fields": ["birth"]}]}],
        }
    )
    question = ask(fields=frozenset({"name", "birth.date", "nameCode"}))
    found = why(policies, question, NEW_YEAR)

    assert [("birth.date", ("tax",)), ("nameCode", ())] == [(one.withheld.field, one.elsewhere) for one in found.kept]
    assert "Niet gegeven: birth.date. Het hoort bij een ander doel: tax." in tell(found, question, "nl")


def test_a_caller_is_never_told_which_organisation_does_have_the_right():
    told = changes_json(nearest(world(), ask(organisation=NUMBERS[1]), NEW_YEAR))

    assert NUMBERS[0] not in str(told)
    assert [("organisation", NUMBERS[1])] == [(one["kind"], one["from"]) for one in told]


def test_what_a_caller_reads_of_a_refusal_is_as_the_description_says():
    changes = changes_json(nearest(world(), ask(keys=frozenset({"plate"}), history=True), NEW_YEAR))
    denied = PolicyDenied("KEY_NOT_GRANTED", rule="school@2026-0", advice="x", changes=changes)
    problems = Problems("https://hub.example")
    body = json.loads(problems.render(denied, Trace("1" * 32, "2" * 16)).body)
    schemas = {"components": {"schemas": shared_schemas(problems)}}

    Draft202012Validator(schemas | {"$ref": "#/components/schemas/PermissionProblem"}).validate(body)
    assert ["key", "history"] == [change["kind"] for change in body["changes"]]
    assert "school@2026-0" == body["rule"]


def _sentences(node, path=()):
    if set(LANGUAGES) & set(node):
        yield path, node
    else:
        for key, below in node.items():
            yield from _sentences(below, (*path, key))


@pytest.mark.parametrize(("path", "texts"), [pytest.param(*one, id=".".join(one[0])) for one in _sentences(words())])
def test_a_sentence_stands_in_three_languages_with_the_same_blanks(path, texts):
    blanks = {frozenset(name for _, name, _, _ in string.Formatter().parse(text) if name) for text in texts.values()}

    assert set(LANGUAGES) == set(texts)
    assert 1 == len(blanks)
    assert 3 == len(set(texts.values()))


def test_every_reason_and_every_change_can_be_told():
    told = {change_text(Change(kind, "x", ("y",)), language) for kind in _EFFORT for language in LANGUAGES}

    assert set(ADVICE) == set(words()["reasons"])
    assert 3 * len(_EFFORT) == len(told)
    assert not [text for text in told if re.search(r"[{}]", text)]


@CASE
@given(world=WORLDS, question=ASKS, now=MOMENTS, facts=FACTS)
def test_every_decision_can_be_told_in_every_language(world, question, now, facts):
    found = why(engine(world), question, now, facts)

    for language in LANGUAGES:
        assert not [text for text in tell(found, question, language) if re.search(r"[{}]|None", text)]
