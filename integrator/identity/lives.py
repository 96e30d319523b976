"""How long a key of an application lives: from when, until when, or taken back for good.

    "keyLives": {"sandbox.aB3…": {"added": "2026-11-28T10:00:00Z", "ends": "2027-11-28T10:00:00Z", "revoked": "…", "by": "dpo"}}

A key without a line lives as long as its application. A line stays when its key has gone, so that a key that was
revoked never comes back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from integrator.errors import ConfigurationError

BY = ("application", "dpo", "operator")  # who revoked it
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_MEMBERS = frozenset({"added", "ends", "revoked", "by"})


@dataclass(frozen=True, slots=True)
class Life:
    """Epoch seconds; None = not said."""

    added: float | None = None
    ends: float | None = None  # from this second on it proves nothing new
    revoked: float | None = None  # and from this second on, what it had proved counts no more either
    by: str | None = None

    def alive(self, now: float) -> bool:
        """Whether the key may sign now."""
        return self.revoked is None and (self.ends is None or now < self.ends)

    def json(self) -> dict[str, str]:
        moments = {"added": self.added, "ends": self.ends, "revoked": self.revoked}
        told = {name: written(moment) for name, moment in moments.items() if moment is not None}
        return told | ({"by": self.by} if self.by else {})


ENDLESS = Life()


def read(data: Any) -> Mapping[str, Life]:
    """The lines of an application file. Raises `ConfigurationError`."""
    if not isinstance(data, dict):
        raise ConfigurationError("`keyLives` is an object, by key id")
    return {str(kid): _life(line) for kid, line in data.items()}


def _life(line: Any) -> Life:
    if not isinstance(line, dict) or not line.keys() <= _MEMBERS or line.get("by", "dpo") not in BY:
        raise ConfigurationError("a line of `keyLives` holds added, ends, revoked and by, nothing else")
    moments = {name: moment(line[name]) for name in ("added", "ends", "revoked") if name in line}
    return Life(moments.get("added"), moments.get("ends"), moments.get("revoked"), line.get("by"))


def moment(text: Any) -> float:
    """Epoch seconds of a moment in UTC. Raises `ConfigurationError`.

    >>> moment("2026-11-28T10:00:00Z")
    1795860000.0
    """
    if not isinstance(text, str) or not _MOMENT.fullmatch(text):
        raise ConfigurationError("a moment is written as 2026-11-28T10:00:00Z")
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError as error:
        raise ConfigurationError("a moment is written as 2026-11-28T10:00:00Z") from error


def written(moment: float) -> str:
    """The inverse of `moment`, in whole seconds.

    >>> written(1795860000.9)
    '2026-11-28T10:00:00Z'
    """
    return datetime.fromtimestamp(int(moment), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
