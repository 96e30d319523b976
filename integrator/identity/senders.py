"""Who sent a message that carries no token: the application that the operator registered its certificate for.

A certificate is believed here by the same rules as one that a token is bound to (certificates.py); being believed does not
yet make it anybody's. What the message itself says, its purpose and its agent, is read as a token's details are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from integrator.errors import Issue, MalformedRequest, UnknownCaller
from integrator.identity.applications import Application, Applications
from integrator.identity.certificates import Certificates, thumbprint
from integrator.identity.details import NotGranted, read
from integrator.identity.replays import Replays
from integrator.model import Caller

PROBLEM = "messageNotBelieved"


class MessageRefused(UnknownCaller):
    """A message of which nobody knows whose it is, or whether it is new; nothing of it was read."""

    code = "MESSAGE_REFUSED"

    def __init__(self, words: str, advice: str) -> None:
        super().__init__(words, problem=PROBLEM, advice=advice)


class Senders:
    """From a certificate to an application, and each message once."""

    def __init__(
        self, applications: Applications, certificates: Certificates, replays: Replays, now: Callable[[], float]
    ) -> None:
        self._applications, self._certificates, self._replays, self._now = applications, certificates, replays, now

    def of(self, der: bytes) -> Application:
        """Whose certificate this is. Raises `MessageRefused`."""
        application = self.named(thumbprint(der))
        try:
            self._certificates.believe(der)  # after: a stranger's certificate is not worth reading
        except UnknownCaller as error:
            raise MessageRefused(str(error), error.hint) from None
        return application

    def named(self, mark: str) -> Application:
        """The same for the thumbprint of one that was believed already. Raises `MessageRefused`."""
        application = self._applications.bearing(mark)
        if application is None:
            raise MessageRefused(
                "the certificate speaks for no application",
                "The operator of the hub registers the certificate that signs your messages for one application.",
            )
        return application

    async def once(self, application: Application, digest: bytes, until: float) -> None:
        """Raises `MessageRefused` for a message that came before, `LedgerUnwritable` where that cannot be known."""
        first = await asyncio.to_thread(
            self._replays.first_use, application.id, f"message:{digest.hex()}", expires=until, now=self._now()
        )
        if not first:
            raise MessageRefused(
                "the message came before", "Sign every message anew, with a fresh Timestamp and fresh ids."
            )

    @staticmethod
    def caller(application: Application, purpose: str, agent: str | None) -> Caller:
        """Who asks, for what. Raises `MalformedRequest`."""
        members = {"type": "purpose", "purpose": purpose} | ({"agent": agent} if agent is not None else {})
        try:
            detail = read([members])
        except NotGranted as error:
            raise MalformedRequest(Issue("rejectedInput", "body", "/context/agent", str(error))) from None
        if detail.purpose not in application.purposes:
            advice = "the application is not enrolled for this purpose; its enrolment names those it may use"
            raise MalformedRequest(Issue("rejectedInput", "body", "/context/purpose", advice))
        return Caller(application.organisation, application.id, detail.purpose, detail.agent)
