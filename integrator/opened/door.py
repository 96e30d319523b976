"""What the open façade may use: questions to what is open, and what is published. Nothing else of the hub is in its hands."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from integrator.errors import HubBusy
from integrator.exchange import Exchange
from integrator.model import Caller, Request, Trace
from integrator.opened.copies import Copies, Copy
from integrator.opened.documents import Documents
from integrator.opened.published import Published
from integrator.policy import Policies
from integrator.services import Service

APPLICATION = "open-door"  # what the ledger names; no application is enrolled for nobody in particular


@dataclass(slots=True)
class Opened:
    """Built by the composition root; `exchange` is the one of exchange.py, never the hub's own."""

    exchange: Exchange
    caller: Caller
    copies: Copies
    documents: Documents
    published: Published
    per_minute: int  # requests of one network
    most: int  # questions at the sources at once, so that nobody's curiosity takes the places of public bodies
    _under_way: dict[bytes, asyncio.Task[Copy]] = field(default_factory=dict)

    @property
    def services(self) -> Mapping[str, Service]:
        return self.exchange.services

    def swap(self, policies: Policies) -> None:
        """Other texts decide from now on; what was fetched under the old ones is not given any more."""
        self.exchange = replace(self.exchange, policies=policies)
        self.copies = Copies(self.copies.seconds, self.exchange.now)

    async def ask(
        self, service: Service, keys: Mapping[str, Any], fields: frozenset[str] | None, language: str, trace: Trace
    ) -> Copy:
        """An exchange as any other, or the copy that one left minutes ago. Raises the `IntegratorError` family."""
        wanted = sorted(fields) if fields else None
        question = orjson.dumps([service.name, keys, wanted, language], option=orjson.OPT_SORT_KEYS)
        known = self.copies.fresh(question)
        if known is not None:
            return known
        asking = self._under_way.get(question)
        if asking is None:
            if len(self._under_way) >= self.most:
                raise HubBusy("more open questions at the sources than are let through at once")
            request = Request(service.name, self.caller, keys, trace, fields, language=language)
            asking = self._under_way[question] = asyncio.create_task(self._fetched(question, request))
            asking.add_done_callback(lambda task: self._ended(question, task))
        return await asyncio.shield(asking)  # whoever hangs up takes the answer from nobody else

    async def _fetched(self, question: bytes, request: Request) -> Copy:
        copies = self.copies
        return copies.keep(question, await self.exchange.answer(request))

    def _ended(self, question: bytes, task: asyncio.Task[Copy]) -> None:
        del self._under_way[question]
        if not task.cancelled():
            task.exception()  # looked at, so that asyncio does not warn when nobody waits any more
