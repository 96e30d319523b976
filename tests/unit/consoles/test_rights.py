"""The table of rights, read both ways: what each role may ask, and that it may ask nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from integrator.consoles.rights import LookRefused, may, questions
from tests.unit.consoles.desk import ANNA, AUDITOR, BERT, BRUSSELS, CITIZEN, DPO, HUB_DPO, IXELLES, PEOPLE

# Written out here by hand: a table that is only compared with itself proves nothing.
EVERYBODY = {"about", "exchange", "details", "proof"}
OFFICE = EVERYBODY | {
    *("by_agent", "dangling", "unknown", "failed", "denied", "denied_by_reason", "unused_fields", "field_use"),
    *("under_policy", "affected_subjects", "reads", "retention", "health"),
}
ALLOWED = {
    "citizen": EVERYBODY | {"day"},
    "dpo": OFFICE,
    "hub_dpo": OFFICE | {"erasures"},
    "auditor": {"proof", "reads", "erasures", "retention", "health"},
}
PAIRS = [(role, question) for role in ALLOWED for question in sorted(OFFICE | {"erasures", "day"})]


def test_the_table_has_no_question_that_is_not_tested() -> None:
    assert OFFICE | {"erasures", "day"} == set(questions())


@pytest.mark.parametrize(("role", "question"), [pair for pair in PAIRS if pair[1] in ALLOWED[pair[0]]])
def test_a_role_asks_what_is_its_own(role: str, question: str) -> None:
    assert role == may(PEOPLE[role], question).role


@pytest.mark.parametrize(("role", "question"), [pair for pair in PAIRS if pair[1] not in ALLOWED[pair[0]]])
def test_a_role_asks_nothing_else(role: str, question: str) -> None:
    with pytest.raises(LookRefused, match="NOT_YOUR_QUESTION"):
        may(PEOPLE[role], question)


@pytest.mark.parametrize("question", [*sorted(OFFICE), "no such question"])
def test_somebody_without_a_role_asks_nothing(question: str) -> None:
    with pytest.raises(LookRefused):
        may(replace(CITIZEN, roles=frozenset()), question)


@pytest.mark.parametrize("question", sorted(EVERYBODY))
def test_a_citizen_asks_only_about_himself(question: str) -> None:
    assert ANNA == may(CITIZEN, question, subject=ANNA).subject
    with pytest.raises(LookRefused, match="ONLY_YOURSELF"):
        may(CITIZEN, question, subject=BERT)


@pytest.mark.parametrize("question", sorted(EVERYBODY))
def test_a_citizen_needs_no_reason_and_sees_no_organisation_s_list(question: str) -> None:
    assert not may(CITIZEN, question).needs_reason
    with pytest.raises(LookRefused, match="ONLY_YOURSELF"):
        may(CITIZEN, question, org=IXELLES)


def test_a_citizen_who_is_nobody_in_particular_sees_nothing() -> None:
    with pytest.raises(LookRefused, match="ONLY_YOURSELF"):
        may(replace(CITIZEN, subject=None), "about")


@pytest.mark.parametrize("question", sorted(OFFICE - {"retention", "health"}))
def test_a_dpo_is_held_to_her_own_organisation(question: str) -> None:
    assert (IXELLES, IXELLES, True) == (
        may(DPO, question).org, may(DPO, question, org=IXELLES).org, may(DPO, question).needs_reason,
    )  # fmt: skip
    with pytest.raises(LookRefused, match="ONLY_YOUR_ORGANISATION"):
        may(DPO, question, org=BRUSSELS)


def test_a_dpo_of_no_organisation_sees_nothing() -> None:
    with pytest.raises(LookRefused, match="ONLY_YOUR_ORGANISATION"):
        may(replace(DPO, org=None), "about", subject=ANNA)


def test_the_hub_s_dpo_sees_every_organisation_and_says_why() -> None:
    right = may(HUB_DPO, "about", subject=BERT, org=BRUSSELS)

    assert ("all", BRUSSELS, BERT, True) == (right.scope, right.org, right.subject, right.needs_reason)


def test_an_auditor_says_why_too() -> None:
    assert may(AUDITOR, "reads").needs_reason


def test_a_dpo_who_looks_at_herself_does_so_as_a_citizen() -> None:
    both = replace(DPO, roles=frozenset({"citizen", "dpo"}), subject=ANNA)

    assert ["citizen", "dpo", "dpo"] == [
        may(both, "about", subject=ANNA).role, may(both, "about", subject=BERT).role, may(both, "exchange").role,
    ]  # fmt: skip


def test_a_role_can_be_chosen_but_not_invented() -> None:
    both = replace(DPO, roles=frozenset({"citizen", "dpo"}), subject=ANNA)

    assert "dpo" == may(both, "about", subject=ANNA, role="dpo").role
    with pytest.raises(LookRefused):
        may(both, "about", subject=ANNA, role="hub_dpo")
