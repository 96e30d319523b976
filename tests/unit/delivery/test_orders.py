"""Dead letters are sent once more or given up by order, and every order is an entry."""

from __future__ import annotations

from integrator.delivery import orders
from integrator.delivery.terms import Sent
from tests.unit.delivery.kit import House, entries


async def dead(hub: House, key: str = "k1") -> str:
    uid = str((await hub.accept(key)).body["deliveryId"])
    hub.way.says = [Sent("never", "HTTP_400")]
    await hub.carry()
    return uid


async def place(hub: House, uid: str) -> int:
    return int((await hub.outbox.find(uid))["id"])


async def test_a_dead_letter_that_is_redriven_goes_out_with_its_values(hub: House) -> None:
    uid = await dead(hub)
    orders.record(
        hub.ledger, "redrive", orders.redrive([await place(hub, uid)], hub.outbox.ms(), 3), count=1, reason="MENDED"
    )
    await hub.carry()

    assert ("delivered", None) == await hub.state(uid)
    assert [{"field": "street"}] * 2 == [content for _, content in hub.way.sent]


async def test_a_dead_letter_that_is_purged_has_no_values_any_more_and_stays_known(hub: House) -> None:
    uid = await dead(hub)
    orders.record(
        hub.ledger, "purge", orders.purge([await place(hub, uid)], hub.outbox.ms()), count=1, reason="GIVEN_UP"
    )
    row = await hub.outbox.find(uid)

    assert ("purged", None, "HTTP_400") == (row["state"], row["sealed"], row["reason"])


async def test_an_order_is_an_entry_that_says_how_many_and_why(hub: House) -> None:
    uid = await dead(hub)
    orders.record(
        hub.ledger, "purge", orders.purge([await place(hub, uid)], hub.outbox.ms()), count=1, reason="GIVEN_UP"
    )
    entry = entries(hub.ledger)[-1]

    assert ("admin", "delivery.purge", 1, "GIVEN_UP") == (
        entry["type"],
        entry["name"],
        entry["count"],
        entry["reason_code"],
    )


async def test_what_is_not_dead_is_neither_redriven_nor_purged(hub: House) -> None:
    uid = str((await hub.accept("k1")).body["deliveryId"])
    ids = [await place(hub, uid)]
    rows = [*orders.purge(ids, hub.outbox.ms()), *orders.redrive(ids, hub.outbox.ms(), 3)]
    orders.record(hub.ledger, "purge", rows, count=1, reason="GIVEN_UP")

    assert ("waiting", None) == await hub.state(uid)


async def test_what_ended_long_ago_is_dropped_but_not_what_is_dead(hub: House) -> None:
    done = str((await hub.accept("k0", {"address": True}, service="person.changes")).body["deliveryId"])
    await hub.carry()
    uid = await dead(hub)
    hub.clock.now += 31 * 86_400
    await hub.outbox.overdue(10, 60)  # an answer that is still awaited keeps its question
    dropped = await hub.outbox.forget(hub.outbox.ms() - 30 * 86_400_000)

    assert (1, None, "dead") == (dropped, await hub.outbox.find(done), (await hub.state(uid))[0])
