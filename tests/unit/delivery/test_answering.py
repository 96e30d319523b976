"""A message and its answer may be for two purposes: each is decided for that of whoever gets it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from integrator.api.delivering import Counter
from integrator.delivery.feed import Feed
from integrator.delivery.subscriptions import Subscriptions
from integrator.model import Caller, Request, Trace
from tests.unit.delivery.kit import NUMBER, RECEIVER, SENDER, House, policies

MINE, THEIRS, OTHER = "school", "housing", "welfare"
SENT, GOT = Caller(SENDER, "app", MINE), Caller(RECEIVER, "app", THEIRS)
TOMORROW = 86_400_000


class Doors:
    """The doors of deliveries over a house, for two bodies with purposes of their own."""

    def __init__(self, hub: House) -> None:
        self.hub = hub
        hub.may(policies(purposes=[MINE, THEIRS, OTHER]))
        feed = Feed(hub.outbox, lambda held: hub.carrying.hand_out(held))
        self.subscriptions = Subscriptions(hub.database, hub.outbox.sealing, hub.clock)
        dispatch = SimpleNamespace(outbox=hub.outbox, subscriptions=self.subscriptions, feed=feed, wake=lambda: None)
        self.counter = Counter(SimpleNamespace(  # type: ignore[arg-type]
            dispatch=dispatch, exchange=hub.exchange, services=hub.services, settings=SimpleNamespace(issuer="https://hub.example"),
        ))  # fmt: skip
        self._traces = 0

    def trace(self) -> Trace:
        self._traces += 1
        return Trace(f"{self._traces:032x}", f"{self._traces:016x}")

    async def follow(self, purpose: str) -> str:
        request = Request("person.report", Caller(RECEIVER, "app", purpose), {}, self.trace())
        ends = self.hub.outbox.ms() + TOMORROW
        answer = await self.counter.follow(request, f"follow-{purpose}", "pull", None, frozenset(), ends)
        return str(answer.body["subscriptionId"])

    async def send(self) -> str:
        keys = {"ssin": NUMBER, "recipient": RECEIVER}
        request = Request("person.report", SENT, keys, self.trace(), None, "2026/7")
        answer = await self.counter.hand_in(self.hub.services["person.report"], request, "sent-1", {"field": "street"})
        return str(answer.body["deliveryId"])


@pytest.fixture
def doors(small: House) -> Doors:
    return Doors(small)


async def test_an_answer_is_decided_for_the_purpose_of_who_asked(doors: Doors) -> None:
    subscription = await doors.follow(THEIRS)
    sent = await doors.send()
    await doors.counter.fetch(GOT, subscription, None, 10)
    await doors.counter.answer(GOT, sent, "answer-1", {"field": "street"}, doors.trace())
    doors.hub.may(policies(purposes=[MINE]))  # the receiver's own has ended meanwhile; that is not the sender's matter
    told = await doors.counter.look(SENT, sent, None)

    assert [MINE] == [one["purpose"] for one in told["answers"]["items"]]


@pytest.mark.parametrize(("purposes", "reached"), [
    ((THEIRS, MINE), MINE), ((THEIRS, OTHER), THEIRS),
], ids=["one_of_the_same_purpose", "none_of_the_same_purpose"])  # fmt: skip
async def test_a_message_goes_to_who_receives_for_the_same_purpose_where_there_is_one(
    doors: Doors, purposes: Any, reached: str
) -> None:
    for number, purpose in enumerate(purposes):
        doors.hub.clock.now += number  # type: ignore[attr-defined]
        await doors.follow(purpose)
    row = await doors.hub.outbox.find(await doors.send())

    assert reached == row["purpose"]
