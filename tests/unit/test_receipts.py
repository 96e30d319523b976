"""Every exchange ends with a receipt for the entry that concludes it, and stands in one shard, also at midnight."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from audit.log.receipts import open_receipt
from audit.tree.note import NoteVerifier
from integrator import settings
from integrator.contract import Reply
from integrator.errors import PolicyDenied, SubjectNotFound
from integrator.exchange import Exchange
from integrator.metrics import Metrics
from integrator.publishing import Publishing, open_publishing
from integrator.recording import Recorder
from tests.unit import test_exchange as kit

NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC).timestamp()
OLD, NEW = (f"audit.integrator.example/sandbox/hub-1/{year}" for year in (2026, 2027))


class Time:
    now = NEW_YEAR - 60

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def publishing(tmp_path: Any, time: Time, monkeypatch: pytest.MonkeyPatch):
    for name in ("STATE", "LEDGER", "SHARD", "MODE"):
        monkeypatch.delenv(f"INTEGRATOR_{name}", raising=False)
    opened = open_publishing(settings.load(None, state=str(tmp_path / "state")), time)
    yield opened
    opened.close()


class Source:
    """Says Ann, or what a test wants; calls `meanwhile` first."""

    def __init__(self) -> None:
        self.reply: Any = Reply({"ssin": kit.NUMBER, "name": "Ann"})
        self.meanwhile: Callable[[], Any] | None = None

    async def ask(self, question: Any) -> Any:
        if self.meanwhile is not None:
            await self.meanwhile()
        return self.reply

    async def check(self) -> None:
        return None


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def hub(publishing: Publishing, source: Source, time: Time) -> Exchange:
    sheets = {"person": kit.sheet("person", {"name": {"at": "name"}, "income": {"at": "income"}})}
    services = {
        "person": kit.service(sheets, service="person", source="register", operation="person", mapping="person")
    }
    recorder = Recorder(publishing.books, Metrics())
    return Exchange(
        services, kit.policies(kit.GRANTS[:1]), {"register": source}, recorder, Metrics(), time, lambda _: None
    )  # type: ignore[dict-item]


def opened(publishing: Publishing, receipt: bytes | None, shard: str = OLD) -> Any:
    assert publishing.log is not None
    return open_receipt(receipt or b"", [NoteVerifier(publishing.log.vkey(shard))])


def entry(publishing: Publishing, shard: str, index: int) -> Any:
    [stored] = publishing.ledger.store.read(shard, index, index + 1)
    return stored


async def test_an_answer_has_the_receipt_of_its_outcome(hub: Exchange, publishing: Publishing):
    answer = await hub.answer(kit.request())
    receipt = opened(publishing, answer.receipt)
    stored = entry(publishing, OLD, receipt.index)

    assert ("outcome", stored.leaf, stored.ts) == (stored.kind, receipt.leaf, receipt.ts)
    assert (OLD, answer.entries[-1]) == (receipt.origin, receipt.index)


async def test_a_refusal_has_the_receipt_of_its_record(hub: Exchange, publishing: Publishing):
    with pytest.raises(PolicyDenied) as raised:
        await hub.answer(kit.request(fields=frozenset({"income"})))
    receipt = opened(publishing, raised.value.receipt)

    assert "denied" == entry(publishing, OLD, receipt.index).kind
    assert f"{OLD}/{receipt.index}" == raised.value.recorded


async def test_not_found_has_the_receipt_of_its_outcome(hub: Exchange, publishing: Publishing, source: Source):
    source.reply = Reply(None)
    with pytest.raises(SubjectNotFound) as raised:
        await hub.answer(kit.request())
    receipt = opened(publishing, raised.value.receipt)

    assert "outcome" == entry(publishing, OLD, receipt.index).kind


async def test_an_exchange_under_way_at_midnight_stands_in_one_shard(
    hub: Exchange, publishing: Publishing, source: Source, time: Time
):
    others = []

    async def midnight() -> None:
        source.meanwhile = None
        time.now = NEW_YEAR + 1
        others.append(await hub.answer(kit.request()))

    source.meanwhile = midnight
    answer = await hub.answer(kit.request())

    assert ([OLD, NEW], (0, 1)) == ([answer.shard, others[0].shard], answer.entries)
    assert OLD == opened(publishing, answer.receipt).origin
    assert NEW == opened(publishing, others[0].receipt, NEW).origin
    assert ["intent", "outcome"] == [one.kind for one in publishing.ledger.store.read(OLD)]

    publishing.tidy(timedelta(0))

    assert "seal" == entry(publishing, OLD, 2).kind
    assert publishing.publisher is not None
    publishing.publisher.step()
    policy = publishing.logbook.publication.read("policy").decode()  # type: ignore[union-attr]
    assert f"log {OLD}+" in policy
    assert f"log {NEW}+" in policy
