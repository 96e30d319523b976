"""Packages in which somebody works: POST /mock/packages/<name>/<what> does something, GET shows what the package holds.

school_desk   the enrolments of a school service: POST …/import takes what its program fetched, GET …/queue/<school> ranks them

Each keeps its own data under state/desks and refuses nonsense; none of them ever heard of who sends it something.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import orjson

from mock_sources.asgi import BodyTooLarge, Receive, Scope, Send, problem, read_body, respond_json, respond_problem
from mock_sources.desks.school import SchoolDesk

_LIMIT = 1_000_000


class Desk(Protocol):
    """One package. Either call raises ValueError or KeyError for nonsense, LookupError for what is not there."""

    def do(self, what: str, entered: Mapping[str, Any]) -> dict[str, Any]: ...
    def look(self, what: str) -> dict[str, Any]: ...


class Desks:
    """ASGI callable under /mock/packages."""

    def __init__(self, state: Path) -> None:
        self._desks: dict[str, Desk] = {"school_desk": SchoolDesk(state / "desks" / "school.db")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name, _, what = scope["path"].strip("/").removeprefix("packages/").partition("/")
        desk = self._desks.get(name)
        if desk is None:
            await respond_problem(send, problem(404, "resourceNotFound", f"here are: {', '.join(self._desks)}"))
            return
        try:
            if scope["method"] == "GET":
                told = await asyncio.to_thread(desk.look, what)
            else:
                told = await asyncio.to_thread(desk.do, what, orjson.loads(await read_body(receive, _LIMIT)))
        except (BodyTooLarge, orjson.JSONDecodeError, LookupError, TypeError, ValueError) as error:
            await respond_problem(send, problem(400, "badRequest", f"{type(error).__name__}: {error}"))
            return
        await respond_json(send, 200, told)
