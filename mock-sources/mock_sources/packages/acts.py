"""Acts of civil status, of the kind of DABS/BAEC (its API is a projection of what is public): acts of death, and what mends them.

GET /notifications?after=N     {"notifications": […], "next": "N"}: what was registered or annulled, oldest first; a number may come
                               again, as after a transmission that nobody confirmed; 503 while it is closed
Authorization: Bearer …        else 401

A clerk registers an act, annuls one that named the wrong person, sends a notification again, closes and opens the base.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from mock_sources.asgi import Receive, Scope, Send, header, problem, query_pairs, respond_json, respond_problem
from mock_sources.clock import Clock
from mock_sources.world.identifiers import national_check

_PAGE = 50
_NIS = re.compile(r"\d{5}")


class Acts:
    """Acts by reference and the notifications about them, in one file. ASGI callable for the API."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path, self._clock = path, clock
        path.parent.mkdir(parents=True, exist_ok=True)
        new = {"token": secrets.token_urlsafe(24), "open": True, "acts": {}, "told": []}
        self._kept: dict[str, Any] = json.loads(path.read_text()) if path.exists() else new
        self.token = str(self._kept["token"])
        self._keep()

    async def register(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """{ssin, factDate, municipality} -> {reference}. Raises KeyError or ValueError for what no officer may sign."""
        deceased, fact = valid(str(said["ssin"])), date.fromisoformat(str(said["factDate"]))
        if fact > self._clock().date():
            raise ValueError("nobody dies tomorrow")
        if not _NIS.fullmatch(str(said["municipality"])):
            raise ValueError("the municipality of the act is a NIS code")
        if any(act["ssin"] == deceased and act["inForce"] for act in self._acts.values()):
            raise ValueError("an act of death of this person is in force")
        reference = f"{self._clock().year}-{len(self._acts) + 1:08}-D"
        self._acts[reference] = {
            "ssin": deceased, "factDate": fact.isoformat(), "municipality": str(said["municipality"]), "inForce": True,
        }  # fmt: skip
        self._tell("ACT_REGISTERED", reference)
        return {"reference": reference}

    async def annul(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """{reference} -> {reference}: the act named the wrong person. Raises KeyError or ValueError."""
        act = self._acts[said["reference"]]
        if not act["inForce"]:
            raise ValueError("this act is annulled already")
        act["inForce"] = False
        self._tell("ACT_ANNULLED", said["reference"])
        return {"reference": said["reference"]}

    async def repeat(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """{reference}: its last notification goes out once more, under another number. Raises KeyError."""
        last = [one for one in self._kept["told"] if one["reference"] == said["reference"]]
        if not last:
            raise KeyError("reference")
        self._tell(last[-1]["event"], said["reference"])
        return {"reference": said["reference"]}

    async def door(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """{open: true|false}: maintenance begins or ends."""
        self._kept["open"] = bool(said["open"])
        self._keep()
        return {"open": self._kept["open"]}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One page of notifications."""
        del receive
        if header(scope, b"authorization") != b"Bearer " + self.token.encode():
            await respond_problem(send, problem(401, "noAccessToken", "Authorization: Bearer"))
            return
        after = dict(query_pairs(scope)).get("after", "0")
        if scope["method"] != "GET" or not after.isdecimal():
            await respond_problem(send, problem(400, "badRequest", "GET; after is a number"))
            return
        if not self._kept["open"]:
            await respond_problem(send, problem(503, "serviceUnavailable", "maintenance"))
            return
        page = self._kept["told"][int(after) : int(after) + _PAGE]
        await respond_json(send, 200, {"notifications": page, "next": str(int(after) + len(page))})

    @property
    def _acts(self) -> dict[str, Any]:
        acts: dict[str, Any] = self._kept["acts"]
        return acts

    def _tell(self, event: str, reference: str) -> None:
        act = self._acts[reference]
        self._kept["told"].append(
            {
                "number": len(self._kept["told"]) + 1, "event": event, "reference": reference, "type": "DEATH",
                "factDate": act["factDate"], "placeOfOrigin": act["municipality"],
                "deceased": {"personNumber": act["ssin"], "personOrigin": "RR"},
            }
        )  # fmt: skip
        self._keep()

    def _keep(self) -> None:
        aside = self._path.with_suffix(".part")
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:  # noqa: PTH123
            json.dump(self._kept, file)
        aside.rename(self._path)


def valid(number: str) -> str:
    """A national number as it came. Raises ValueError: one with wrong check digits is nobody's."""
    if not re.fullmatch(r"\d{11}", number, re.ASCII):
        raise ValueError("a national number has eleven digits")
    if int(number[9:]) not in {national_check(int(number[:9]), year) for year in (1999, 2000)}:
        raise ValueError("the check digits of this national number are wrong")
    return number
