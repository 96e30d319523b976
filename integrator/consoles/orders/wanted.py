"""What somebody wants done about keeping, as typed in a form or sent by a program, checked word by word.

    read_wanted({"action": "hold", "month": "2026-11", "review": "2027-06-01", "ground": "claims", …}, today, classes)

Nothing of what was typed is repeated in a refusal.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from integrator.consoles.looking import REASON
from integrator.errors import Issue, MalformedRequest
from integrator.places import read_yaml

ACTIONS = ("restrict", "release", "hold", "unhold", "erase")
ABOUT_LINES = frozenset(("restrict", "release", "erase"))
REVIEWED = frozenset(("restrict", "hold"))
AUTHORITIES = ("controller", "court", "dpa", "law")
OUTSIDE = ("court", "dpa")  # who alone may order an erasure
KEYS = ("action", "place", "class", "month", "review", "ground", "authority", "reference", "reason")
_TRACE = re.compile(r"[0-9a-f]{32}", re.ASCII).fullmatch
_PLACE = re.compile(r"([A-Za-z0-9._/-]{1,200})/(\d{1,15})", re.ASCII).fullmatch
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII).fullmatch
_REFERENCE = re.compile(r"[^\x00-\x1f\x7f]{1,100}").fullmatch
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True)
class Ground:
    """On what an order may rest."""

    cite: str  # as the ledger has it
    actions: tuple[str, ...]
    title: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One order, not given yet. Lines are named by their exchange or by one place; a hold by class, month or both."""

    action: str
    ground: str
    authority: str
    reason: str
    reference: str = ""
    review: str | None = None  # ISO date
    trace: str | None = None
    shard: str | None = None
    index: int | None = None
    retention: str | None = None
    month: int | None = None

    @property
    def review_day(self) -> date | None:
        return date.fromisoformat(self.review) if self.review else None

    @property
    def place(self) -> str:
        """As typed: the number of an exchange, or SHARD/INDEX of one line."""
        return self.trace or (f"{self.shard}/{self.index}" if self.shard else "")

    def of(self, trace: str) -> Wanted:
        """The same about a whole exchange."""
        return replace(self, trace=trace)

    def text(self) -> str:
        """As JSON, for sealing."""
        return json.dumps(asdict(self))

    @classmethod
    def parse(cls, text: str) -> Wanted:
        """The inverse of `text`."""
        return cls(**json.loads(text))


@cache
def grounds() -> Mapping[str, Ground]:
    """grounds.yaml."""
    found = read_yaml(Path(__file__).parent / "grounds.yaml")
    return {name: Ground(one["cite"], tuple(one["actions"]), one["title"]) for name, one in found.items()}


def read_wanted(typed: Mapping[str, Any], today: date, classes: Collection[str]) -> Wanted:
    """Raises `MalformedRequest` with an issue for each field that is missing or wrong."""
    wrong: list[Issue] = []

    def need(name: str, fits: object, advice: str) -> None:
        if not fits:
            wrong.append(Issue("schemaViolation", "body", f"/{name}", advice))

    said = {name: typed.get(name) or "" for name in KEYS}
    for name, value in said.items():
        need(name, isinstance(value, str), "text")
    if wrong or set(typed) - set(KEYS):
        raise MalformedRequest(*wrong or [Issue("unknownInput", "body", "/", f"an order takes {', '.join(KEYS)}")])
    action, ground = said["action"], grounds().get(said["ground"])
    if action not in ACTIONS:
        raise MalformedRequest(Issue("schemaViolation", "body", "/action", f"one of {', '.join(ACTIONS)}"))
    need("ground", ground and action in ground.actions, "a ground for this order: see orders/grounds.yaml")
    outside = OUTSIDE if action == "erase" else AUTHORITIES
    need("authority", said["authority"] in outside, f"one of {', '.join(outside)}")
    reason = " ".join(_CONTROL.sub(" ", said["reason"]).split())
    need("reason", REASON[0] <= len(reason) <= REASON[1], f"why, in {REASON[0]} to {REASON[1]} characters")
    named = _REFERENCE(said["reference"]) if said["reference"] else said["authority"] not in OUTSIDE
    need("reference", named, "the file number of the court or authority, at most 100 characters")
    review = _day(said["review"]) if action in REVIEWED else None
    need("review", action not in REVIEWED or (review and review > today), "a day to come, as 2027-06-01")
    where = _lines(said["place"]) if action in ABOUT_LINES else _months(said["class"], said["month"], classes)
    if action in ABOUT_LINES:
        need("place", where, "the number of an exchange, or SHARD/INDEX of one line")
    else:
        need("month", where, "a month as 2026-11, a class that is kept, or both")
    if wrong:
        raise MalformedRequest(*wrong)
    return Wanted(
        action, said["ground"], said["authority"], reason, said["reference"], review.isoformat() if review else None,
        **(where or {}),
    )  # fmt: skip


def _lines(place: str) -> dict[str, Any] | None:
    if _TRACE(place):
        return {"trace": place}
    found = _PLACE(place)
    return {"shard": found[1], "index": int(found[2])} if found else None


def _months(retention: str, month: str, classes: Collection[str]) -> dict[str, Any] | None:
    """A hold of everything at once is left to the command line."""
    found = _MONTH(month)
    if (retention and retention not in classes) or (month and not found) or not (retention or month):
        return None
    return {"retention": retention or None, "month": int(found[1] + found[2]) if found else None}


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
