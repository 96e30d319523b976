"""Questions that BeSt is asked side by side: the first failure ends the others, and none is left behind."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from connectors.best import build
from integrator.contract import HttpAnswer, Tools
from integrator.errors import SourceUnavailable
from tests.contract import cases as played

ROOM = played.ROOT / "connectors" / "best"
QUESTION = {"question": {"operation": "address", "keys": {"addressId": "219307"}}}


class Channel:
    """The first call fails; the others wait for ever, and say when they are ended."""

    def __init__(self) -> None:
        self.begun, self.ended = 0, 0
        self.traces: list[str] = []

    async def __call__(self, *_: Any, headers: dict[str, str], **__: Any) -> HttpAnswer:
        self.begun += 1
        self.traces.append(headers["BelGov-Trace-Id"])
        if self.begun == 4:
            raise SourceUnavailable("best")
        try:
            await asyncio.sleep(60)
        finally:
            self.ended += 1
        raise AssertionError("nobody waits that long")


@pytest.fixture
def channel() -> Channel:
    return Channel()


async def ask(channel: Channel) -> None:
    connector = build(Tools("best", ROOM, {}, channel, lambda: played.NOW, True))
    await connector.ask(played.question(QUESTION))


async def test_first_failure_comes_out_as_it_is(channel):
    with pytest.raises(SourceUnavailable):
        await ask(channel)


async def test_first_failure_ends_the_others(channel):
    with pytest.raises(SourceUnavailable):
        await ask(channel)
    await asyncio.sleep(0)

    assert 3 == channel.ended


async def test_caller_who_gives_up_ends_them_all(channel):
    channel.begun = 10
    asking = asyncio.create_task(ask(channel))
    await asyncio.sleep(0.01)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await asyncio.sleep(0)

    assert 4 == channel.ended


async def test_every_call_has_a_trace_id_of_its_own(channel):
    with pytest.raises(SourceUnavailable):
        await ask(channel)

    assert 4 == len(set(channel.traces))
