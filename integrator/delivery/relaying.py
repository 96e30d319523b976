"""The blind relay: a notice reaches whom a question finds at delivery time, and neither end learns who the other is.

    notice ─► find: a question of the relay's own, for its own purpose ─► letter to the mailbox operator, under the found number
    reply to the letter ─► answer to the notice (see the counter)

Whoever sends reads the same whether somebody was found, nobody, or somebody who had such a notice that day already: of each subject
there is one letter a day. The number that was found is in the letter and nowhere else.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from integrator import clock
from integrator.delivery.depositing import Message
from integrator.delivery.outbox import Outbox
from integrator.delivery.subscriptions import Subscriptions
from integrator.delivery.terms import Held
from integrator.errors import IntegratorError, KeyReused, SourceUnavailable, SubjectNotFound
from integrator.model import SENDER, Answer, Caller, Request, Trace
from integrator.services import Find, Service

APPLICATION = "relay"  # nobody's: none is enrolled for the organisation in whose name the relay asks


@dataclass(frozen=True, slots=True)
class Relaying:
    """Implements Effect over one service of kind `relay`. Done again it changes nothing: a letter is named by what it is about."""

    find: Find
    letter: Service
    outbox: Outbox
    subscriptions: Subscriptions
    answer: Callable[[Request], Awaitable[Answer]]  # of a question
    accept: Callable[[Request, Message], Awaitable[Answer]]

    async def do(self, held: Held, content: Mapping[str, Any]) -> None:
        """Raises SourceUnavailable, whatever it was: then nothing went, and it is tried until the deadline."""
        day = clock.today(held.created / 1000).isoformat()
        about = orjson.dumps(dict(held.keys), option=orjson.OPT_SORT_KEYS).decode()
        uid = self.outbox.sealing.tag("letter", held.service, about, day).hex()
        if await self.outbox.find(uid) is not None:
            return
        try:
            await self._passed_on(uid, held, {**held.keys, **content})
        except KeyReused:  # another notice about the same was there at the same moment
            return
        except IntegratorError as error:
            raise SourceUnavailable(self.find.service, error.code) from None

    async def ask(self, held: Held, content: Mapping[str, Any]) -> bool:
        """Nobody needs asking: see the class."""
        del held, content
        return False

    async def _passed_on(self, uid: str, held: Held, known: Mapping[str, Any]) -> None:
        found = await self._found(held)
        later = self.letter.later
        if found is None or later is None or later.to is None:
            return
        receivers = await self.subscriptions.followers(self.letter.name, [self.find.mailbox])
        if not receivers:
            raise SourceUnavailable(self.letter.name, "nobody takes letters")
        carried = {name: known[name] for name in later.content if name in known}
        keys = {**found, later.to: self.find.mailbox}
        request = replace(self._request(self.letter.name, keys, held, frozenset(carried)), direction=SENDER)
        one = receivers[0]
        message = Message(
            self.outbox, uid, later.kind, one.mode, one.uid, (one.organisation, one.application, one.purpose), request, carried,
            self.letter.subject(keys), later.expires, later.answer, question=held.uid,
        )  # fmt: skip
        await self.accept(request, message)

    async def _found(self, held: Held) -> dict[str, str] | None:
        """The key of the letter by which somebody is found, with the number; None when nobody is."""
        keys = {name: held.keys[name] for name in self.find.keys}
        wanted = frozenset(self.find.recipient.values())
        try:
            answer = await self.answer(self._request(self.find.service, keys, held, wanted))
        except SubjectNotFound:
            return None
        for key, path in self.find.recipient.items():
            value: Any = answer.body
            for name in path.split("."):
                value = value.get(name) if isinstance(value, Mapping) else None
            if value is not None:
                return {key: str(value)}
        return None

    def _request(self, service: str, keys: Mapping[str, Any], held: Held, fields: frozenset[str]) -> Request:
        caller = Caller(self.find.organisation, APPLICATION, self.find.purpose)
        return Request(service, caller, keys, Trace(os.urandom(16).hex(), os.urandom(8).hex(), held.trace), fields)
