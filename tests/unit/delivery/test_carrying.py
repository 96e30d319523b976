"""What was accepted goes out once it is recorded, in order, again when it failed, and never for ever."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update

from audit import KeyMissing
from integrator.delivery.tables import MESSAGE
from integrator.delivery.terms import Sent
from integrator.pseudonyms import Pseudonyms
from tests.unit.delivery.kit import GRANTS, NUMBER, OTHER, RECEIVER, SENDER, STRANGER, House, entries, kinds, policies


async def test_what_is_accepted_is_delivered_and_recorded_like_a_read(hub: House) -> None:
    uid = (await hub.accept("k1")).body["deliveryId"]
    await hub.carry()

    outcome = entries(hub.ledger)[-1]
    assert ("delivered", None) == await hub.state(uid)
    assert (["field"], {"subjects": 1, "records": 1}, RECEIVER) == (
        outcome["categories"], outcome["counts"], outcome["consumer"]["org"],
    )  # fmt: skip


async def test_nothing_leaves_before_its_intent_is_durable(hub: House) -> None:
    await hub.accept("k1")
    await hub.carry()

    assert [["intent", "outcome", "intent"]] == hub.way.durable_before


async def test_the_delivery_names_the_trace_of_its_acceptance(hub: House) -> None:
    await hub.accept("k1")
    await hub.carry()
    accepted, *_, delivered = entries(hub.ledger)

    assert accepted["trace_id"] == delivered["dpl.core.foreign_operation"]["trace_id"]


async def test_values_are_gone_once_they_are_delivered(hub: House) -> None:
    uid = (await hub.accept("k1", service="person.declare")).body["deliveryId"]
    await hub.carry()

    assert (await hub.outbox.find(uid))["sealed"] is None


async def test_who_may_know_pseudonyms_alone_is_told_about_its_own(hub: House) -> None:
    await hub.accept("k1", {"field": NUMBER})
    hub.may(policies([GRANTS[0], {**GRANTS[1], "obligations": {"pseudonymise": True}}]))
    hub.carrying = replace(hub.carrying, pseudonyms=Pseudonyms(b"k" * 32, "sandbox"))
    await hub.carry()

    [(held, content)] = hub.way.sent
    known = Pseudonyms(b"k" * 32, "sandbox").of(RECEIVER, NUMBER)
    assert (known, known, RECEIVER) == (held.keys["ssin"], content["field"], held.keys["recipient"])


async def test_a_number_does_not_leave_where_no_pseudonym_can_be_made(hub: House) -> None:
    uid = (await hub.accept("k1")).body["deliveryId"]
    hub.may(policies([GRANTS[0], {**GRANTS[1], "obligations": {"pseudonymise": True}}]))
    await hub.carry()

    assert ([], ("waiting", None)) == (hub.way.sent, await hub.state(uid))


async def test_a_grant_that_ended_meanwhile_lets_nothing_out(hub: House) -> None:
    uid = (await hub.accept("k1")).body["deliveryId"]
    hub.may(policies(organisations=[SENDER, STRANGER]))
    await hub.carry()

    assert ("dead", "NO_AUTHORISATION") == await hub.state(uid)
    assert ([], "denied") == (hub.way.sent, kinds(hub.ledger)[-1])


async def test_a_grant_that_shrank_meanwhile_tells_of_an_event_what_is_left(hub: House) -> None:
    content = {"address": True, "name": True}
    grants = [{"service": "person.changes", "as": ["receiver"], "keys": ["ssin"], "fields": ["address", "name"]}]
    hub.may(policies(grants))
    request = hub.request("person.changes", fields=content)
    await hub.exchange.accept(request, hub.message(request, "k1", content, whole=False))
    hub.may(policies([grants[0] | {"fields": ["name"]}]))
    await hub.carry()

    assert [{"name": True}] == [content for _, content in hub.way.sent]


async def test_a_grant_that_shrank_meanwhile_stops_a_message(hub: House) -> None:
    hub.may(policies([{"service": "person.report", "as": ["sender", "receiver"], "keys": ["ssin", "recipient"], "fields": ["field", "secret"]}]))
    uid = (await hub.accept("k1", {"field": "street", "secret": "x"})).body["deliveryId"]
    hub.may(policies())
    await hub.carry()

    assert ("dead", "NOTHING_GRANTED") == await hub.state(uid)
    assert [] == hub.way.sent


async def test_what_failed_is_tried_again_later_and_not_sooner(hub: House) -> None:
    uid = (await hub.accept("k1")).body["deliveryId"]
    hub.way.says = [Sent("again", "HTTP_503")]
    await hub.carry()
    at_once = await hub.carry()
    hub.clock.now += 11
    later = await hub.carry()

    assert ([], [uid], ("delivered", None)) == (at_once, later, await hub.state(uid))


async def test_who_asks_for_time_gets_it(hub: House) -> None:
    uid = (await hub.accept("k1")).body["deliveryId"]
    hub.way.says = [Sent("again", "HTTP_429", wait=60)]
    await hub.carry()
    hub.clock.now += 59
    early = await hub.carry()
    hub.clock.now += 2

    assert ([], [uid]) == (early, await hub.carry())


async def test_each_attempt_leaves_its_outcome(hub: House) -> None:
    await hub.accept("k1")
    hub.way.says = [Sent("again", "HTTP_503")]
    await hub.carry()
    hub.clock.now += 11
    await hub.carry()

    assert ["SOURCE_UNAVAILABLE", None] == [entry.get("reason_code") for entry in entries(hub.ledger)[3::2]]


async def test_what_is_refused_for_good_is_dead_with_its_reason(hub: House) -> None:
    uid = (await hub.accept("k1")).body["deliveryId"]
    hub.way.says = [Sent("never", "HTTP_410")]
    await hub.carry()

    assert ("dead", "HTTP_410") == await hub.state(uid)


async def test_what_never_succeeds_is_dead_when_its_time_is_over(hub: House) -> None:
    uid = (await hub.accept("k1")).body["deliveryId"]
    hub.way.says = [Sent("again", "HTTP_503")]
    hub.clock.now += 7 * 86_400 - 5
    await hub.carry()

    assert ("dead", "DEADLINE_HTTP_503") == await hub.state(uid)


async def test_what_nobody_could_try_in_time_expires_and_is_not_sent(hub: House) -> None:
    uid = (await hub.accept("k1")).body["deliveryId"]
    hub.clock.now += 8 * 86_400
    await hub.carry()

    assert (("expired", "EXPIRED"), []) == (await hub.state(uid), hub.way.sent)


async def test_a_surprise_of_the_way_out_is_an_outcome_and_says_nothing(hub: House) -> None:
    uid = (await hub.accept("k1")).body["deliveryId"]
    hub.way.says = [ValueError(f"something about {NUMBER}")]
    await hub.carry()

    assert ("waiting", "UNEXPECTED") == await hub.state(uid)
    assert NUMBER not in str(entries(hub.ledger))


async def test_a_message_that_nobody_can_open_is_dead_with_its_reason_and_holds_up_no_other(hub: House) -> None:
    wounded = (await hub.accept("k1")).body["deliveryId"]
    spoil(hub, wounded)
    other = (await hub.accept("k2", ssin=OTHER)).body["deliveryId"]
    await hub.carry()

    assert [("dead", "UNREADABLE"), ("delivered", None)] == [await hub.state(uid) for uid in (wounded, other)]
    assert "UNREADABLE" in [entry.get("reason_code") for entry in entries(hub.ledger)]


async def test_a_message_whose_key_is_missing_keeps_its_values_for_when_it_is_back(hub: House) -> None:
    uid = (await hub.accept("k1")).body["deliveryId"]
    hub.outbox.sealing.open = missing  # type: ignore[method-assign]
    await hub.carry()

    assert ("dead", "UNREADABLE") == await hub.state(uid)
    assert (await hub.outbox.find(uid))["sealed"] is not None


def spoil(hub: House, uid: str) -> None:
    hub.database.now(lambda c: c.execute(update(MESSAGE).where(MESSAGE.c.uid == uid).values(sealed=b"\0" * 64)))


def missing(*_: object) -> dict[str, object]:
    raise KeyMissing("the ring has no such key")


# --- order ------------------------------------------------------------------------------------------------------------


async def test_of_one_subject_the_later_waits_for_the_earlier(hub: House) -> None:
    first, second = [(await hub.accept(f"k{n}")).body["deliveryId"] for n in range(2)]
    hub.way.says = [Sent("again", "HTTP_503")]
    turns = [await hub.carry(), await hub.carry()]
    hub.clock.now += 11
    turns += [await hub.carry(), await hub.carry()]

    assert [[first], [], [first], [second]] == turns


async def test_another_subject_does_not_wait(hub: House) -> None:
    await hub.accept("k1")
    other = (await hub.accept("k2", ssin=OTHER)).body["deliveryId"]
    hub.way.says = [Sent("again", "HTTP_503")]
    await hub.carry(1)

    assert [other] == await hub.carry()


async def test_another_recipient_of_the_same_subject_does_not_wait(hub: House) -> None:
    await hub.accept("k1")
    other = (await hub.accept("k2", recipient="follower-2")).body["deliveryId"]
    hub.way.says = [Sent("again", "HTTP_503")]
    await hub.carry(1)

    assert [other] == await hub.carry()


async def test_a_dead_letter_holds_up_nobody(hub: House) -> None:
    await hub.accept("k1")
    second = (await hub.accept("k2")).body["deliveryId"]
    hub.way.says = [Sent("never", "HTTP_400")]
    await hub.carry()

    assert [second] == await hub.carry()


async def test_a_recipient_that_is_left_alone_is_given_nothing(hub: House) -> None:
    await hub.accept("k1")

    assert [] == await hub.outbox.lease(10, 60, {"follower-1"})


# --- leases -----------------------------------------------------------------------------------------------------------


async def test_what_is_leased_is_given_to_nobody_else(hub: House) -> None:
    await hub.accept("k1")

    assert (1, 0) == (len(await hub.outbox.lease(10, 60)), len(await hub.outbox.lease(10, 60)))


async def test_what_a_dead_relay_left_is_given_out_again_as_lost(hub: House) -> None:
    await hub.accept("k1")
    [first] = await hub.outbox.lease(10, 60)
    hub.clock.now += 61
    [second] = await hub.outbox.lease(10, 60)

    assert (first.uid, False, True) == (second.uid, first.lost, second.lost)


async def test_who_lost_his_lease_settles_nothing(hub: House) -> None:
    uid = (await hub.accept("k1")).body["deliveryId"]
    late = await hub.outbox.lease(10, 60)
    hub.clock.now += 61
    await hub.outbox.lease(10, 60)
    await hub.carrying.carry(late)

    assert ("waiting", None) == await hub.state(uid)


async def test_what_was_decided_too_slowly_is_not_sent_once_its_lease_has_ended(hub: House) -> None:
    uid = (await hub.accept("k1")).body["deliveryId"]
    decide = hub.carrying.decide

    async def slow(service: Any, request: Any) -> Any:
        hub.clock.now += 61
        return await decide(service, request)

    object.__setattr__(hub.carrying, "decide", slow)
    await hub.carry()
    object.__setattr__(hub.carrying, "decide", decide)

    assert ([], "waiting") == (hub.way.sent, (await hub.state(uid))[0])
    hub.clock.now += 101
    assert [uid] == await hub.carry()


async def test_decisions_are_made_side_by_side(hub: House) -> None:
    for number in range(5):
        await hub.accept(f"k{number}", recipient=f"follower-{number}")
    decide, under_way, most = hub.carrying.decide, [], []

    async def counted(service: Any, request: Any) -> Any:
        under_way.append(request)
        most.append(len(under_way))
        await asyncio.sleep(0)
        under_way.remove(request)
        return await decide(service, request)

    object.__setattr__(hub.carrying, "decide", counted)
    await hub.carry()

    assert (5, 5) == (max(most), len(hub.way.sent))


# --- effects that nobody knows ------------------------------------------------------------------------------------------


async def test_a_lost_reply_of_a_write_is_unknown_and_comes_back_as_lost(hub: House) -> None:
    uid = (await hub.accept("k1", service="person.declare")).body["deliveryId"]
    hub.way.says = [Sent("unknown", "NO_REPLY")]
    await hub.carry()
    state = await hub.state(uid)
    hub.clock.now += 11
    await hub.carry()

    assert (("unknown", "NO_REPLY"), [False, True]) == (state, [held.lost for held, _ in hub.way.sent])
    assert "OUTCOME_UNKNOWN" == entries(hub.ledger)[3]["reason_code"]


async def test_what_stays_unknown_until_its_time_is_over_needs_somebody(hub: House) -> None:
    uid = (await hub.accept("k1", service="person.declare")).body["deliveryId"]
    hub.way.says = [Sent("unknown", "NO_REPLY")]
    await hub.carry()
    hub.clock.now += 8 * 86_400
    await hub.carry()

    assert ("dead", "OUTCOME_UNKNOWN") == await hub.state(uid)


@pytest.mark.parametrize("verdict", ["again", "unknown"])
async def test_a_surprise_of_a_write_is_unknown(hub: House, verdict: str) -> None:
    uid = (await hub.accept("k1", service="person.declare")).body["deliveryId"]
    hub.way.says = [RuntimeError("half way")] if verdict == "unknown" else [Sent("again", "REFUSED")]
    await hub.carry()

    assert {"again": "waiting", "unknown": "unknown"}[verdict] == (await hub.state(uid))[0]
