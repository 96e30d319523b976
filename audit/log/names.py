"""Names of logs: `<name>/<world>/<shard>/<yyyy>`, and one `<name>/<world>/anchor` over all of them.

A name is for ever: it stands in every checkpoint and receipt. After a restore (see gap.py) a log is never continued under
its name; the next one bears a number: `…/2026-2`, `…/anchor-2`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,99}")
_SHARD = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")
_NUMBERED = re.compile(r"(.+?)(?:-(\d+))?")


@dataclass(frozen=True, slots=True)
class Names:
    """The logs of one writer process of one hub.

    >>> names = Names("audit.hub.example", "sandbox", "hub-1")
    >>> names.shard(2026), names.anchor
    ('audit.hub.example/sandbox/hub-1/2026', 'audit.hub.example/sandbox/anchor')
    """

    name: str  # of the hub's audit, e.g. audit.hub.example
    world: str  # sandbox | production
    process: str  # the shard of this writer process, e.g. hub-1

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or not _NAME.fullmatch(self.world):
            raise ValueError("the name of an audit has lower case letters, digits, dots and hyphens")
        if not _SHARD.fullmatch(self.process) or self.process.startswith("anchor"):
            raise ValueError(
                "the name of a shard has lower case letters, digits, _ and -, and does not begin with anchor"
            )

    def shard(self, year: int) -> str:
        return f"{self.world_prefix}{self.process}/{year}"

    @property
    def anchor(self) -> str:
        return f"{self.world_prefix}anchor"

    @property
    def policy(self) -> str:
        """The name of the key that signs the list of all keys."""
        return f"{self.world_prefix}policy"

    @property
    def world_prefix(self) -> str:
        return f"{self.name}/{self.world}/"

    def year_of(self, origin: str) -> int | None:
        """The year of one of this process's shards; None for any other log.

        >>> Names("audit.hub.example", "sandbox", "hub-1").year_of("audit.hub.example/sandbox/hub-1/2026-2")
        2026
        """
        start = f"{self.world_prefix}{self.process}/"
        year = origin.removeprefix(start).partition("-")[0]
        return int(year) if origin.startswith(start) and year.isdigit() else None


def newest(base: str, known: Iterable[str]) -> str:
    """The log that continues `base`: itself, or the last of its numbered successors among the logs that are known.

    >>> newest("a/x/hub-1/2026", ["a/x/hub-1/2026", "a/x/hub-1/2026-2", "a/x/hub-1/2025"])
    'a/x/hub-1/2026-2'
    """
    return max((one for one in known if _base(one)[0] == base), key=lambda one: _base(one)[1], default=base)


def following(origin: str) -> str:
    """The name after this one.

    >>> following("a/x/hub-1/2026"), following("a/x/anchor-2")
    ('a/x/hub-1/2026-2', 'a/x/anchor-3')
    """
    base, number = _base(origin)
    return f"{base}-{number + 1}"


def _base(origin: str) -> tuple[str, int]:
    """The name without its number, and the number (1 when there is none). Only the last part of a name is numbered."""
    head, _, last = origin.rpartition("/")
    matched = _NUMBERED.fullmatch(last)
    if matched is None or matched[2] is None:
        return origin, 1
    return f"{head}/{matched[1]}", int(matched[2])
