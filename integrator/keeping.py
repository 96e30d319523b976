"""The hub's part in keeping its ledger: the retention classes of config/retention.yaml, the daily chore, aliases told by sources.

What is erased, held or restricted, and how, is audit.keeping's; here stands only when the hub does it, and with what.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from audit import KeyRing, Ledger, Store, Subject
from audit.keeping import Expired, RetentionClass, alias, expire, mend
from audit.keeping.maps import forget_maps, make_maps
from audit.keeping.shown import ShowsAt, make_shown
from integrator import clock, places
from integrator.errors import ConfigurationError
from integrator.logs import log


def retention_classes(path: Path | None = None) -> dict[str, RetentionClass]:
    """config/retention.yaml. Raises `ConfigurationError`.

    >>> retention_classes()["Y10"].months
    120
    """
    path = path or places.folder("config") / "retention.yaml"
    try:
        found = places.read_yaml(path)["classes"]
        return {code: RetentionClass(code, one["months"], one["legalBasis"]) for code, one in found.items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigurationError(f"{path.name}: {error}", advice="`integrator check` names the line.") from error


_NUMBER = re.compile(r"\d{11}", re.ASCII).fullmatch


_NIGHT = 5_400  # seconds after midnight UTC: the day that is over has its map made


def until_night(now: float) -> float:
    """Seconds from `now` to the next chore.

    >>> until_night(0.0), until_night(5400.0), until_night(86399.0)
    (5400.0, 86400.0, 5401.0)
    """
    return 86_400 - (now - _NIGHT) % 86_400


class Writer(Protocol):
    """Who knows this year's ledger."""

    @property
    def ledger(self) -> Ledger: ...


@dataclass(frozen=True, slots=True)
class Keeper:
    """Keeps the ledger of one hub. Every method blocks: call it from a thread."""

    store: Store
    keyring: KeyRing
    writer: Writer
    classes: Mapping[str, RetentionClass]
    now: clock.Now
    maps: Path  # folder of the daily maps that prove completeness
    shows_at: ShowsAt | None = None  # who could see what at a moment; None = no map of what was shown is made

    def daily(self) -> list[Expired]:
        """Make yesterday's maps and erase what is due. Each is done whatever becomes of the other.

        Raises LedgerError or OSError of what failed: the next run goes on where this one stopped.
        """
        try:
            self._map()
        finally:
            expired = self._expire()
        return expired

    def _map(self) -> None:
        """After what a crash left of people's orders was finished: what is restricted stands in no map."""
        if mended := mend(self.store):
            log.warning("keeping_mended", entries=mended)
        make_maps(self.store, self.keyring, self.writer.ledger, self.maps)
        if self.shows_at is not None:
            make_shown(self.store, self.keyring, self.writer.ledger, self.maps, self.shows_at)

    def _expire(self) -> list[Expired]:
        today = clock.today(self.now())
        expired = expire(self.store, self.keyring, self.writer.ledger, self.classes, today)
        for one in expired:
            log.info("retention_expired", code=one.retention, entries=one.rows)
        forget_maps(self.store, self.maps)
        return expired

    def replaced(self, subject: tuple[str, str], number: str, source: str) -> None:
        """A source said that a number was replaced: its history goes with the new one. Logged without either number."""
        kind, old = subject
        try:
            if kind == "nrn" and not _NUMBER(number):
                raise ValueError("a tag of another spelling finds nothing")
            numbers = Subject(kind, old), Subject(kind, number)
            new = alias(self.store, self.keyring, self.writer.ledger, *numbers, source=source)
        except Exception as error:  # nobody waits for this thread; the text of a surprise may hold data
            log.warning("alias_failed", source=source, error=type(error).__name__)
            return
        if new:
            log.info("alias_recorded", source=source)
