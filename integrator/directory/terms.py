"""The words of the directory, as values; and how an act on it can be refused.

SourceError
  ├─ SourceRefused        NOT_REGISTERED · END_BEFORE_START · QUALITY_NOT_ALLOWED   (raised by `refuse`)
  └─ DirectoryUnavailable the database does not answer: nobody knows, so nothing is said
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from integrator.directory.periods import Period
from integrator.errors import SourceRefused, SourceUnavailable

SOURCE = "directory"  # how services and mappings name it

_ADVICE = {
    "NOT_REGISTERED": "There is no registration of yours under these keys on that day; list what there is.",
    "END_BEFORE_START": "The registration begins after that day. One that was a mistake is withdrawn by its first day.",
    "QUALITY_NOT_ALLOWED": "Your sector does not register in this quality; the codes it uses stand in config/directory.yaml.",
}


class DirectoryUnavailable(SourceUnavailable):
    """The directory's database did not answer. Never taken for "not registered": the question is refused instead."""

    retry_after = 5

    def __init__(self, message: str = "") -> None:
        super().__init__(
            SOURCE, message, advice="Nothing was looked up and nothing changed. Ask again after Retry-After."
        )


def refuse(reason: str) -> SourceRefused:
    """The refusal for a reason above; to be raised."""
    return SourceRefused(SOURCE, reason, advice=_ADVICE[reason])


@dataclass(frozen=True, slots=True)
class Key:
    """What one file is known by. Registrations of the same key never overlap, and never touch."""

    organisation: str  # KBO enterprise number
    subject: str  # canonical ssin
    purpose: str
    quality: str  # hoedanigheidscode: the capacity in which an organisation knows somebody


@dataclass(frozen=True, slots=True)
class Registration:
    """One registration as it was known at some time. A change makes a new version; the id stays."""

    id: str  # 22 characters; says nothing
    key: Key
    period: Period
    dossier: str | None  # the organisation's own reference of the file
    origin: str  # where it came from, one of the service's own words
    recorded_at: float  # epoch seconds: since when the directory said so
    superseded_at: float | None = None  # … and until when
    replaced_by: str | None = None  # the number that replaced the one it was registered under

    def json(self) -> dict[str, Any]:
        """As the mapping reads it; dates as ISO, moments as epoch seconds."""
        said: dict[str, Any] = {
            "id": self.id, "ssin": self.key.subject, "purpose": self.key.purpose, "quality": self.key.quality,
            "startDate": self.period.starts.isoformat(), "origin": self.origin, "recordedAt": stamp(self.recorded_at),
        }  # fmt: skip
        optional = {
            "endDate": self.period.end and self.period.end.isoformat(),
            "dossierReference": self.dossier,
            "supersededAt": None if self.superseded_at is None else stamp(self.superseded_at),
            "replacedBy": self.replaced_by,
        }
        return said | {name: value for name, value in optional.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Told:
    """What an act came to. `overlapping`: what stood there before under the same key (as the KSZ's reply tells it)."""

    result: str  # registered | merged | unchanged | ended | withdrawn
    registration: Registration
    overlapping: tuple[Registration, ...] = ()


class Recipient(NamedTuple):
    """Who keeps a file about somebody on a day: whom a change about him concerns."""

    organisation: str
    purpose: str
    quality: str


def stamp(seconds: float) -> str:
    """RFC 3339, UTC, whole seconds."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
