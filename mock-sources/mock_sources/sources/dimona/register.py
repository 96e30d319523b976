"""What was declared, and what became of it. In the memory of one process: a restart forgets it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mock_sources.world import World

FIRST = 2_029_409_422  # the number of the first declaration
TAKES = 1.0  # seconds until a declaration is judged


@dataclass(frozen=True, slots=True)
class Declaration:
    """One declaration of somebody who starts (dimonaIn)."""

    id: int
    employer: str  # enterprise number
    ssin: str
    said: Mapping[str, Any]  # dimonaIn as it came
    at: float  # epoch seconds
    result: str  # A accepted · W accepted with warnings · B refused
    anomalies: tuple[str, ...]

    @property
    def key(self) -> tuple[str, str, str]:
        return self.employer, self.ssin, str(self.said["startDate"])


class Register:
    """Judges at once, and tells it after a moment."""

    def __init__(self, world: World, clock: Callable[[], datetime]) -> None:
        self._world, self._clock = world, clock
        self._declared: dict[int, Declaration] = {}

    def declare(self, employer: str, ssin: str, said: Mapping[str, Any]) -> Declaration:
        id = FIRST + len(self._declared)
        known = self._world.person(ssin) is not None
        taken = any(
            one.key == (employer, ssin, said["startDate"]) for one in self.periods(employer, ssin, None, judged=False)
        )
        refused = [] if known else ["WORKER_UNKNOWN"]
        refused += ["PERIOD_EXISTS"] if taken else []
        warned = [] if "jointCommissionNumber" in said["features"] else ["JOINT_COMMISSION_MISSING"]
        result = "B" if refused else "W" if warned else "A"
        made = Declaration(id, employer, ssin, said, self._now(), result, tuple(refused or warned))
        self._declared[id] = made
        return made

    def declaration(self, id: int) -> Declaration | None:
        """None while it is worked on, and when there is none: nobody can tell these two apart."""
        found = self._declared.get(id)
        return found if found is not None and self._judged(found) else None

    def periods(self, employer: str, ssin: str, start: str | None, *, judged: bool = True) -> list[Declaration]:
        """Periods that an employer has for somebody, from this day if one is said."""
        return [
            one
            for one in self._declared.values()
            if (one.employer, one.ssin) == (employer, ssin)
            and one.result != "B"
            and start in (None, one.said["startDate"])
            and (not judged or self._judged(one))
        ]

    def _judged(self, one: Declaration) -> bool:
        return self._now() >= one.at + TAKES

    def _now(self) -> float:
        return self._clock().timestamp()
