"""Ids and tags of agents: random letters for the one, a keyed tag of the national number for the other.

An id has no digits, so that it can never look like a national number in an address or a record. What is compared while an
exchange waits is compared in memory; the register is asked beside it, and only for so long.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from integrator.agents.tables import resource_table
from integrator.database import Database
from integrator.errors import ConfigurationError
from integrator.keyfiles import made_once
from integrator.logs import log

_LETTERS = "bcdfghjkmnpqrstvwxyz"  # no vowels: an id is no word
_LENGTH = 24  # 103 bits
_FRESH, _REMEMBERED = 60.0, 10_000  # seconds, agents
_PATIENCE = 0.5  # seconds that an exchange waits for the register
_AGAIN = 5.0  # seconds without a question after the register did not answer


def new_id(kind: str) -> str:
    """`a-…` an agent, `g-…` a group, `d-…` a delegation.

    >>> len(new_id("a"))
    26
    """
    return f"{kind}-" + "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))


class AgentTags:
    """What alerts on an agent's own data compare: `own(agent) == of(number)` says that an agent asks about himself."""

    def __init__(self, secret: bytes, own: Callable[[str], str | None] = lambda agent: None) -> None:
        if len(secret) != 32:
            raise ConfigurationError("the key of the agents' tags is damaged", advice="Put it back from the backup.")
        self._secret, self._own = secret, own
        self._known: dict[str, tuple[float, str | None]] = {}  # agent -> when looked up, tag
        self._resting = float("-inf")  # until then the register is left alone …
        self._hung: asyncio.Future[None] | None = None  # … and as long as it owes this answer

    def of(self, number: str) -> str:
        """The tag of a national number: 11 digits in, 43 characters out; nothing without the key."""
        digest = hmac.digest(self._secret, b"integrator agents nrn " + number.encode(), "sha256")
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def own(self, agent: str) -> str | None:
        """The tag of an agent's own number, if HR told it. Blocks for one look into the database."""
        return self._own(agent)

    async def know(self, agent: str) -> None:
        """MUST come before `same`: what HR told of an agent is looked up, once a minute. Never raises.

        When the register does not answer, what was known last is still known, and of the others nothing is.
        """
        now = time.monotonic()
        known = self._known.get(agent)
        if now < self._resting or (known is not None and now - known[0] <= _FRESH):
            return
        if self._hung is not None and not self._hung.done():
            return
        asked = asyncio.get_running_loop().run_in_executor(None, self._looked_up, agent, now)
        await asyncio.wait({asked}, timeout=_PATIENCE)
        if not asked.done():
            self._hung = asked
            log.warning("agent_not_looked_up", error="TimeoutError")

    def _looked_up(self, agent: str, now: float) -> None:
        """In a thread."""
        try:
            tag = self.own(agent)
        except SQLAlchemyError as error:
            self._resting = now + _AGAIN
            log.warning("agent_not_looked_up", error=type(error).__name__)
            return
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[agent] = (now, tag)

    def same(self, agent: str, number: str) -> bool:
        """Whether this is the agent's own number, as HR told and `know` learned."""
        _, tag = self._known.get(agent, (0.0, None))
        return tag is not None and hmac.compare_digest(tag, self.of(number))


def open_tags(state: Path, database: Database) -> AgentTags:
    """The key is made the first time: `agent-keys/tags.key`, 32 bytes, 0600. Raises `ConfigurationError`."""
    secret = made_once(state / "agent-keys" / "tags.key", lambda: os.urandom(32))

    def own(agent: str) -> str | None:
        query = select(resource_table.c.own).where(resource_table.c.id == agent)
        return database.now(lambda connection: connection.execute(query).scalar_one_or_none())

    return AgentTags(secret, own)
