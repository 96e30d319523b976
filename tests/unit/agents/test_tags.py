"""Tags of agents' own numbers: compared while an exchange waits, so from memory, and never an error of that exchange."""

from __future__ import annotations

import asyncio
import threading

import pytest
from sqlalchemy.exc import OperationalError

from integrator.agents import tags as module
from integrator.agents.scim.schemas import AGENT
from integrator.agents.tags import AgentTags
from tests.unit.agents.town import NUMBER, Town

OTHER = "85610100147"


class Register:
    """What is known of agents; `broken`: it does not answer."""

    def __init__(self) -> None:
        self.tags: dict[str, str] = {}
        self.asked: list[tuple[str, bool]] = []  # agent, whether on the event loop's own thread
        self.broken: Exception | None = None
        self.loop = threading.get_ident()

    def __call__(self, agent: str) -> str | None:
        self.asked.append((agent, threading.get_ident() == self.loop))
        if self.broken is not None:
            raise self.broken
        return self.tags.get(agent)


class Stopwatch:
    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Stopwatch:
    made = Stopwatch()
    monkeypatch.setattr(module, "time", made)
    return made


@pytest.fixture
def register() -> Register:
    return Register()


@pytest.fixture
def tags(register: Register, watch: Stopwatch) -> AgentTags:
    made = AgentTags(bytes(32), register)
    register.tags["a-anna"] = made.of(NUMBER)
    return made


async def test_an_agent_asks_about_himself(tags: AgentTags, register: Register) -> None:
    await tags.know("a-anna")
    await tags.know("a-stranger")

    assert [True, False, False] == [
        tags.same("a-anna", NUMBER),
        tags.same("a-anna", OTHER),
        tags.same("a-stranger", NUMBER),
    ]
    assert [("a-anna", False), ("a-stranger", False)] == register.asked  # never while everybody waits


async def test_what_was_known_last_is_known_while_the_register_does_not_answer(
    tags: AgentTags, register: Register, watch: Stopwatch
) -> None:
    await tags.know("a-anna")
    register.broken = OperationalError("select", {}, Exception())
    watch.now += 61
    for agent in ("a-anna", "a-new"):
        await tags.know(agent)

    assert [True, False] == [tags.same("a-anna", NUMBER), tags.same("a-new", NUMBER)]
    assert 2 == len(register.asked)  # it is left alone for a while
    register.broken = None
    watch.now += 6
    register.tags["a-new"] = tags.of(OTHER)
    await tags.know("a-new")

    assert tags.same("a-new", OTHER)


async def test_a_register_that_hangs_does_not_hold_an_exchange_up(
    tags: AgentTags, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = threading.Event()
    monkeypatch.setattr(module, "_PATIENCE", 0.05)
    monkeypatch.setattr(tags, "_own", lambda agent: free.wait(10))
    try:
        await asyncio.wait_for(tags.know("a-anna"), 5)
    finally:
        free.set()

    assert not tags.same("a-anna", NUMBER)


async def test_what_hr_told_of_a_number_is_known_within_a_minute(village: Town, watch: Stopwatch) -> None:
    id_ = await village.user("anna", number=NUMBER)
    await village.agents.tags.know(id_)
    await village.patch(id_, {"op": "replace", "path": f"{AGENT}:nationalNumber", "value": OTHER})
    watch.now += 61
    await village.agents.tags.know(id_)

    assert [False, True] == [village.agents.tags.same(id_, number) for number in (NUMBER, OTHER)]
