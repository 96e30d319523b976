"""An answer to a message may say other things than the message did: a decision is no invoice."""

from __future__ import annotations

import pytest

from integrator import places
from integrator.errors import MalformedRequest
from integrator.mapping import load_sheets
from integrator.services import Service, load_services


@pytest.fixture(scope="module")
def services() -> dict[str, Service]:
    return load_services(
        places.folder("config") / "services", load_sheets(places.folder("mappings")), sandbox=frozenset()
    )


def test_an_answer_is_read_by_what_answers_may_say(services: dict[str, Service]) -> None:
    later = services["invoice.present"].later
    assert later is not None

    assert {"decision": "rejected", "reason": "no"} == later.read_answer({"decision": "rejected", "reason": "no"})
    for wrong in ({"reason": "no decision"}, {"decision": "perhaps"}, {"decision": "approved", "amount": "1.00"}):
        with pytest.raises(MalformedRequest):
            later.read_answer(wrong)


def test_a_message_is_no_answer(services: dict[str, Service]) -> None:
    later = services["invoice.present"].later
    assert later is not None

    with pytest.raises(MalformedRequest) as refused:
        later.read({"decision": "approved"})
    assert "/content/decision" in {issue.name for issue in refused.value.issues}


def test_where_nothing_is_said_of_answers_they_say_what_the_message_may(services: dict[str, Service]) -> None:
    later = services["person.reportDifference"].later
    assert later is not None

    said = {"field": "address", "observed": "corrected"}
    assert later.read(said) == later.read_answer(said)


def test_what_an_answer_says_is_granted_like_the_rest(services: dict[str, Service]) -> None:
    assert {"decision", "reason", "amount"} <= services["invoice.present"].offers
