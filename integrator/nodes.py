"""Several machines as one hub: what each of them has for itself though all must have the same (docs/operators.md, section 6)."""

from __future__ import annotations

from integrator.settings import Settings

ROOMS = (
    "enrolment",
    "consoles",
    "governing",
    "watching",
    "directory",
    "agents",
    "quotas",
    "emergency",
    "adapters",
    "opened",
)


def apart(settings: Settings) -> list[str]:
    """Rooms that only this machine would know of, where the ledger is one that several can share; by setting.

    A file of SQLite is shared by processes of one machine, never by machines: one that leaves the agents here stays there.
    """
    if not settings.ledger.startswith("postgresql:"):
        return []
    return [room for room in ROOMS if not str(getattr(settings, room)["database"]).startswith("postgresql:")]
