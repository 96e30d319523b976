"""Keys of applications that are enrolled: another one, one less, all of them off. Always the ledger first, then the act.

desk.order       an application, signed with a key it has       desk.revoke, disable     its DPO, or an operator
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from audit import Draft, LedgerError
from integrator.errors import Issue, LedgerUnwritable, MalformedRequest, RequestRefused
from integrator.identity import changes
from integrator.identity.applications import Application, Applications, set_disabled
from integrator.identity.assertions import NotBelieved
from integrator.identity.enrolment import proofs
from integrator.identity.enrolment.asking import Rooms, read_key
from integrator.identity.enrolment.entries import entry
from integrator.identity.replays import Replays

Write = Callable[[Sequence[Draft]], Awaitable[Any]]  # durable when it returns; raises LedgerError


class EnrolmentRefused(RequestRefused):
    """This cannot be done (any more); `reason` says why. Nothing was changed."""

    code, where = "ENROLMENT_REFUSED", "C1"
    advice = "Look at the request again: it was decided, or the name it asks for is taken."

    def __init__(self, reason: str, advice: str | None = None) -> None:
        super().__init__(reason, advice=advice)
        self.reason = reason  # DECIDED | NAME_TAKEN | SAME_PERSON | NO_SUCH_APPLICATION


class KeyDesk:
    """One for each process; the folder of applications is shared by all."""

    def __init__(
        self, applications: Applications, folder: Path, replays: Replays, rooms: Rooms, write: Write, limits: Mapping[str, Any],
        now: Callable[[], float],
    ) -> None:  # fmt: skip
        """`limits`: the setting `enrolment`."""
        self.rooms, self.now = rooms, now
        self._applications, self._folder, self._replays, self._write = applications, folder, replays, write
        self._limits = limits

    def reload(self) -> None:
        """What was changed counts in this process from now on; in others within a second."""
        self._applications.reload()

    async def application(self, name: str) -> Application:
        """One that is enrolled, switched off or not. Raises `EnrolmentRefused`."""
        for one in await asyncio.to_thread(self._applications.all):
            if one.id == name:
                return one
        raise EnrolmentRefused("NO_SUCH_APPLICATION", "See `integrator app list`.")

    async def applications(self, organisation: str | None = None) -> list[Application]:
        """All that are enrolled; of one organisation, where one is named."""
        found = await asyncio.to_thread(self._applications.all)
        return [one for one in found if organisation in (None, one.organisation)]

    async def order(self, act: str, order: Any, proof: Any = None, trace: str | None = None) -> Application:
        """What an application orders about its own keys: `rotate` or `revoke`. It counts in this process at once.

        Raises `MalformedRequest` (not believed), `KeyRefused`, `LedgerUnwritable`.
        """
        now = self.now()
        believed = self._believed(act, order, now)
        application, name = believed.application, believed.application.id
        if act == "revoke":
            if believed.kid not in application.lives and believed.kid not in application.keys:
                raise changes.KeyRefused(
                    "NO_SUCH_KEY", "This application has no such key; its list names those it has."
                )
            await self.once(name, believed.jti, believed.expires, "/order")
            await self.record(
                entry("application.key.revoke", application.organisation, name, kid=believed.kid, trace=trace)
            )
            return await self._revoked(name, believed.kid, "application")
        pinned = read_key(believed.jwk, self.rooms.world, "/order")
        try:
            jti, expires = proofs.check_proof(
                proof if isinstance(proof, str) else "", pinned, name, self.rooms.issuer, now
            )
        except NotBelieved as error:
            raise MalformedRequest(Issue("rejectedInput", "body", "/proof", str(error))) from None
        await self.once(name, believed.jti, believed.expires, "/order")
        await self.once(f"key {pinned.kid}", jti, expires, "/proof")
        await asyncio.to_thread(changes.refuse_used, self._folder, pinned.jwk, self.rooms.world)
        await self.record(entry("application.key.rotate", application.organisation, name, kid=pinned.kid, trace=trace))
        changed = await asyncio.to_thread(
            changes.add_key, self._folder, name, pinned.jwk, self.rooms.world, now,
            ends=now + self._limits["keyDays"] * 86_400, old=believed.signed_by, old_ends=now + believed.overlap,
        )  # fmt: skip
        self._applications.reload()
        return changed

    async def revoke(self, name: str, kid: str, role: str, account: str, words: str) -> Application:
        """A key of an application, by its DPO or an operator: at once, with the tokens it got.

        Raises `KeyRefused`, `EnrolmentRefused`, `LedgerUnwritable`.
        """
        application = await self.application(name)
        await self.record(
            entry(
                "application.key.revoke",
                application.organisation,
                name,
                kid=kid,
                agent={"id": account, "role": role},
                words=words,
            )
        )
        return await self._revoked(name, kid, role)

    async def certify(self, name: str, mark: str, role: str, account: str) -> Application:
        """A certificate, by its thumbprint, speaks for an application from now on (SOAP).

        Raises `KeyRefused`, `EnrolmentRefused`, `LedgerUnwritable`.
        """
        application = await self.application(name)
        by = {"id": account, "role": role}
        await self.record(entry("certificate.add", application.organisation, name, kid=mark, agent=by))
        changed = await asyncio.to_thread(changes.add_certificate, self._folder, name, mark, self.rooms.world)
        self._applications.reload()
        return changed

    async def disable(self, name: str, role: str, account: str, words: str, *, off: bool = True) -> Application:
        """Switch an application off, or on again. Raises `EnrolmentRefused`, `LedgerUnwritable`."""
        application = await self.application(name)
        act = "application.disable" if off else "application.enable"
        await self.record(entry(act, application.organisation, name, agent={"id": account, "role": role}, words=words))
        changed = await asyncio.to_thread(set_disabled, self._folder, name, off, self.rooms.world)
        self._applications.reload()
        return changed

    def _believed(self, act: str, order: Any, now: float) -> proofs.Order:
        try:
            believed = proofs.check_order(
                order if isinstance(order, str) else "", self._applications.get, self.rooms.issuer, now
            )
            if believed.act != act:
                raise NotBelieved(f"its act is not {act}")
        except NotBelieved as error:
            raise MalformedRequest(Issue("rejectedInput", "body", "/order", str(error))) from None
        return believed

    async def _revoked(self, name: str, kid: str, by: str) -> Application:
        changed = await asyncio.to_thread(
            changes.revoke_key, self._folder, name, kid, self.rooms.world, self.now(), by=by
        )
        self._applications.reload()
        return changed

    async def once(self, whose: str, jti: str, expires: float, where: str) -> None:
        """Raises `MalformedRequest` when this proof or order was shown before."""
        first = await asyncio.to_thread(self._replays.first_use, whose, jti, expires=expires, now=self.now())
        if not first:
            raise MalformedRequest(
                Issue("rejectedInput", "body", where, "it was used already: make a new one, with a new jti")
            )

    async def record(self, draft: Draft) -> None:
        """Durable when this returns. Raises `LedgerUnwritable`."""
        try:
            await self._write([draft])
        except LedgerError as error:
            raise LedgerUnwritable("the ledger could not be written") from error
