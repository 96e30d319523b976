"""A declaration through a real hub to a mocked register: done once, though replies get lost, and recorded like everything."""

from __future__ import annotations

import itertools
import time
import uuid
from datetime import date, timedelta
from typing import Any

import orjson
import pytest

from tests.flows.sandboxes import Callers, Reply, struck

PERSON, CASE = "84651797654", "HR-2027-3"
_days = itertools.count()


def post(who: Callers, path: str, body: Any, key: str = "") -> Reply:
    headers = {"Idempotency-Key": key or str(uuid.uuid4())}
    return who.send(
        "POST", path, orjson.dumps(body), purpose="staff_onboarding", organisation="ixelles", headers=headers
    )


def a_day() -> str:
    """A first day of work that no other test declares."""
    return (date(2027, 1, 4) + timedelta(days=next(_days))).isoformat()


def declare(who: Callers, day: str, key: str = "", **more: Any) -> Reply:
    content = {"startDate": day, "workerType": "OTH", "jointCommission": "XXX", **more}
    return post(
        who, "/employment/v1/starts/declare", {"ssin": PERSON, "dossierReference": CASE, "content": content}, key
    )


def settled(who: Callers, sent: Reply, patience: float = 60.0) -> tuple[str, str | None]:
    until = time.monotonic() + patience
    while time.monotonic() < until:
        told = post(who, "/delivery/v1/deliveries/get", {"deliveryId": sent.body["deliveryId"]}).body
        if told["state"] not in ("waiting", "unknown"):
            return told["state"], told.get("reason")
        time.sleep(0.2)
    raise AssertionError(f"still {told['state']}")


def periods(who: Callers, day: str) -> Any:
    question = {"ssin": PERSON, "startDate": day, "dossierReference": CASE}
    return post(who, "/employment/v1/periods/query", question).body["items"]


def test_who_starts_to_work_is_declared_once_and_found_afterwards(doors: Callers) -> None:
    day, key = a_day(), str(uuid.uuid4())
    before = periods(doors, day)
    sent, again = declare(doors, day, key), declare(doors, day, key)

    assert ([], sent.body) == (before, again.body)
    assert ("delivered", None) == settled(doors, sent)
    assert [{"startDate": day, "workerType": "OTH", "jointCommission": "XXX"}] == periods(doors, day)


def test_a_reply_that_got_lost_is_asked_for_and_nothing_is_declared_twice(doors: Callers, fault: Any, hub: Any) -> None:
    day = a_day()
    before = struck(hub.mocks, "dimona")
    fault("dimona", "truncated", times=1)
    sent = declare(doors, day)
    end = settled(doors, sent)

    assert (1, ("delivered", None), 1) == (struck(hub.mocks, "dimona") - before, end, len(periods(doors, day)))


def test_what_the_register_refuses_is_dead_with_its_reason(doors: Callers) -> None:
    day = a_day()
    settled(doors, declare(doors, day))

    assert ("dead", "DECLARATION_REFUSED") == settled(doors, declare(doors, day))


@pytest.mark.parametrize(("content", "name"), [
    ({"workerType": "ANY"}, "/content/workerType"), ({"employer": "0207373429"}, "/content/employer"),
], ids=["a_kind_that_is_none", "another_employer"])  # fmt: skip
def test_what_cannot_be_declared_is_refused_at_the_door(doors: Callers, content: Any, name: str) -> None:
    refused = declare(doors, a_day(), **content)

    assert (400, name) == (refused.status, refused.body["issues"][0]["name"])
