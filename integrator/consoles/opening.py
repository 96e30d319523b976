"""The consoles put together for a hub: settings in, pages and questions out. The composition root calls this once."""

from __future__ import annotations

from typing import Any

import aiohttp
from starlette.requests import Request

from audit.errors import LedgerError
from integrator import clock
from integrator.consoles import alerts, auditor, citizen, dpo, orders
from integrator.consoles.accounts import Accounts
from integrator.consoles.book import open_book
from integrator.consoles.casefiles import pages as casefiles
from integrator.consoles.database import Database
from integrator.consoles.looking import Desk
from integrator.consoles.people import Person
from integrator.consoles.reveals import pages as reveals
from integrator.consoles.rooms import Room
from integrator.consoles.signin import pages
from integrator.consoles.signin.claims import Claims
from integrator.consoles.signin.oidc import Oidc, checked
from integrator.consoles.vault import open_vault
from integrator.consoles.web import Consoles
from integrator.errors import UnknownCaller
from integrator.settings import Settings

ROOMS: tuple[Room, ...] = (
    pages.room,
    citizen.room,
    dpo.room,
    casefiles.room,
    reveals.room,
    orders.room,
    citizen.office_room,
    alerts.room,
    auditor.room,
)  # fmt: skip - in the order of the menu


def open_consoles(settings: Settings, desk: Desk, session: aiohttp.ClientSession | None, now: clock.Now) -> Consoles:
    """Raises `ConfigurationError`."""
    database, vault = Database(str(settings.consoles["database"])), open_vault(settings.state)
    extras: dict[str, Any] = {"named_numbers": settings.named_numbers}
    if settings.sandbox:
        extras["accounts"] = Accounts(database, vault, now)
    book = open_book()
    if settings.consoles.get("signIn") and session is not None:
        chosen = checked(settings.consoles["signIn"], sandbox=settings.sandbox)
        numbers = settings.named_numbers if settings.sandbox else None
        claims = Claims(chosen.get("claims") or {}, chosen.get("roles") or {}, book.organisations, vault, numbers)
        extras["oidc"] = Oidc(chosen, f"{settings.issuer}/console/signin/callback", claims, session, vault, now)
    return Consoles(
        desk, book, database, vault, now,
        secure=settings.issuer.startswith("https:") or not settings.sandbox,
        sandbox=settings.sandbox, rooms=ROOMS, extras=extras,
    )  # fmt: skip


async def caller(consoles: Consoles, request: Request) -> Person:
    """Whose session the bearer token of a program is. Raises `UnknownCaller`."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    session = await consoles.sessions.find(token.strip()) if kind.lower() == "bearer" else None
    if session is None:
        raise UnknownCaller(
            "no session of the consoles", advice="Sign in at /console; its page Programs gives a token."
        )
    return session.person


async def may_audit(consoles: Consoles, request: Request) -> bool:
    """Whether who asks may see tiles and entries of the published ledger: auditors, by session or by bearer token."""
    try:
        person = await consoles.person(request) or await caller(consoles, request)
    except (UnknownCaller, LedgerError):
        return False
    return bool(person.roles & {"auditor", "hub_dpo"})
