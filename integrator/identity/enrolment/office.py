"""Who may let an application in: two people, and the ledger before either counts.

office.ask       anybody with a key, at a bounded rate          office.approve, refuse   an operator and a DPO, each once
office.finish    what was admitted by a process that died is enrolled
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from integrator.errors import HubBusy, RequestRefused
from integrator.identity import changes
from integrator.identity.applications import create_application
from integrator.identity.enrolment.asking import read_request
from integrator.identity.enrolment.entries import entry
from integrator.identity.enrolment.keydesk import EnrolmentRefused, KeyDesk
from integrator.identity.enrolment.pile import Pile, Waiting
from integrator.ids import new_id
from integrator.logs import log

Role = Literal["operator", "dpo"]


class RequestUnknown(RequestRefused):
    """No such request, or not with this secret: nobody is told which."""

    code, where = "REQUEST_UNKNOWN", "A1"
    advice = (
        "Send requestId and secret as they were given, once, when you asked. After three months they are forgotten."
    )


class EnrolmentBusy(HubBusy):
    """More strangers ask to be enrolled than people can look at."""

    code, where = "ENROLMENT_BUSY", "A3"
    advice = (
        "Too many requests for enrolment wait or came in this hour: ask again after Retry-After, or call the operator."
    )
    retry_after = 600


class Office:
    """Requests of one hub; `desk` keeps the keys of those who were let in."""

    def __init__(self, pile: Pile, desk: KeyDesk, folder: Path, limits: Mapping[str, Any]) -> None:
        """`folder`: of the applications; `limits`: the setting `enrolment`."""
        self.pile, self.desk = pile, desk
        self._folder, self._limits = folder, limits

    async def ask(self, body: Mapping[str, Any], trace: str | None = None) -> tuple[Waiting, str]:
        """Lay a request; its secret, which is told once. Raises `MalformedRequest`, `EnrolmentBusy`, `KeyRefused`."""
        now = self.desk.now()
        waiting, lately = await self.pile.counts(now)
        if waiting >= self._limits["waiting"] or lately >= self._limits["perHour"]:
            raise EnrolmentBusy("requests for enrolment")
        asked = read_request(body, self.desk.rooms, now)
        await asyncio.to_thread(changes.refuse_used, self._folder, asked.jwk, self.desk.rooms.world)
        if await self.pile.with_key(asked.kid):
            raise changes.KeyRefused("KEY_IN_USE", "A request with this key waits already.")
        await self.desk.once(f"key {asked.kid}", asked.jti, asked.expires, "/proof")
        await self.desk.record(entry("application.request", asked.organisation, asked.name, kid=asked.kid, trace=trace))
        id_ = new_id(8)
        secret = await self.pile.lay(id_, asked, now)
        return await self._found(id_), secret

    async def status(self, id_: Any, secret: Any) -> Waiting:
        """Raises `RequestUnknown`."""
        found = (
            await self.pile.find(id_, secret) if isinstance(id_, str) and isinstance(secret, str) and secret else None
        )
        if found is None:
            raise RequestUnknown
        return found

    async def approve(self, id_: str, role: Role, account: str, *, name: str | None = None) -> Waiting:
        """One of the two approvals; with the second the application is enrolled. `name`: another than it wished (operator).

        Raises `RequestUnknown`, `EnrolmentRefused`, `LedgerUnwritable`, `ConfigurationError` (a name that cannot be).
        """
        one = await self._found(id_)
        if one.admitted:  # begun, and left by a process that died
            return await self._complete(id_)
        one = await self._waiting(id_)
        if account == (one.dpo if role == "operator" else one.operator):
            raise EnrolmentRefused("SAME_PERSON", "Two people approve: an operator and the organisation's own DPO.")
        called = name or one.name
        if (self._folder / f"{called}.json").exists() and not await self._is_this(called, one):
            raise EnrolmentRefused(
                "NAME_TAKEN", "An application has this name: the operator approves under another (--name)."
            )
        one = replace(one, name=called)
        await self.desk.record(
            entry(
                f"application.approve.{role}",
                one.organisation,
                one.name,
                kid=one.kid,
                agent={"id": account, "role": role},
            )
        )
        if not await self.pile.approve(one, role, account):
            raise EnrolmentRefused("DECIDED")
        return await self._complete(id_)

    async def refuse(self, id_: str, role: Role, account: str, words: str) -> Waiting:
        """Either of the two says no; `words` say why, for the ledger only. Raises as `approve`."""
        one = await self._waiting(id_)
        reason = f"REFUSED_BY_{role.upper()}"
        agent = {"id": account, "role": role}
        await self.desk.record(
            entry(
                "application.refuse", one.organisation, one.name, kid=one.kid, agent=agent, words=words, reason=reason
            )
        )
        if not await self.pile.change(one, state="refused", reason=reason, decided=int(self.desk.now())):
            raise EnrolmentRefused("DECIDED")
        return await self._found(id_)

    async def finish(self) -> None:
        """Enrol what was admitted and is not enrolled yet: after a start, and now and then."""
        for one in await self.pile.admitted():
            try:
                await self._complete(one.id)
            except EnrolmentRefused as error:
                log.warning("enrolment_not_finished", reason=error.reason, request=one.id)

    async def _complete(self, id_: str) -> Waiting:
        """Enrol what was admitted. Begun again after a crash, or by two at once, it does what is left to do."""
        one = await self._found(id_)
        if not one.admitted:
            return one
        now = self.desk.now()
        try:
            await asyncio.to_thread(
                create_application, self._folder, one.name, organisation=one.organisation, purposes=one.purposes, world=self.desk.rooms.world,
                now=now, title=one.title, jwk=one.jwk, key_ends=now + self._limits["keyDays"] * 86_400, certificate_bound=one.certificate_bound,
            )  # fmt: skip
        except FileExistsError:
            if not await self._is_this(one.name, one):  # somebody was enrolled under this name between the approvals
                await self.pile.change(one, state="waiting", operator=None)
                raise EnrolmentRefused(
                    "NAME_TAKEN", "The operator approves again, under another name (--name)."
                ) from None
        self.desk.reload()
        await self.pile.change(one, state="approved", decided=int(now))
        return await self._found(id_)

    async def _is_this(self, name: str, one: Waiting) -> bool:
        try:
            return one.kid in (await self.desk.application(name)).keys
        except EnrolmentRefused:
            return False

    async def _waiting(self, id_: str) -> Waiting:
        one = await self._found(id_)
        if one.state != "waiting" or one.admitted:
            raise EnrolmentRefused("DECIDED")
        return one

    async def _found(self, id_: str) -> Waiting:
        found = await self.pile.find(id_)
        if found is None:
            raise RequestUnknown
        return found
