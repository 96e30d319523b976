"""One visit to one page: who, in which language, with which form; and the ways to answer.

return visit.page("room/list.html", rows=rows)      # 200
visit.say("room.saved"); return visit.go("/room/")  # 303, after every POST
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from integrator.consoles.forms import Form
from integrator.consoles.menu import grouped
from integrator.consoles.people import Person
from integrator.consoles.rendering import LANGUAGES, Speech, render
from integrator.consoles.sessions import Session

if TYPE_CHECKING:
    from integrator.consoles.web import Consoles

BASE = "/console"
SECURITY = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self';"
        " base-uri 'none'; frame-ancestors 'none'"
    ),
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


@dataclass(slots=True)
class Visit:
    """What a page function gets."""

    request: Request
    consoles: Consoles
    language: str
    token: str  # what the browser holds: of the session, or of nobody yet
    session: Session | None = None
    form: Form = field(default_factory=lambda: Form([]))
    cookies: list[str] = field(default_factory=list)  # Set-Cookie lines of the answer

    @property
    def person(self) -> Person:
        """Who is signed in; only pages that are open to anyone have to ask `session` first."""
        if self.session is None:
            raise LookupError("nobody is signed in")
        return self.session.person

    @property
    def data(self) -> dict[str, Any]:
        """What the session keeps, on the server."""
        if self.session is None:
            raise LookupError("nobody is signed in")
        return self.session.data

    @property
    def t(self) -> Speech:
        return Speech(self.language)

    @property
    def query(self) -> dict[str, str]:
        """Filters of the address; empty ones left out."""
        return {name: value for name, value in self.request.query_params.items() if value and name != "lang"}

    @property
    def csrf(self) -> str:
        """What a form of this browser must carry."""
        return self.consoles.vault.tag("csrf", self.token)

    def ours(self) -> bool:
        """Whether the posted form was on a page of ours, in this browser."""
        site = self.request.headers.get("sec-fetch-site", "same-origin")
        return site in ("same-origin", "none") and hmac.compare_digest(self.form["csrf"].encode(), self.csrf.encode())

    def say(self, word: str, **values: object) -> None:
        """A message on the next page."""
        self.data.setdefault("flash", []).append([word, values])

    def page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """An HTML page in the reader's language."""
        said = self.session.data.pop("flash", []) if self.session else []
        person = self.session.person if self.session else None
        html = render(
            template, self.language, base=BASE, here=self.request.url.path, query=self.query, csrf=self.csrf, me=person,
            rooms=grouped(self.consoles.rooms_of(person)), said=said, sandbox=self.consoles.sandbox, link=self.link,
            static=self.consoles.static, **values,
        )  # fmt: skip
        headers = {**SECURITY, "content-language": self.language, "vary": "Cookie, Accept-Language"}
        return Response(html, status, headers, "text/html")

    def go(self, path: str) -> Response:
        """To another page of the consoles by GET; `path` begins with / and is ours."""
        return RedirectResponse(BASE + path, 303, headers=SECURITY)

    def away(self, address: str) -> Response:
        """To another site, from a GET."""
        return RedirectResponse(address, 303, headers=SECURITY)

    def file(self, data: bytes | str, kind: str, name: str) -> Response:
        """Something to keep. `name` says nothing of anybody."""
        headers = {**SECURITY, "content-disposition": f'attachment; filename="{name}"'}
        return Response(data, 200, headers, kind)

    def link(self, **changes: str | None) -> str:
        """This page with other filters; None takes one away.

        A cursor belongs to the filters it came from, so it goes when they change.
        """
        query = {**{name: value for name, value in self.query.items() if name not in ("cursor", "format")}, **changes}
        text = urlencode({name: value for name, value in query.items() if value})
        return self.request.url.path + (f"?{text}" if text else "")

    def set_cookie(self, name: str, value: str, seconds: int | None = None) -> None:
        """HttpOnly, SameSite=Lax, for this host alone; a session cookie when no seconds are given, 0 takes it away."""
        jar: SimpleCookie = SimpleCookie()
        jar[self.consoles.cookie(name)] = value
        made = jar[self.consoles.cookie(name)]
        made["path"], made["samesite"], made["httponly"] = "/", "Lax", True
        if self.consoles.secure:
            made["secure"] = True
        if seconds is not None:
            made["max-age"] = seconds
        self.cookies.append(made.OutputString())

    def cookie(self, name: str) -> str:
        return self.request.cookies.get(self.consoles.cookie(name), "")


def spoken(request: Request, remembered: str | None) -> str:
    """`?lang=` first, then what was chosen before, then what the browser asks, then French.

    German readers get French until pages exist in German.
    """
    asked = request.query_params.get("lang")
    if asked in LANGUAGES:
        return str(asked)
    if remembered in LANGUAGES:
        return str(remembered)
    wanted = request.headers.get("accept-language", "")[:200].lower().split(",")
    weighed = [(_weight(one), one.strip()[:2]) for one in wanted]
    found = [(weight, name) for weight, name in weighed if name in LANGUAGES and weight > 0]
    return max(found, key=lambda one: one[0])[1] if found else "fr"


def _weight(part: str) -> float:
    _, _, quality = part.partition(";q=")
    try:
        return float(quality) if quality else 1.0
    except ValueError:
        return 0.0
