"""Decisions: what is granted is given, everything else is denied with a reason that helps."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from integrator.errors import ConfigurationError
from integrator.policy import ADVICE, Ask, Denial, Permit, compile_policies, members

NOW = datetime(2026, 11, 23, tzinfo=UTC).timestamp()
OFFERS = frozenset({"familyName", "birthDate", "address", "address.postCode", "address.streetName"})
TEXT = {"nl": "x", "fr": "x", "en": "x"}
ORGANISATIONS = {
    "organisations": {"ixelles": {"number": "0207000010"}, "cpas": {"number": "0207000109"}},
    "groups": {"municipalities": ["ixelles"], "everyone": ["group:municipalities", "cpas"]},
}


def purpose(name: str = "school", **authorisation: Any) -> tuple[str, bytes]:
    entry = {
        "id": f"{name}@2026-1", "validFrom": "2026-01-01", "validUntil": "2026-12-31", "organisations": ["ixelles"],
        "grants": [{"service": "person.get", "keys": ["ssin"], "fields": ["familyName", "address.postCode"]}],
    } | authorisation  # fmt: skip
    data = {
        "purpose": name, "title": TEXT, "why": TEXT, "dpv": "dpv:ServiceProvision", "retention": "Y10", "legalBasis": "eu-gdpr:A6-1-e",
        "processingActivity": f"https://ropa.example/{name}/v1", "disclosure": {"rule": "immediate"}, "authorisations": [entry],
    }  # fmt: skip
    return f"{name}.yaml", yaml.safe_dump(data).encode()


def ask(**changes: Any) -> Ask:
    return Ask(**({
        "organisation": "0207000010", "application": "counter", "purpose": "school", "service": "person.get",
        "keys": frozenset({"ssin"}), "offers": OFFERS,
    } | changes))  # fmt: skip


def decide(question: Ask, *files: tuple[str, bytes], now: float = NOW) -> Permit | Denial:
    return compile_policies(list(files) or [purpose()], ORGANISATIONS).decide(question, now)


def test_without_a_wish_everything_granted_is_given_and_nothing_else():
    decision = decide(ask())

    assert frozenset({"familyName", "address.postCode"}) == decision.fields


def test_a_field_asked_and_not_granted_is_named_as_withheld():
    decision = decide(ask(fields=frozenset({"familyName", "birthDate"})))

    assert [("birthDate", "NOT_GRANTED")] == [(item.field, item.reason) for item in decision.withheld]
    assert frozenset({"familyName"}) == decision.fields


def test_asking_a_whole_record_gives_only_its_granted_part():
    decision = decide(ask(fields=frozenset({"address"})))

    assert frozenset({"address.postCode"}) == decision.fields


@pytest.mark.parametrize(
    ("wound", "reason"),
    [
        ({"purpose": "curiosity"}, "UNKNOWN_PURPOSE"),
        ({"organisation": "0207000109"}, "NO_AUTHORISATION"),
        ({"service": "household.get"}, "SERVICE_NOT_GRANTED"),
        ({"keys": frozenset({"ssin", "plateNumber"})}, "KEY_NOT_GRANTED"),
        ({"fields": frozenset({"birthDate"})}, "NOTHING_GRANTED"),
        ({"history": True}, "HISTORY_NOT_GRANTED"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_no_grant_allows_is_denied_with_a_reason_and_advice(wound, reason):
    decision = decide(ask(**wound))

    assert reason == decision.reason
    assert decision.advice == ADVICE[reason]


@pytest.mark.parametrize(
    ("authorisation", "reason"),
    [
        ({"validFrom": "2026-11-24"}, "NOT_YET_VALID"),
        ({"validUntil": "2026-11-22"}, "EXPIRED"),
        ({"applications": ["another"]}, "APPLICATION_NOT_NAMED"),
        (
            {"grants": [{"service": "person.get", "keys": ["ssin"], "fields": ["familyName"], "use": "answersOnly"}]},
            "ANSWERS_ONLY",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_grant_out_of_reach_is_denied_naming_the_authorisation(authorisation, reason):
    decision = decide(ask(), purpose(**authorisation))

    assert (reason, "school@2026-1") == (decision.reason, decision.rule)


def test_an_authorisation_holds_through_the_whole_of_its_last_day():
    last_second = datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC).timestamp()

    assert isinstance(decide(ask(), purpose(validUntil="2026-11-22"), now=last_second), Permit)
    assert "EXPIRED" == decide(ask(), purpose(validUntil="2026-11-22"), now=last_second + 1).reason


def test_a_permit_remembered_from_yesterday_does_not_outlive_its_authorisation():
    policies = compile_policies([purpose(validUntil="2026-11-23")], ORGANISATIONS)

    assert isinstance(policies.decide(ask(), NOW), Permit)
    assert "EXPIRED" == policies.decide(ask(), NOW + 86_400).reason


def test_an_answers_only_grant_serves_a_composition_and_nobody_else():
    grants = [{"service": "person.get", "keys": ["ssin"], "fields": ["familyName"], "use": "answersOnly"}]

    assert isinstance(decide(ask(part=True), purpose(grants=grants)), Permit)


def test_history_reaches_no_further_back_than_granted():
    grants = [{"service": "person.get", "keys": ["ssin"], "fields": ["address"], "historyYears": 5}]

    assert "2021-11-23" == decide(ask(history=True), purpose(grants=grants)).since


def test_the_cpas_never_rides_on_the_right_of_its_municipality():
    assert (
        "NO_AUTHORISATION"
        == decide(ask(organisation="0207000109"), purpose(organisations=["group:municipalities"])).reason
    )


def test_a_group_may_hold_groups():
    assert ["0207000010", "0207000109"] == members(["group:everyone"], ORGANISATIONS)


@pytest.mark.parametrize("named", ["group:nobody", "ghent", "12345"])
def test_an_authorisation_for_nobody_stops_the_start(named):
    with pytest.raises(ConfigurationError):
        compile_policies([purpose(organisations=[named])], ORGANISATIONS)


def test_a_grant_without_fields_is_no_grant_at_all():
    with pytest.raises(ConfigurationError, match="permits nothing"):
        compile_policies([purpose(grants=[{"service": "person.get", "keys": ["ssin"], "fields": []}])], ORGANISATIONS)


def test_a_purpose_named_unlike_its_file_stops_the_start():
    _, text = purpose("school")
    with pytest.raises(ConfigurationError, match="file's name"):
        compile_policies([("housing.yaml", text)], ORGANISATIONS)


def test_the_decision_names_the_digest_of_the_exact_text():
    first, second = decide(ask()), decide(ask(), purpose(validUntil="2026-12-30"))

    assert first.grant.digest != second.grant.digest


FIELDS = st.sets(st.sampled_from(sorted(OFFERS)), min_size=1)
KEYS = st.sets(st.sampled_from(["ssin", "plateNumber", "name"]), min_size=1)
GRANTS = st.lists(
    st.builds(
        lambda service, keys, fields, use, years: {"service": service, "keys": sorted(keys), "fields": sorted(fields), "use": use, "historyYears": years},
        st.sampled_from(["person.get", "household.get"]), KEYS, FIELDS, st.sampled_from(["release", "answersOnly"]), st.integers(0, 3),
    ),
    min_size=1, max_size=5,
)  # fmt: skip
ASKS = st.builds(
    lambda service, keys, fields, history, part: ask(service=service, keys=frozenset(keys), fields=fields and frozenset(fields), history=history, part=part),
    st.sampled_from(["person.get", "household.get"]), KEYS, st.none() | FIELDS, st.booleans(), st.booleans(),
)  # fmt: skip


@settings(deadline=None)
@given(grants=GRANTS, question=ASKS)
def test_a_permit_never_holds_a_field_or_key_outside_one_single_grant(grants, question):
    decision = decide(question, purpose(grants=grants))
    if isinstance(decision, Permit):
        assert question.keys <= decision.grant.keys
        assert all(
            any(name == granted or name.startswith(granted + ".") for granted in decision.grant.fields)
            for name in decision.fields
        )
        assert question.part or not decision.grant.answers_only


@settings(deadline=None)
@given(grants=GRANTS, question=ASKS, cut=st.integers(0, 4))
def test_removing_a_grant_never_permits_what_was_denied(grants, question, cut):
    fewer = grants[:cut] + grants[cut + 1 :]
    if fewer and isinstance(decide(question, purpose(grants=grants)), Denial):
        assert isinstance(decide(question, purpose(grants=fewer)), Denial)


def test_order_of_files_never_matters():
    files = [purpose("school"), purpose("housing"), purpose("tax", validUntil="2026-03-01")]
    questions = [ask(purpose=name) for name in ("school", "housing", "tax", "none")]

    decisions = {
        tuple(getattr(decide(question, *order), "reason", "permit") for question in questions)
        for order in itertools.permutations(files)
    }

    assert {("permit", "permit", "EXPIRED", "UNKNOWN_PURPOSE")} == decisions
