"""What was recorded is told beside every answer and every refusal that was recorded, and beside no other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from integrator.api.problems import Problems
from integrator.api.record import record_headers
from integrator.errors import HubBusy, IntegratorError, PolicyDenied, SourceUnavailable
from integrator.model import Trace
from tests.unit.api.test_door import GOOD, PERSON

TRACE = Trace("d9e35127e9b14201a2112b52e52508df", "b7ad6b7169203331", None)
ENTRIES = "audit.hub.example/test/hub-1/2026/7,8"


@pytest.fixture(scope="module")
def problems() -> Problems:
    return Problems("https://hub.example")


@pytest.mark.parametrize(
    "error", [PolicyDenied("NO_GRANT", rule="none", advice="ask"), SourceUnavailable("register", "down")], ids=["denied", "source_down"]
)  # fmt: skip
def test_a_recorded_refusal_carries_its_receipt(problems: Problems, error: IntegratorError):
    error.recorded, error.receipt = ENTRIES, b"c2lnbmVk"
    headers = dict(problems.render(error, TRACE).headers)

    assert ENTRIES.encode() == headers[b"integrator-ledger-entries"]
    assert b"c2lnbmVk" == headers[b"audit-receipt"]
    assert b"d9e35127-e9b1-4201-a211-2b52e52508df" == headers[b"fsc-transaction-id"]


def test_a_refusal_that_was_not_recorded_promises_nothing(problems: Problems):
    names = {name for name, _ in problems.render(HubBusy("full"), TRACE).headers}

    assert set() == names & {b"audit-receipt", b"integrator-ledger-entries", b"fsc-transaction-id"}


def test_a_hub_that_publishes_nothing_gives_no_receipt():
    assert [b"integrator-ledger-entries", b"fsc-transaction-id"] == [
        name for name, _ in record_headers(ENTRIES, None, TRACE)
    ]


async def test_an_answer_carries_its_receipt(call: Any, hub: Any, monkeypatch: pytest.MonkeyPatch):
    answer = hub.exchange.answer

    async def with_receipt(request: Any) -> Any:
        return replace(await answer(request), receipt=b"c2lnbmVk")

    monkeypatch.setattr(hub.exchange, "answer", with_receipt)
    reply = await call("POST", PERSON, GOOD)

    assert (200, "c2lnbmVk") == (reply.status, reply.headers["audit-receipt"])
    assert reply.headers["belgov-trace-id"] == reply.headers["fsc-transaction-id"].replace("-", "")
