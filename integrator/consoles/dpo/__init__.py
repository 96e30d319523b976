"""The pages of data protection officers and auditors; importing this makes the room with all its doors."""

from integrator.consoles.dpo import (
    entry,
    files,
    health,
    incidents,
    keeping,
    overview,
    policies,
    programs,
    refusals,
    search,
    use,
)
from integrator.consoles.dpo.room import room

_ORDER = [
    "home",
    "person",
    "agent",
    "refusals",
    "unknown",
    "dangling",
    "failed",
    "fields",
    "files",
    "policies",
    "retention",
    "reads",
    "health",
    "programs",
]
room.menu.sort(key=lambda line: _ORDER.index(line.word.removeprefix("dpo.")))

__all__ = [
    "entry", "files", "health", "incidents", "keeping", "overview", "policies", "programs", "refusals", "room", "search", "use",
]  # fmt: skip
