"""The pages put together: rooms with doors, who may pass, and how a refusal looks.

    cookie → session → language → role → form and its token → page → cookies, session kept

Mounted under /console behind the edge, which has already checked host, headers and places.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from mimetypes import guess_type
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from integrator.consoles.book import Book
from integrator.consoles.database import Database
from integrator.consoles.forms import read_form
from integrator.consoles.looking import Desk
from integrator.consoles.menu import Entry
from integrator.consoles.people import Person
from integrator.consoles.rendering import words
from integrator.consoles.rights import LookRefused
from integrator.consoles.rooms import Door, Room
from integrator.consoles.sessions import Sessions
from integrator.consoles.vault import Vault
from integrator.consoles.visit import BASE, Visit, spoken
from integrator.errors import HubBusy, IntegratorError, LedgerUnwritable, MalformedRequest
from integrator.logs import log

_STATIC = Path(__file__).parent / "static"
_YEAR = 365 * 86_400


class PageRefused(IntegratorError):
    """A page says no; `word` names the text of the page that says so (shell.<word>)."""

    code, where = "PAGE_REFUSED", "C1"

    def __init__(self, word: str, status: int) -> None:
        super().__init__(word)
        self.word, self.status = word, status


@dataclass(slots=True)
class Consoles:
    """Everything a room may use."""

    desk: Desk
    book: Book
    database: Database
    vault: Vault
    now: Callable[[], float]  # epoch seconds
    secure: bool  # cookies over TLS only; no in a sandbox on loopback
    sandbox: bool
    rooms: Sequence[Room]
    extras: dict[str, Any]  # what single rooms need, by name: "oidc", …

    def __post_init__(self) -> None:
        words()  # a text without translation is found at start

    @property
    def sessions(self) -> Sessions:
        return Sessions(self.database, self.vault, self.now)

    def cookie(self, name: str) -> str:
        """The name of a cookie as the browser knows it; __Host- makes it keep the cookie to this very host."""
        return f"__Host-{name}" if self.secure else name

    def rooms_of(self, person: Person | None) -> list[Entry]:
        """The menu for one person."""
        held = person.roles if person else frozenset[str]()
        return [one for room in self.rooms for one in room.menu if one.roles & held]

    def static(self, name: str) -> str:
        """Address of a file of ours, with a print of its content, so that a browser may keep it."""
        return f"{BASE}/static/{name}?v={_files()[name][1]}"

    async def person(self, request: Request) -> Person | None:
        """Who is signed in, for other doors of the hub (published tiles)."""
        token = request.cookies.get(self.cookie("session"), "")
        session = await self.sessions.find(token) if token else None
        return session.person if session else None

    def app(self) -> Starlette:
        """The application that /console is mounted to."""
        doors = [door for room in self.rooms for door in room.doors]
        routes = [
            Route(door.path, self._endpoint(door), methods=[door.method, *(["HEAD"] * (door.method == "GET"))])
            for door in doors
        ]

        async def nothing(request: Request, error: Exception) -> Response:
            status = getattr(error, "status_code", 404)
            visit = await self._visit(request)
            return await self._leave(visit, _refusal(visit, PageRefused("not_there", status)))

        return Starlette(
            routes=[*routes, Route("/static/{name}", _static)],
            exception_handlers={HTTPException: nothing, 404: nothing},
        )

    def _endpoint(self, door: Door) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            visit = await self._visit(request)
            try:
                answer = await self._enter(visit, door)
            except Exception as error:
                answer = _refusal(visit, error)
            return await self._leave(visit, answer)

        return endpoint

    async def _visit(self, request: Request) -> Visit:
        token = request.cookies.get(self.cookie("session"), "")
        session = await self.sessions.find(token) if 40 <= len(token) <= 50 else None
        visit = Visit(request, self, "fr", token, session)
        chosen = (session.person.language if session else None) or visit.cookie("language")
        visit.language = spoken(request, chosen)
        if request.query_params.get("lang") == visit.language and visit.cookie("language") != visit.language:
            visit.set_cookie("language", visit.language, _YEAR)
        return visit

    async def _enter(self, visit: Visit, door: Door) -> Response:
        if door.roles is not None and visit.session is None:
            if door.method == "POST":
                raise PageRefused("signed_out", 401)
            return visit.go("/signin")
        if door.roles and visit.session is not None and not door.roles & visit.person.roles:
            raise PageRefused("not_for_you", 403)
        if door.method == "POST":
            visit.form = await read_form(visit.request)
            if not visit.token or not visit.ours():
                raise PageRefused("stale_form", 403)
        elif not visit.token:  # a form on this page needs a number to belong to
            visit.token = secrets.token_urlsafe(32)
            visit.set_cookie("session", visit.token)
        return await door.page(visit)

    async def _leave(self, visit: Visit, answer: Response) -> Response:
        if visit.session is not None and visit.session.changed:
            await self.sessions.save(visit.session)
        for line in visit.cookies:
            answer.headers.append("set-cookie", line)
        return answer


def _refusal(visit: Visit, error: Exception) -> Response:
    """A page that says what happened and what to do, and nothing of what was typed."""
    match error:
        case PageRefused():
            word, status = error.word, error.status
        case LookRefused():
            word, status = "not_for_you", 403
        case MalformedRequest():
            word, status = "malformed", error.status
        case LedgerUnwritable() | HubBusy():
            word, status = "unwritable", 503
        case _:
            log.error("unexpected_error", error=type(error).__name__)
            word, status = "broken", 500
    return visit.page("refusal.html", status=status, word=word)


def _files() -> dict[str, tuple[bytes, str]]:
    if not _FILES:
        for path in _STATIC.iterdir():
            data = path.read_bytes()
            _FILES[path.name] = data, sha256(data).hexdigest()[:12]
    return _FILES


_FILES: dict[str, tuple[bytes, str]] = {}


async def _static(request: Request) -> Response:
    found = _files().get(request.path_params["name"])
    if found is None:
        raise HTTPException(404)
    kind = guess_type(request.path_params["name"])[0] or "application/octet-stream"
    return Response(found[0], headers={"cache-control": "public, max-age=86400"}, media_type=kind)
