"""A named case: what to ask, and why."""

from __future__ import annotations

from dataclasses import dataclass

from mock_sources.world.facts.people import Person
from mock_sources.world.facts.places import Names


@dataclass(frozen=True, slots=True)
class Persona:
    """A named case. `ssin`, `plate`, `enterprise` say what to ask; `person` is None for somebody no source knows."""

    slug: str
    title: Names
    title_en: str
    why: str  # which software breaks here, and how
    ssin: str | None
    plate: str | None
    enterprise: str | None
    tags: tuple[str, ...]
    person: Person | None
