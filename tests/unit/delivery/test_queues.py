"""The contract of Queue, sentence by sentence: over the database alone, and over NATS JetStream. And the relay on top of it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import uuid
from collections.abc import AsyncIterator

import nats
import pytest
from nats.js.errors import NotFoundError

from integrator.delivery import broker
from integrator.delivery.queue import OutboxQueue, Queue
from integrator.delivery.relay import Relay
from integrator.delivery.terms import Held, Sent
from integrator.errors import ConfigurationError, LedgerUnwritable
from tests.unit.delivery.kit import NUMBER, House

NATS = os.environ.get("INTEGRATOR_TEST_NATS", "nats://127.0.0.1:4222")


@contextlib.asynccontextmanager
async def opened(
    kind: str, hub: House, lease: float = 60.0, stream: str | None = None, url: str = NATS
) -> AsyncIterator[Queue]:
    if kind == "outbox":
        yield OutboxQueue(hub.outbox, lease=lease)
        return
    stream = stream or f"test-{uuid.uuid4().hex}"
    try:
        queue = await broker.open_broker(hub.outbox, url, lease=lease, stream=stream)
    except ConfigurationError:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"NO NATS: {NATS} does not answer")
    try:
        yield queue
    finally:
        await queue.close()
        client = await nats.connect(NATS, connect_timeout=3, allow_reconnect=False)  # a relay may have closed the other
        with contextlib.suppress(NotFoundError):  # two queues of one stream: the other one was first
            await client.jetstream().delete_stream(stream)
        await client.close()


@pytest.fixture(params=["outbox", "nats"])
async def queue(request: pytest.FixtureRequest, hub: House) -> AsyncIterator[Queue]:
    async with opened(request.param, hub) as queue:
        yield queue


async def some(queue: Queue, count: int = 10) -> list[Held]:
    """What the queue gives within a few turns: a broker needs a moment to say what it was told."""
    for _ in range(40):
        if held := await queue.next(count):
            return held
    return []


async def test_nothing_due_is_nothing(queue: Queue) -> None:
    assert [] == await queue.next(10)


async def test_what_is_due_is_given(hub: House, queue: Queue) -> None:
    uid = (await hub.accept("k1")).body["deliveryId"]

    assert [uid] == [held.uid for held in await some(queue)]


async def test_what_is_given_is_given_once(hub: House, queue: Queue) -> None:
    await hub.accept("k1")
    await some(queue)

    assert [] == [held for _ in range(3) for held in await queue.next(10)]


async def test_the_first_of_a_lane_comes_alone(hub: House, queue: Queue) -> None:
    uids = [(await hub.accept(f"k{n}")).body["deliveryId"] for n in range(3)]
    given = []
    for _ in range(3):
        held = await some(queue)
        given += [one.uid for one in held]
        await hub.carrying.carry(held)

    assert uids == given


async def test_what_is_not_settled_comes_back_as_lost(
    hub: House, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "WINDOW", 0.0)
    await hub.accept("k1")
    [first] = await some(queue)
    hub.clock.now += 61
    [second] = await some(queue)

    assert (first.uid, False, True) == (second.uid, first.lost, second.lost)


async def test_what_is_due_later_comes_later(hub: House, queue: Queue) -> None:
    await hub.accept("k1")
    hub.way.says = [Sent("again", "HTTP_503")]
    await hub.carrying.carry(await some(queue))
    early = await queue.next(10)
    hub.clock.now += 11

    assert ([], 1) == (early, len(await some(queue)))


@pytest.mark.parametrize("kind", ["outbox", "nats"])
async def test_two_relays_share_what_is_due(hub: House, kind: str) -> None:
    stream = f"test-{uuid.uuid4().hex}"
    uids = {(await hub.accept(f"k{n}", recipient=f"follower-{n}")).body["deliveryId"] for n in range(20)}
    async with opened(kind, hub, stream=stream) as one, opened(kind, hub, stream=stream) as other:
        given = [held.uid for _ in range(20) for queue in (one, other) for held in await queue.next(3)]

    assert sorted(uids) == sorted(given)


async def test_a_broker_holds_names_only(small: House) -> None:
    await small.accept("k1")
    async with opened("nats", small) as queue:
        await queue._pump(10)
        [message] = await queue._consumer.fetch(1, timeout=5)

        assert (32, True) == (len(message.data), NUMBER.encode() not in message.data)


async def test_a_broker_that_is_down_is_done_without(small: House) -> None:
    uid = (await small.accept("k1")).body["deliveryId"]
    async with opened("nats", small) as queue:
        await queue._client.close()

        assert [uid] == [held.uid for held in await some(queue)]


class Mute:
    """Stands before a broker and passes everything on, until it is told to hold the line and say nothing."""

    def __init__(self) -> None:
        self.silent = False
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> Mute:
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        self.url = f"nats://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in self._writers:
            writer.close()

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        if self.silent:
            return
        host, _, port = NATS.removeprefix("nats://").partition(":")
        theirs, ours = await asyncio.open_connection(host, int(port))
        self._writers.append(ours)
        await asyncio.gather(self._pass(reader, ours), self._pass(theirs, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                if not self.silent:
                    writer.write(data)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "_PATIENCE", 0.5)
    monkeypatch.setattr(broker, "_START", 1.0)


@pytest.mark.usefixtures("hasty")
async def test_a_broker_that_falls_silent_is_done_without_and_left_alone_for_a_while(small: House) -> None:
    async with Mute() as mute, opened("nats", small, url=mute.url) as queue:
        mute.silent = True
        uids = [(await small.accept(f"k{n}", recipient=f"follower-{n}")).body["deliveryId"] for n in range(2)]
        async with asyncio.timeout(5):
            first = await queue.next(1)
        async with asyncio.timeout(0.3):  # within the patience of one turn: the broker is not asked
            second = await queue.next(1)

    assert uids == [held.uid for held in (*first, *second)]


@pytest.mark.usefixtures("hasty")
async def test_a_broker_that_accepts_and_says_nothing_stops_the_start(small: House) -> None:
    async with Mute() as mute:
        mute.silent = True
        with pytest.raises(ConfigurationError):
            async with asyncio.timeout(5):
                await broker.open_broker(small.outbox, mute.url)


async def test_a_broker_that_never_answered_stops_the_start(small: House) -> None:
    with pytest.raises(ConfigurationError):
        await broker.open_broker(small.outbox, "nats://127.0.0.1:1")


# --- the relay ----------------------------------------------------------------------------------------------------------


async def until(condition, patience: float = 20.0) -> None:
    async with asyncio.timeout(patience):
        while not await condition():
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def relaying(relay: Relay) -> AsyncIterator[None]:
    task = asyncio.create_task(relay.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_a_relay_delivers_everything(hub: House, queue: Queue) -> None:
    for n in range(30):
        await hub.accept(f"k{n}", recipient=f"follower-{n % 7}")

    async def all_there() -> bool:
        return {} == await hub.outbox.counts()

    async with relaying(Relay(queue, hub.carrying.carry, batch=8, pause=0.05)):
        await until(all_there)

    assert 30 == len({held.uid for held, _ in hub.way.sent})


async def test_a_relay_survives_whatever_befalls_its_looking_and_says_so_meanwhile(small: House) -> None:
    uid = (await small.accept("k1")).body["deliveryId"]
    states: list[bool] = []

    class Wounded(OutboxQueue):
        async def next(self, count: int) -> list[Held]:
            states.append(relay.failing)
            if len(states) < 3:
                raise PermissionError("the ring of keys cannot be read")
            return await super().next(count)

    relay = Relay(Wounded(small.outbox), small.carrying.carry, pause=0.01)

    async def done() -> bool:
        return ("delivered", None) == await small.state(uid)

    async with relaying(relay):
        await until(done)

    assert ([False, True, True], False) == (states[:3], relay.failing)


async def test_a_relay_without_ledger_says_so_and_goes_on_afterwards(small: House) -> None:
    await small.accept("k1")
    failures = [LedgerUnwritable("no"), LedgerUnwritable("no")]
    states: list[bool] = []

    async def carry(held) -> None:
        states.append(relay.failing)
        small.clock.now += 61  # the lease of what was not settled ends
        if failures:
            raise failures.pop()
        await small.carrying.carry(held)

    relay = Relay(OutboxQueue(small.outbox), carry, pause=0.01)

    async def done() -> bool:
        return "dead" not in await small.outbox.counts() and len(states) >= 3 and not relay.failing

    async with relaying(relay):
        await until(done)

    assert [False, True, True] == states[:3]
