"""A write to a source is done once, though replies get lost: what nobody knows is asked, never blindly repeated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrator.delivery import orders
from integrator.delivery.effects import Effects, ReplyLost
from integrator.delivery.terms import Held, Sent
from integrator.errors import SourceRefused, SourceUnavailable
from tests.unit.delivery.kit import House
from tests.unit.delivery.test_webhooks import held


class Register:
    """A source without idempotency of its own: what it is told twice it does twice. Replies get lost as a test says."""

    def __init__(self, plan: str = "") -> None:
        self.plan = list(plan)  # of each do: . well · ! refused · - not reached · < request lost · > reply lost
        self.questions = list("")  # of each ask: . answers · x is down
        self.done: list[str] = []
        self.asked = 0

    async def do(self, held: Held, content: Mapping[str, Any]) -> None:
        fate = self.plan.pop(0) if self.plan else "."
        if fate == "!":
            raise SourceRefused("register", "NO_PERMISSION")
        if fate == "-":
            raise SourceUnavailable("register")
        if fate != "<":
            self.done.append(held.uid)
        if fate in "<>":
            raise ReplyLost("register")

    async def ask(self, held: Held, content: Mapping[str, Any]) -> bool:
        self.asked += 1
        if self.questions and self.questions.pop(0) == "x":
            raise SourceUnavailable("register")
        return held.uid in self.done


def connected(hub: House, register: Any) -> None:
    hub.carrying.senders["effect"] = Effects({"register": register})


async def finished(hub: House, uid: str, turns: int = 60) -> tuple[str, str | None]:
    for _ in range(turns):
        await hub.carry()
        if (found := await hub.state(uid))[0] not in ("waiting", "unknown"):
            return found
        hub.clock.now += 101
    return await hub.state(uid)


async def declared(hub: House, key: str = "k1") -> str:
    return (await hub.accept(key, service="person.declare", recipient="register")).body["deliveryId"]


@pytest.mark.parametrize("plan", [">", "<", ">" * 3, "<<<", "-", "--<", "<>"], ids=[
    "reply_lost", "request_lost", "replies_lost", "requests_lost", "not_reached", "not_reached_then_lost", "both_lost",
])  # fmt: skip
async def test_whatever_gets_lost_it_is_done_once(hub: House, plan: str) -> None:
    register = Register(plan)
    connected(hub, register)
    uid = await declared(hub)

    assert (("delivered", None), [uid]) == (await finished(hub, uid), register.done)


async def test_a_lost_reply_is_asked_for_before_anything_is_repeated(hub: House) -> None:
    register = Register(">")
    connected(hub, register)
    uid = await declared(hub)
    await hub.carry()
    state = await hub.state(uid)
    hub.clock.now += 101
    await hub.carry()

    assert (("unknown", "REPLY_LOST"), 1, [uid]) == (state, register.asked, register.done)


async def test_while_the_source_cannot_be_asked_it_stays_unknown_and_nothing_is_repeated(hub: House) -> None:
    register = Register(">")
    register.questions = list("xxx")
    connected(hub, register)
    uid = await declared(hub)
    states = []
    for _ in range(4):
        await hub.carry()
        states.append((await hub.state(uid))[0])
        hub.clock.now += 101

    assert (["unknown"] * 4, [uid]) == (states, register.done)


async def test_a_relay_that_died_after_sending_repeats_nothing(hub: House) -> None:
    register = Register()
    connected(hub, register)
    uid = await declared(hub)
    [one] = await hub.outbox.lease(1, 60)
    await register.do(one, one.content)  # … and here the process was killed
    hub.clock.now += 61

    assert (("delivered", None), [uid]) == (await finished(hub, uid), register.done)


async def test_what_the_source_refuses_is_dead_with_its_reason(hub: House) -> None:
    connected(hub, Register("!"))
    uid = await declared(hub)

    assert ("dead", "NO_PERMISSION") == await finished(hub, uid)


async def test_an_effect_that_is_not_connected_waits() -> None:
    assert Sent("again", "NOT_CONNECTED") == await Effects({}).send(held(recipient="nowhere"), {})


async def test_what_may_have_been_done_stays_unknown_when_its_effect_is_taken_away() -> None:
    assert Sent("unknown", "NOT_CONNECTED") == await Effects({}).send(held(recipient="nowhere", lost=True), {})


async def test_what_is_sent_once_more_by_an_operator_is_asked_for_before_it_is_repeated(hub: House) -> None:
    register = Register(">")
    connected(hub, register)
    uid = await declared(hub)
    await hub.carry()
    hub.clock.now += 8 * 86_400
    await hub.carry()
    dead = await hub.state(uid)
    row = (await hub.outbox.find(uid))["id"]
    orders.record(hub.ledger, "redrive", orders.redrive([row], hub.outbox.ms(), 7), count=1, reason="LOOKED_AT")
    state = (await hub.state(uid))[0]

    assert (("dead", "OUTCOME_UNKNOWN"), "unknown") == (dead, state)
    assert (("delivered", None), [uid], 1) == (await finished(hub, uid), register.done, register.asked)


@settings(max_examples=200, deadline=None)
@given(plan=st.text("-<>.", max_size=8), questions=st.text(".x", max_size=8))
async def test_no_order_of_losses_does_it_twice(plan: str, questions: str) -> None:
    register = Register(plan)
    register.questions = list(questions)
    effects, lost = Effects({"register": register}), False
    for _ in range(40):
        sent = await effects.send(held(recipient="register", lost=lost), {})
        if sent.verdict == "delivered":
            break
        lost = sent.verdict == "unknown"

    assert ("delivered", 1) == (sent.verdict, len(register.done))
