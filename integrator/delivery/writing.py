"""Writes to a source, as services say them (`delivery: {kind: write, to: <connector>.<operation>, confirm: …}`).

do    the operation of the connector, once, inside the exchange that carries the message: its intent is durable by then
ask   whether it happened: the service that `confirm` names, an exchange of its own, recorded as a read; found = it happened.
      `confirm: again` asks nobody: it is done once more
"""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from integrator import clock
from integrator.contract import Connector, Question
from integrator.delivery.effects import Effect, ReplyLost
from integrator.delivery.terms import Held
from integrator.directory import OWN
from integrator.errors import ConfigurationError, SourceFault, SourceUnavailable, SubjectNotFound
from integrator.model import Answer, Caller, Request, Trace
from integrator.services import Confirm, Service

Ask = Callable[[Request], Awaitable[Answer]]

PATIENCE = 40.0  # seconds for one write, with what a source needs to say what became of it; never longer than its lease
_SPARE = 2.0  # seconds of the lease that are left for recording the outcome


def writes(
    services: Mapping[str, Service], connectors: Mapping[str, Connector], ask: Ask, now: clock.Now
) -> dict[str, Effect]:
    """The effect of every service that writes, by its `to`. Raises `ConfigurationError`."""
    found: dict[str, Effect] = {}
    for service in services.values():
        later = service.later
        if later is None or later.to is None or not (later.confirm or later.again):
            continue
        source, _, operation = later.to.partition(".")
        asked = services.get(later.confirm.service) if later.confirm else None
        if source not in connectors or (later.confirm and asked is None):
            raise ConfigurationError(
                f"{service.name}: `to` and `confirm` name a connector and a service that are there"
            )
        if later.to in found:
            raise ConfigurationError(f"{service.name}: another service writes to {later.to} already")
        found[later.to] = Write(source, connectors[source], operation, later.confirm, asked, ask, now)
    return found


@dataclass(frozen=True, slots=True)
class Write:
    """Implements Effect over one operation of one connector."""

    source: str
    connector: Connector
    operation: str
    confirm: Confirm | None  # None: done once more, it changes nothing
    asked: Service | None  # what `confirm` names
    answer: Ask
    now: clock.Now

    async def do(self, held: Held, content: Mapping[str, Any]) -> None:
        """The connector gets keys and content together; its ticket is the delivery's id, the same at every attempt."""
        left = held.leased_until / 1000 - self.now() - _SPARE if held.leased_until else PATIENCE
        until = time.monotonic() + min(PATIENCE, left)
        keys = {**held.keys, **content}
        question = Question(self.operation, keys, frozenset(), False, held.uid, held.organisation, "", until)
        if self.source in OWN:
            question = replace(question, purpose=held.purpose, dossier=held.dossier)
        try:
            await self.connector.ask(question)
        except SourceUnavailable as error:
            if error.sent:
                raise ReplyLost(self.source) from None
            raise
        except SourceFault:  # it answered, but not so that anybody could believe it: it may have done it
            raise ReplyLost(self.source) from None

    async def ask(self, held: Held, content: Mapping[str, Any]) -> bool:
        if self.confirm is None or self.asked is None:
            return False
        known = {**held.keys, **content}
        keys = {name: known[name] for name in self.confirm.keys if name in known}
        caller = Caller(held.organisation, held.application, held.purpose, held.agent)
        trace = Trace(os.urandom(16).hex(), os.urandom(8).hex(), held.trace)
        try:
            answer = await self.answer(Request(self.asked.name, caller, keys, trace, None, held.dossier))
        except SubjectNotFound:
            return False
        if self.asked.list_name is None or answer.body.get(self.asked.list_name):
            return True
        if answer.body.get("isComplete") is False:  # there may be more than it showed
            raise SourceUnavailable(self.source)
        return False
