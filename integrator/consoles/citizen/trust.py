"""Is my list complete? What may be withheld, what is not covered, and how the record itself is doing, as a traffic light in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal

from starlette.responses import Response

from integrator import clock
from integrator.consoles.citizen.room import room
from integrator.consoles.visit import Visit
from integrator.model import LocalizedString
from integrator.places import read_yaml

Colour = Literal["good", "odd", "bad"]
LATE = 60  # seconds that entries may wait for a signature before somebody should look


@dataclass(frozen=True, slots=True)
class Lamp:
    """One part of how the record is doing. `state` "none" = nobody was asked to do this here."""

    name: str  # me.lamp_…
    state: Colour | Literal["none"]


@dataclass(frozen=True, slots=True)
class Tracker:
    """Another place where one may see who used one's data."""

    title: LocalizedString
    what: LocalizedString
    address: str


@room.get("/complete", menu="me.complete")
async def complete(visit: Visit) -> Response:
    found = lamps(visit.consoles.desk.attested())
    yesterday = (clock.today(visit.consoles.now()) - timedelta(1)).isoformat()
    return visit.page("me/complete.html", lamps=found, light=light(found), trackers=trackers(), yesterday=yesterday)


def lamps(told: Mapping[str, Any]) -> list[Lamp]:
    """Signing, outside clocks, outside witnesses.

    >>> [lamp.state for lamp in lamps({"logs": [{"final": False, "failure": None, "waiting": 0.2}]})]
    ['good', 'none', 'none']
    """
    return [
        Lamp("signed", _worst("bad" if one["final"] else "odd" if one["failure"] or one["waiting"] > LATE else "good" for one in told.get("logs", ()))),
        Lamp("stamped", _worst("bad" if one["alarm"] else "good" if one["age"] is not None else "odd" for one in told.get("stamps", ()))),
        Lamp("witnessed", _worst("bad" if one["alarm"] else "odd" if one["reason"] or not one["cosigned_at"] else "good" for one in told.get("witnesses", ()))),
    ]  # fmt: skip


def light(found: list[Lamp]) -> Colour:
    """All of it in one colour: the worst lamp speaks. It is no good sign when nothing is signed, or nobody outside confirms it."""
    told = [lamp.state for lamp in found if lamp.state != "none"]
    alone = found[0].state == "none" or all(lamp.state == "none" for lamp in found[1:])
    worst: Colour = _worst([*told, "odd"] if alone else told)
    return worst


def _worst(states: Any) -> Any:
    return min(states, key=("bad", "odd", "good").index, default="none")


@cache
def trackers() -> tuple[Tracker, ...]:
    """trackers.yaml."""
    found = read_yaml(Path(__file__).parent / "trackers.yaml")
    return tuple(
        Tracker(LocalizedString.read(one["title"]), LocalizedString.read(one["what"]), one["address"]) for one in found
    )
