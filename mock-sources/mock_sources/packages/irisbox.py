"""A question desk on the web, of the kind of IRISbox (its API is invented): citizens ask, back offices fetch what was asked.

GET /questions?after=CURSOR&limit=N    {"questions": […], "next": "CURSOR"}; the same cursor again: nothing is new
Authorization: Bearer …                else 401; an ETag of the page, and 304 to whoever has it
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from mock_sources.asgi import Receive, Scope, Send, header, problem, query_pairs, respond, respond_json, respond_problem
from mock_sources.clock import Clock

_MOST = 100


class Desk:
    """Questions in a file, in the order they were asked. ASGI callable for the API."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path, self._clock = path, clock
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = json.loads(path.read_text()) if path.exists() else {"token": secrets.token_urlsafe(24), "questions": []}
        self.token, self._questions = str(kept["token"]), list(kept["questions"])
        self._keep()

    async def ask(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """{ssin, municipality, topic, text, language: NL | FR, reference?} -> {question}. Raises KeyError for what is missing."""
        number = len(self._questions) + 1
        self._questions.append(
            {
                "id": f"IB{number:06}",
                "citizen": {"ssin": str(said["ssin"])},
                "reference": str(said.get("reference", f"IB-{number:06}")),
                **{name: str(said[name]) for name in ("municipality", "topic", "text", "language")},
                "submittedAt": self._clock().isoformat(timespec="seconds"),
            }
        )
        self._keep()
        return {"question": f"IB{number:06}"}

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
        found = self._questions[int(after) : int(after) + min(int(limit), _MOST)]
        body = orjson.dumps({"questions": found, "next": str(int(after) + len(found))})
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'.encode()
        if header(scope, b"if-none-match") == tag:
            await respond(send, 304, headers=[(b"etag", tag)])
            return
        await respond_json(send, 200, orjson.loads(body), [(b"etag", tag)])

    def _keep(self) -> None:
        aside = self._path.with_suffix(".part")
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:  # noqa: PTH123
            json.dump({"token": self.token, "questions": self._questions}, file)
        aside.rename(self._path)
