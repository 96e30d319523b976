"""Where the tags of an agent come from: whoever signs agents in knows their number for a moment, and keeps a tag of it.

`AgentTags` is all that has to be known; `Circle` is what a personnel file may add. Both answer at once, from memory:
they are asked while a caller waits. `FileAgentTags` is both, for a hub whose agents are kept by hand.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from integrator.errors import ConfigurationError
from integrator.logs import log

_AGAIN = 1.0  # seconds between two looks at the file
_DAMAGED = (OSError, ValueError, KeyError, TypeError, AttributeError)  # of a file that cannot be read, or is no such file


class AgentTags(Protocol):
    """What an agent is known by."""

    def own(self, agent: str) -> bytes | None:
        """The tag of the agent's own number (`Tagger.person`); None = not known, and nothing is concluded from that."""


@dataclass(frozen=True, slots=True)
class Near:
    """Tags of an agent's surname and home; empty = not known."""

    surnames: frozenset[bytes] = frozenset()
    addresses: frozenset[bytes] = frozenset()


class Circle(Protocol):
    """Who else is near an agent."""

    def near(self, agent: str) -> Near: ...
    def colleague(self, organisation: str, person: bytes) -> bool:
        """Whether this person (a tag) works for the organisation."""


class Nobody:
    """No agent is known: a hub without sign-in of agents."""

    def own(self, agent: str) -> bytes | None:
        return None

    def near(self, agent: str) -> Near:
        return Near()

    def colleague(self, organisation: str, person: bytes) -> bool:
        return False


class FileAgentTags:
    """A JSON file of tags by agent, read again when it changed. No name and no number stands in it.

    Who asks while a caller waits gets what was read last when the file cannot be read; commands (`put`, `forget`, `agents`)
    raise `ConfigurationError`, so that a damaged file is never taken for an empty one and written over.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._looked = -_AGAIN
        self._agents: Mapping[str, Mapping[str, Any]] = {}
        self._staff: frozenset[tuple[str, str]] = frozenset()
        self._silent = False  # that it cannot be read was said already

    def own(self, agent: str) -> bytes | None:
        found = self._read().get(agent)
        return bytes.fromhex(found["own"]) if found else None

    def near(self, agent: str) -> Near:
        found = self._read().get(agent, {})
        return Near(*(frozenset(map(bytes.fromhex, found.get(name, ()))) for name in ("surnames", "addresses")))

    def colleague(self, organisation: str, person: bytes) -> bool:
        self._read()
        return (organisation, person.hex()) in self._staff

    def put(self, agent: str, organisation: str, own: bytes, near: Near) -> None:
        """Keep or replace the tags of an agent."""
        row = {
            "organisation": organisation, "own": own.hex(), "surnames": sorted(one.hex() for one in near.surnames),
            "addresses": sorted(one.hex() for one in near.addresses),
        }  # fmt: skip
        self._write({**self._fresh(), agent: row})

    def forget(self, agent: str) -> bool:
        """Whether there was such an agent."""
        agents = dict(self._fresh())
        known = agents.pop(agent, None) is not None
        self._write(agents)
        return known

    def agents(self) -> list[str]:
        return sorted(self._fresh())

    def _fresh(self) -> Mapping[str, Mapping[str, Any]]:
        self._stamp = None
        try:
            self._load()
        except _DAMAGED as error:
            raise ConfigurationError(
                f"{self._path.name} cannot be read: {type(error).__name__}",
                advice="integrator audit agents writes it; put it back from the backup, or take it away.",
            ) from error
        return self._agents

    def _read(self) -> Mapping[str, Mapping[str, Any]]:
        now = time.monotonic()
        if now - self._looked < _AGAIN:
            return self._agents
        self._looked = now
        try:
            self._load()
        except _DAMAGED as error:
            if not self._silent:
                log.error("agent_tags_unreadable", error=type(error).__name__)
            self._silent = True
        return self._agents

    def _load(self) -> None:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return self._take({}, None)
        stamp = status.st_mtime_ns, status.st_size
        if stamp != self._stamp:
            self._take(json.loads(self._path.read_text("utf-8")), stamp)
        return None

    def _take(self, agents: Mapping[str, Mapping[str, Any]], stamp: tuple[int, int] | None) -> None:
        staff = frozenset((one["organisation"], one["own"]) for one in agents.values())
        for one in agents.values():  # all of it, before any of it is used
            bytes.fromhex(one["own"])
        self._agents, self._staff, self._stamp, self._silent = agents, staff, stamp, False

    def _write(self, agents: Mapping[str, Mapping[str, Any]]) -> None:
        beside = self._path.with_suffix(f".{os.getpid()}")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(agents, file, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)
        self._stamp, self._looked = None, -_AGAIN
