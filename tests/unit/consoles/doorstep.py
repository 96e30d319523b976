"""The consoles in this process, without a hub: pages over a desk that answers as a test says, and a browser of ten lines."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from integrator.consoles.accounts import Accounts
from integrator.consoles.book import Book, open_book
from integrator.consoles.database import Database
from integrator.consoles.opening import ROOMS
from integrator.consoles.people import Person
from integrator.consoles.vault import Vault
from integrator.consoles.web import Consoles
from tests.unit.api.stand_in import Caller, Reply

NOW = 1_795_440_600.0


@cache
def book() -> Book:
    return open_book()


@dataclass
class FakeDesk:
    """Remembers what was asked and why; answers what the test put under the question's name."""

    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    async def look(self, person: Person, question: str, reason: str = "", **asked: Any) -> Any:
        self.asked.append((question, reason, asked))
        answer = self.answers[question]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def export(self, person: Person, form: str, make: Any, reason: str = "", **asked: Any) -> Any:
        self.asked.append((form, reason, asked))
        answer, _ = make(None, None)
        return answer

    def questions(self, person: Person) -> list[str]:
        return list(self.answers)


@dataclass
class Clock:
    now: float = NOW

    def __call__(self) -> float:
        return self.now


def consoles(folder: Path, clock: Callable[[], float], *, secure: bool = False, sandbox: bool = True) -> Consoles:
    """Consoles with a database of their own. argon2 works with little memory here, or the tests would take seconds."""
    from argon2 import PasswordHasher

    database, vault = Database(f"sqlite:///{folder}/consoles.db"), Vault(bytes(32))
    accounts = Accounts(database, vault, clock, PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    extras: dict[str, Any] = {"accounts": accounts, "named_numbers": frozenset()}
    desk: Any = FakeDesk()
    return Consoles(desk, book(), database, vault, clock, secure, sandbox, ROOMS, extras)


class Browser:
    """Keeps cookies, sends forms with the token of the last page, and does not follow where it is sent."""

    def __init__(self, consoles: Consoles) -> None:
        self._caller = Caller(_mounted(consoles))
        self.cookies: dict[str, str] = {}
        self.page = ""

    async def get(self, path: str, **headers: str) -> Reply:
        return await self._send("GET", path, b"", headers)

    async def post(
        self, path: str, token: str | None = None, /, headers: dict[str, str] | None = None, **form: str
    ) -> Reply:
        found = re.search(r'name="csrf" value="([^"]+)"', self.page)
        csrf = token if token is not None else found[1] if found else ""
        return await self._send("POST", path, urlencode({"csrf": csrf, **form}).encode(), headers or {})

    async def _send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        sent = {"cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), **headers}
        reply = await self._caller(method, path, body, headers=sent, kind="application/x-www-form-urlencoded")
        for line in reply.headers.get("set-cookie", "").split("\n"):
            jar: SimpleCookie = SimpleCookie(line)
            for name, one in jar.items():
                if one["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = one.value
        if reply.headers.get("content-type", "").startswith("text/html"):
            self.page = reply.body.decode()
        return reply


def _mounted(consoles: Consoles) -> Any:
    """Several Set-Cookie lines become one header with a line each: `Caller` refuses a header that comes twice."""
    app = consoles.app()

    async def joined(scope: Any, receive: Any, send: Any) -> None:
        scope = {**scope, "path": scope["path"].removeprefix("/console"), "root_path": ""}

        async def gathered(message: Any) -> None:
            if message["type"] == "http.response.start":
                cookies = [value for name, value in message["headers"] if name == b"set-cookie"]
                rest = [one for one in message["headers"] if one[0] != b"set-cookie"]
                message = {**message, "headers": rest + ([(b"set-cookie", b"\n".join(cookies))] if cookies else [])}
            await send(message)

        await app(scope, receive, gathered)

    return joined
