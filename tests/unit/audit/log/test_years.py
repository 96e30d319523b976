"""A shard for each year: the turn of the year loses nothing, and the old shard is sealed once its exchanges are over."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from audit.errors import StoreFailed
from audit.log import years
from audit.log.receipts import open_receipt
from audit.log.signing import Signers
from audit.log.years import AGAIN, Books
from audit.tree.checkpoint import Checkpoint
from audit.tree.note import open_note
from tests.unit.audit.kit import Clock, a_draft
from tests.unit.audit.log.conftest import SECOND, House

NEW_YEAR = int(datetime(2027, 1, 1, tzinfo=UTC).timestamp()) * SECOND


def books(house: House, publisher: Any, **more: Any) -> Books:
    more = {"clock": house.clock, "tell": lambda *_, **__: None, **more}
    made = Books(house.store, house.keyring, house.names, publisher, house.signers.signer, house.state, **more)
    house.open.append(made)
    return made


def draft(kind: str = "intent", **more: Any) -> Any:
    return a_draft(kind, trace_id=os.urandom(16).hex(), **more)


def kinds(house: House, origin: str) -> list[str]:
    return [stored.kind for stored in house.store.read(origin)]


def signed(house: House, origin: str) -> int:
    return Checkpoint.parse(open_note(house.log.checkpoint(origin), [house.verifier(origin)]).text).size


async def test_an_exchange_under_way_at_midnight_finishes_in_its_year(house: House, clock: Clock):
    old, new = house.names.shard(2026), house.names.shard(2027)
    publisher = house.publisher(shards=())
    shelf = books(house, publisher)
    clock.now = NEW_YEAR - SECOND
    asked = await shelf.begin()
    [intent] = await asked.ledger.append([draft()])

    clock.now = NEW_YEAR
    first = await shelf.begin()  # of the new year
    await first.ledger.append([draft()])
    await asyncio.to_thread(shelf.tidy, timedelta(days=1))

    assert (old, new) == (asked.ledger.shard, first.ledger.shard)
    assert ["intent"] == kinds(house, old)  # nobody sealed it over the head of the exchange

    [outcome] = await asked.ledger.append([draft("outcome", clear={"intent_ref": intent.index})])
    receipt = open_receipt(asked.receipt(outcome) or b"", [house.verifier(old)])
    asked.end()
    await asyncio.to_thread(shelf.tidy, timedelta(days=1))
    publisher.step()

    assert ["intent", "outcome", "seal"] == kinds(house, old)
    assert new == json.loads(next(house.store.read(old, 2)).body)["successor"]
    assert (old, 1) == (receipt.origin, receipt.index)


async def test_the_sealed_year_gets_its_last_checkpoint_anchored_and_is_let_go(house: House, clock: Clock):
    old = house.names.shard(2026)
    publisher = house.publisher(shards=())
    shelf = books(house, publisher)
    book = await shelf.begin()
    await book.ledger.append([draft("denied")])
    book.end()
    publisher.step()
    clock.now = NEW_YEAR
    (await shelf.begin()).end()
    await asyncio.to_thread(shelf.tidy)
    publisher.step()

    assert 2 == signed(house, old)  # at once, although the last one is younger than ten seconds in a quiet test
    house.log.anchor_proof(house.log.checkpoint(old))
    assert [house.names.shard(2027)] == [one.origin for one in publisher.status().shards]


async def test_many_exchanges_at_midnight_open_one_shard(house: House, clock: Clock):
    shelf = books(house, house.publisher(shards=()))
    clock.now = NEW_YEAR
    begun = await asyncio.gather(*(shelf.begin() for _ in range(50)))

    assert 1 == len({id(book) for book in begun})
    assert [house.names.shard(2026), house.names.shard(2027)] == [
        name for name in house.store.shards() if "anchor" not in name
    ]


async def test_a_store_that_hesitates_at_midnight_costs_no_exchange(
    house: House, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    shelf = books(house, house.publisher(shards=()))
    clock.now = NEW_YEAR
    with monkeypatch.context() as patch:
        patch.setattr(years, "Ledger", _down)
        book = await shelf.begin()
    await book.ledger.append([draft()])
    book.end()

    assert (house.names.shard(2026), True) == (book.ledger.shard, shelf.late)

    clock.now += AGAIN
    after = await shelf.begin()

    assert (house.names.shard(2027), False) == (after.ledger.shard, shelf.late)


async def test_the_key_of_the_new_year_is_announced(house: House, clock: Clock):
    announced: list[str] = []
    shelf = books(house, house.publisher(shards=()), opened=announced.append)
    clock.now = NEW_YEAR
    await shelf.begin()

    assert [house.names.shard(2027)] == announced


async def test_a_key_that_will_be_missing_is_said_in_december(house: House, clock: Clock):
    said: list[str] = []
    house.signers.signer(house.names.shard(2026))
    house.signers.signer(house.names.anchor)
    house.signers = Signers(house.keyring, create=False)
    shelf = books(house, house.publisher(shards=()), tell=lambda level, event, **_: said.append(event))
    await asyncio.to_thread(shelf.tidy)
    assert [] == said

    clock.now = NEW_YEAR - 3600 * SECOND
    await asyncio.to_thread(shelf.tidy)
    clock.now = NEW_YEAR
    book = await shelf.begin()

    assert ["key_of_new_year_missing", "shard_of_new_year_not_opened"] == said
    assert house.names.shard(2026) == book.ledger.shard


async def test_a_year_that_ended_while_nothing_ran_is_sealed_at_the_next_start(
    house: House, houses: Callable[..., House], clock: Clock
):
    old = house.names.shard(2026)
    house.write(1)  # an intent that its process did not live to finish
    house.close()
    clock.now = NEW_YEAR + 3600 * SECOND
    again = houses()
    publisher = again.publisher(shards=())
    shelf = books(again, publisher)
    await asyncio.to_thread(shelf.tidy)
    publisher.step()

    assert ["intent", "unknown", "seal"] == kinds(again, old)
    assert 3 == signed(again, old)
    assert again.names.shard(2027) == shelf.ledger.shard

    again.close()
    third = houses()
    books(third, third.publisher(shards=()))

    assert ["intent", "unknown", "seal"] == kinds(third, old)  # once


def test_after_a_restore_the_numbered_shard_of_the_year_goes_on(house: House):
    house.ledger(f"{house.origin}-2").close()
    house.ledger(f"{house.origin}-10").close()

    assert f"{house.origin}-10" == books(house, house.publisher(shards=())).ledger.shard


def _down(*_: Any, **__: Any) -> None:
    raise StoreFailed("down")
