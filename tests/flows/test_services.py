"""Every service, for every purpose that may ask it, over real HTTP and with real signatures to the sources.

Three things hold of each answer: it has the form that /openapi.json promises and nothing besides, exactly the entries it
names were added to the ledger, and those entries say what happened to whom.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from integrator.commands.sandbox import Sandbox
from tests.flows.ledgers import Book
from tests.flows.questions import BODIES, DOSSIER, SERVICES, Granted, elsewhere, granted, leaves, the
from tests.flows.sandboxes import Callers, Reply

GRANTED = granted()
NUMBER = re.compile(r"\d{11}")


@pytest.fixture(scope="module")
def described(hub: Sandbox) -> dict[str, Any]:
    document: dict[str, Any] = httpx.get(f"{hub.hub}/openapi.json", trust_env=False).json()
    return document


@pytest.fixture(scope="module")
def exchanges(doors: Callers, ledger: Book) -> dict[str, tuple[Reply, list[dict[str, Any]]]]:
    """Each granted question asked once: the reply, and every entry that the ledger gained meanwhile."""
    done = {}
    for one in GRANTED:
        prepare(doors, one)
        before = ledger.size()
        reply = doors.ask(
            one.service.name, with_address(doors, one), purpose=one.purpose, organisation=one.organisation
        )
        gained = ledger.since(before)
        if one.service.name == "address.get":
            gained = gained[2:]  # of the search that told the number
        done[one.id] = reply, gained
    return done


def prepare(doors: Callers, one: Granted) -> None:
    """What must have happened before: nobody lists or ends a registration that was not made."""
    room, _, act = one.service.name.rpartition(".")
    if room.startswith("directory") and act != "register":
        made = the(f"{room}.register", one.purpose)
        doors.ask(made.service.name, made.question, purpose=made.purpose, organisation=made.organisation)


def with_address(doors: Callers, one: Granted) -> Mapping[str, Any]:
    """The question; the number of an address is what a search for it says."""
    if one.service.name != "address.get":
        return one.question
    place = {"postCode": "1050", "streetName": "Voorbeeldstraat", "houseNumber": "12"}
    found = doors.ask("address.search", place, purpose=one.purpose, organisation=one.organisation)
    return {**one.question, "addressId": found.body["items"][0]["addressId"]}


every_grant = pytest.mark.parametrize("one", GRANTED, ids=lambda one: one.id)
Exchanges = dict[str, tuple[Reply, list[dict[str, Any]]]]


def test_no_service_is_there_that_nobody_may_ask():
    assert {name for name, one in SERVICES.items() if not elsewhere(one)} == {one.service.name for one in GRANTED}


@every_grant
def test_the_answer_has_the_form_that_was_promised(one: Granted, exchanges: Exchanges, described: dict[str, Any]):
    reply, _ = exchanges[one.id]
    assert (200, "application/json") == (reply.status, reply.headers["content-type"])

    schema = promised(described, one.service.name)

    assert [] == [error.message for error in Draft202012Validator(schema).iter_errors(reply.body)]


@every_grant
def test_the_answer_is_not_empty(one: Granted, exchanges: Exchanges):
    """Else everything that is checked of its content would hold for nothing."""
    reply, _ = exchanges[one.id]
    told = set(leaves(reply.body)) - {"isComplete", "withheld.field", "withheld.reason"}

    assert told
    assert not one.service.list_name or reply.body[one.service.list_name]


@every_grant
def test_intent_and_outcome_of_each_call_and_no_entry_besides(one: Granted, exchanges: Exchanges):
    reply, gained = exchanges[one.id]

    assert sorted(reply.entries) == [entry["index"] for entry in gained]
    assert calls(one) == Counter(entry["name"] for entry in gained if entry["type"] == "intent")
    assert calls(one) == Counter(entry["name"] for entry in gained if entry["type"] == "outcome")
    assert 2 * calls(one).total() == len(gained)


@every_grant
def test_each_outcome_names_its_own_intent(one: Granted, exchanges: Exchanges):
    _, gained = exchanges[one.id]
    intents = {entry["index"]: entry for entry in gained if entry["type"] == "intent"}
    outcomes = [entry for entry in gained if entry["type"] == "outcome"]

    assert sorted(intents) == sorted(entry["intent_ref"] for entry in outcomes)
    for entry in outcomes:
        intent = intents[entry["intent_ref"]]
        assert (intent["span_id"], intent["name"]) == (entry["span_id"], entry["name"])
        assert intent["index"] < entry["index"]


@every_grant
def test_all_entries_bear_the_trace_that_the_caller_was_told(one: Granted, exchanges: Exchanges):
    reply, gained = exchanges[one.id]

    assert {reply.trace} == {entry["trace_id"] for entry in gained}


@every_grant
def test_the_entries_name_who_asked_and_the_rule_that_allowed_it(one: Granted, exchanges: Exchanges):
    _, gained = exchanges[one.id]
    whole = [entry for entry in gained if "parent_span_id" not in entry]

    assert 2 == len(whole)
    for entry in whole:
        assert f"test-{one.organisation}" == entry["consumer"]["app"]
        assert (one.permit.grant.authorisation, "permit") == (entry["policy"]["id"], entry["policy"]["decision"])
        assert one.permit.purpose.activity == entry["dpl.core.processing_activity_id"]


@every_grant
def test_a_part_of_a_composition_hangs_under_the_whole(one: Granted, exchanges: Exchanges):
    _, gained = exchanges[one.id]
    [whole] = {entry["span_id"] for entry in gained if "parent_span_id" not in entry}
    parts = [entry for entry in gained if "parent_span_id" in entry]

    assert {whole} >= {entry["parent_span_id"] for entry in parts}
    assert [] == [name for entry in parts for name in entry.get("categories", ())]  # nothing of a part is released


@every_grant
def test_the_outcome_says_what_was_released(one: Granted, exchanges: Exchanges):
    _reply, gained = exchanges[one.id]
    [outcome] = [entry for entry in gained if entry["type"] == "outcome" and "parent_span_id" not in entry]
    prefix = "answer:" if one.service.is_composition else ""

    assert "Ok" == outcome["status"]
    assert [prefix + name for name in one.permit.categories] == outcome["categories"]


@every_grant
def test_the_outcome_commits_to_the_very_bytes_of_the_answer(one: Granted, exchanges: Exchanges, ledger: Book):
    reply, gained = exchanges[one.id]
    [outcome] = [entry for entry in gained if entry["type"] == "outcome" and "parent_span_id" not in entry]

    assert hashlib.sha256(reply.payload).hexdigest() == ledger.opened(outcome["index"]).values["response_digest"]


@every_grant
def test_the_intent_is_about_whom_was_asked(one: Granted, exchanges: Exchanges, ledger: Book):
    _, gained = exchanges[one.id]
    [intent] = [entry for entry in gained if entry["type"] == "intent" and "parent_span_id" not in entry]
    subject = one.service.subject(one.question)
    opened = ledger.opened(intent["index"])

    assert ([subject] if subject else []) == [(found.type, found.id) for found in opened.subjects]
    assert (DOSSIER if one.service.needs_dossier else None) == opened.values.get("case_ref")


@every_grant
def test_every_person_whose_number_was_given_is_a_subject_of_the_outcome(
    one: Granted, exchanges: Exchanges, ledger: Book
):
    """Rule R5: who was disclosed, and not only who was asked about, finds the exchange back."""
    reply, gained = exchanges[one.id]
    given = set(NUMBER.findall(reply.payload.decode()))
    [outcome] = [entry for entry in gained if entry["type"] == "outcome" and "parent_span_id" not in entry]
    subjects = {found.id for found in ledger.opened(outcome["index"]).subjects if found.type == "nrn"}

    assert set() == given - subjects


# --- what is expected -------------------------------------------------------------------------------------------------


def calls(one: Granted) -> Counter[str]:
    """The service, and each of its parts that has to be asked for these answers."""
    parts = [part.service for part in one.service.parts_for(one.permit.fields)]
    # The person holds the plate, no enterprise does: nobody has to know who drives.
    asked = Counter([one.service.name, *(name for name in parts if name != "vehicle.titular")])
    asked[one.service.name] += BODIES.get(one.service.source or "", 0)  # one source that is several is asked of each
    return asked


def promised(described: dict[str, Any], service: str) -> dict[str, Any]:
    """The schema of a service's answer, with all that it refers to, and closed: what it does not name may not come."""
    [schema] = [
        operation["responses"]["200"]["content"]["application/json"]["schema"]
        for methods in described["paths"].values()
        for operation in methods.values()
        if operation.get("x-service") == service
    ]
    return {**schema, "components": {"schemas": closed(described["components"]["schemas"])}}


def closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [closed(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: closed(value) for name, value in schema.items()}
    is_object = isinstance(schema.get("properties"), dict) and schema.get("type") == "object"
    return {"additionalProperties": False, **inner} if is_object else inner


def test_a_field_that_was_not_promised_would_be_seen(described: dict[str, Any]):
    schema = promised(described, "person.get")

    assert [] != list(Draft202012Validator(schema).iter_errors({"ssin": "1", "shoeSize": 43}))


def test_no_question_stands_in_the_name_of_a_test():
    """Names of tests go into reports."""
    assert [] == [one.id for one in GRANTED if NUMBER.search(one.id)]
