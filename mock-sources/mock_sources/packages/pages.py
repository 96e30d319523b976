"""JSON pages of what a desk on the web took in, of the kind that back offices poll.

GET ?after=CURSOR&limit=N    {ITEMS: […], "next": "CURSOR"}; the same cursor again: nothing is new
Authorization: Bearer …      else 401; an ETag of the page, and 304 to whoever has it
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from pathlib import Path
from typing import Any

import orjson

from mock_sources.asgi import Receive, Scope, Send, header, problem, query_pairs, respond, respond_json, respond_problem

_MOST = 100


class Pages:
    """Things in a file, in the order they came. ASGI callable for the API."""

    def __init__(self, path: Path, items: str) -> None:
        """`items`: what a page calls them."""
        self._path, self._name = path, items
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = json.loads(path.read_text()) if path.exists() else {"token": secrets.token_urlsafe(24), items: []}
        self.token, self._items = str(kept["token"]), list(kept[items])
        self._keep()

    @property
    def next(self) -> int:
        """The number of the next one, from 1."""
        return len(self._items) + 1

    def add(self, item: dict[str, Any]) -> None:
        self._items.append(item)
        self._keep()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One page."""
        del receive
        if header(scope, b"authorization") != b"Bearer " + self.token.encode():
            await respond_problem(
                send, problem(401, "noAccessToken", "Authorization: Bearer, as the desk handed it over")
            )
            return
        asked = dict(query_pairs(scope))
        after, limit = asked.get("after", "0"), asked.get("limit", str(_MOST))
        if scope["method"] != "GET" or not after.isdecimal() or not limit.isdecimal():
            await respond_problem(send, problem(400, "badRequest", "GET, after and limit are numbers"))
            return
        found = self._items[int(after) : int(after) + min(int(limit), _MOST)]
        body = orjson.dumps({self._name: found, "next": str(int(after) + len(found))})
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'.encode()
        if header(scope, b"if-none-match") == tag:
            await respond(send, 304, headers=[(b"etag", tag)])
            return
        await respond_json(send, 200, orjson.loads(body), [(b"etag", tag)])

    def _keep(self) -> None:
        aside = self._path.with_suffix(".part")
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:  # noqa: PTH123
            json.dump({"token": self.token, self._name: self._items}, file)
        aside.rename(self._path)
