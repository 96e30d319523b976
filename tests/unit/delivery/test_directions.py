"""Two bodies with the same purpose and the same service, of which one may send and the other may receive."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from integrator.api.delivering import Counter
from integrator.delivery.feed import Feed
from integrator.delivery.subscriptions import Subscriptions
from integrator.errors import PolicyDenied
from integrator.model import Caller, Request, Trace
from integrator.policy import compile_policies
from tests.unit.delivery.kit import GRANTS, NUMBER, RECEIVER, SENDER, TEXT, House, entries, house

SENT, GOT = Caller(SENDER, "app", "school"), Caller(RECEIVER, "app", "school")
REPORT = {name: value for name, value in GRANTS[1].items() if name != "as"}
Doing = Callable[["Doors"], Awaitable[Any]]


def texts(sender: Any = ("sender",), receiver: Any = ("receiver",)) -> Any:
    """What each of both may; None = the word is left out."""
    lines = [(SENDER, "school@1", sender), (RECEIVER, "school@2", receiver)]
    data = {
        "purpose": "school", "title": TEXT, "why": TEXT, "dpv": "dpv:ServiceProvision", "retention": "Y10", "legalBasis": "eu-gdpr:A6-1-e",
        "processingActivity": "https://ropa.example/school/v1", "disclosure": {},
        "authorisations": [
            {"id": id_, "validFrom": "2026-01-01", "organisations": [org], "grants": [{**REPORT, **({"as": list(said)} if said else {})}]}
            for org, id_, said in lines
        ],
    }  # fmt: skip
    return compile_policies([("school.yaml", yaml.safe_dump(data).encode())], {"organisations": {}, "groups": {}})


class Doors:
    """The doors of deliveries over a house."""

    def __init__(self, hub: House) -> None:
        self.hub, self._keys = hub, 0
        self.may()

    def may(self, **said: Any) -> None:
        hub = self.hub
        hub.may(texts(**said))
        feed = Feed(hub.outbox, lambda held: hub.carrying.hand_out(held))
        subscriptions = Subscriptions(hub.database, hub.outbox.sealing, hub.clock)
        dispatch = SimpleNamespace(outbox=hub.outbox, subscriptions=subscriptions, feed=feed, wake=lambda: None)
        self.counter = Counter(SimpleNamespace(  # type: ignore[arg-type]
            dispatch=dispatch, exchange=hub.exchange, services=hub.services, settings=SimpleNamespace(issuer="https://hub.example"),
        ))  # fmt: skip

    def trace(self) -> Trace:
        self._keys += 1
        return Trace(f"{self._keys:032x}", f"{self._keys:016x}")

    async def follow(self, who: Caller = GOT) -> str:
        request = Request("person.report", who, {}, self.trace())
        ends = self.hub.outbox.ms() + 86_400_000
        answer = await self.counter.follow(request, f"follow-{self._keys}", "pull", None, frozenset(), ends)
        return str(answer.body["subscriptionId"])

    async def send(self, who: Caller = SENT) -> str:
        request = Request("person.report", who, {"ssin": NUMBER, "recipient": RECEIVER}, self.trace(), None, "2026/7")
        service = self.hub.services["person.report"]
        answer = await self.counter.hand_in(service, request, f"sent-{self._keys}", {"field": "street"})
        return str(answer.body["deliveryId"])

    async def answer(self, uid: str, who: Caller = GOT) -> None:
        await self.counter.answer(who, uid, f"answer-{self.trace().span_id}", {"field": "street"}, self.trace())


@pytest.fixture
def doors(tmp_path: Path) -> Any:
    with house("sqlite", tmp_path) as hub:
        yield Doors(hub)


async def test_one_sends_and_takes_back_the_other_follows_fetches_and_answers(doors: Doors) -> None:
    subscription = await doors.follow()
    sent, taken_back = await doors.send(), await doors.send()
    await doors.counter.withdraw(SENT, taken_back, doors.trace())
    fetched = await doors.counter.fetch(GOT, subscription, None, 10)
    await doors.answer(sent)
    read = await doors.counter.answered(SENT, "person.report", None, 10)
    await doors.counter.leave(GOT, subscription)

    assert ([sent], [sent]) == ([one["id"] for one in fetched["items"]], [one["data"]["questionId"] for one in read["items"]])


async def test_every_entry_says_which_end_it_was(doors: Doors) -> None:
    await doors.follow()
    await doors.answer(await doors.send())
    await doors.counter.answered(SENT, "person.report", None, 10)
    said = [(one["consumer"]["org"], one["asked"]["as"]) for one in entries(doors.hub.ledger) if one["type"] == "intent"]

    assert [(RECEIVER, "receiver"), (SENDER, "sender"), (RECEIVER, "receiver"), (SENDER, "sender")] == said


@pytest.mark.parametrize("doing", [
    pytest.param(lambda doors: doors.send(GOT), id="who_receives_sends"),
    pytest.param(lambda doors: doors.follow(SENT), id="who_sends_follows"),
])  # fmt: skip
async def test_what_was_granted_one_way_is_refused_the_other_and_nothing_lies_anywhere(doors: Doors, doing: Doing) -> None:
    await doors.follow()
    with pytest.raises(PolicyDenied) as refused:
        await doing(doors)

    assert ("DIRECTION_NOT_GRANTED", {}) == (refused.value.reason, await doors.hub.outbox.counts())
    assert ["denied"] == [one["type"] for one in entries(doors.hub.ledger)][2:]


async def test_who_may_only_send_by_now_answers_nothing_and_is_handed_nothing(doors: Doors) -> None:
    subscription, sent = await doors.follow(), await doors.send()
    doors.may(receiver=["sender"])
    with pytest.raises(PolicyDenied) as refused:
        await doors.answer(sent)
    page = await doors.counter.fetch(GOT, subscription, None, 10)

    assert ("DIRECTION_NOT_GRANTED", []) == (refused.value.reason, page["items"])
    assert ("dead", "DIRECTION_NOT_GRANTED") == await doors.hub.state(sent)


async def test_who_may_only_receive_by_now_takes_nothing_back_and_reads_no_answer(doors: Doors) -> None:
    await doors.follow()
    sent, other = await doors.send(), await doors.send()
    await doors.answer(sent)
    doors.may(sender=["receiver"])
    with pytest.raises(PolicyDenied) as refused:
        await doors.counter.withdraw(SENT, other, doors.trace())
    told = await doors.counter.look(SENT, sent, None)

    assert ("DIRECTION_NOT_GRANTED", []) == (refused.value.reason, told["answers"]["items"])


async def test_a_text_without_the_word_lets_nobody_send_or_receive(doors: Doors) -> None:
    doors.may(sender=None, receiver=None)
    for doing in (doors.follow(), doors.hub.accept("k1")):
        with pytest.raises(PolicyDenied, match="DIRECTION_NOT_GRANTED"):
            await doing


async def test_who_was_granted_both_writes_to_itself(doors: Doors) -> None:
    doors.may(receiver=["sender", "receiver"])
    subscription, sent = await doors.follow(), await doors.send(GOT)

    assert [sent] == [one["id"] for one in (await doors.counter.fetch(GOT, subscription, None, 10))["items"]]
