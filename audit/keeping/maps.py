"""The nightly chore of the completeness maps, and what a citizen is given of them. See completeness.py for the format.

A map is kept as a file (48 bytes per tag) because the rows it was made of may be erased singly; it goes with the last
class of its month. What was restricted when the map was made is not in it: to its subject it does not exist, and once
released it is shown as what it is, an entry released later. A restriction ordered after the map was made cannot be
taken out of it: for that subject and day no proof is given any more, as for a day that has no map.
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

from audit.draft import Subject
from audit.entry import Record
from audit.errors import KeyMissing
from audit.keeping.completeness import KEY, VALUE, DayMap, DayProof, Place, key_of, value_of
from audit.keeping.erased import erased_in, whole_of
from audit.keeping.orders import entries_of, order_draft
from audit.keys import KeyRing, index_key_name
from audit.ledger import Ledger
from audit.seal import Sealer
from audit.store import Store, Stored

NAME = "keeping.index"  # of the entry that commits to the whole map of a day
MARGIN = timedelta(hours=1)  # after midnight: whatever was still on its way is stored by then
CATCH_UP = 31  # days a hub that stood still makes up for
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DayEvidence:
    """What proves that a person (under one of their tags) had exactly these entries on one day.

    Check with completeness.check_day against root and size of the `index` entry, and that entry by its own proof.
    """

    day: date
    shard: str  # where the day's `index` entry stands
    index: int
    key: bytes
    salt: bytes
    places: tuple[Place, ...]
    proof: DayProof
    erased: tuple[
        tuple[Place, Place], ...
    ] = ()  # those of `places` that an order erased since, and where its entry stands


def make_maps(store: Store, keyring: KeyRing, ledger: Ledger, folder: Path) -> list[Record]:
    """Make the map and the `index` entry of every day that is over and has none yet; [] when another process is at it.

    Blocks. The first run with anything recorded begins with yesterday. Raises LedgerUnwritable, KeyMissing or OSError; the next run goes on.
    """
    with store.chore("index") as mine:
        if not mine:
            return []
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        records = []
        for day in _days(store, datetime.fromtimestamp(ledger.now() / 1e6, UTC)):
            found = DayMap(_records(store, keyring, day))
            if found.records:
                write_map(folder / f"{day}.map", found)
            draft = order_draft(
                "index", None, day=day.isoformat(), root=b64encode(found.root).decode(), size=len(found)
            )
            records += ledger.append_blocking([draft])
        return records


def made(store: Store, name: str = NAME) -> set[date]:
    """Days that have an `index` entry of this name."""
    return {date.fromisoformat(entry["day"]) for _, entry in entries_of(store, ("index",)) if entry["name"] == name}


def entry_of(store: Store, day: date, name: str = NAME) -> tuple[Stored, dict[str, Any]] | None:
    """The newest `index` entry of a day under this name."""
    return next(
        (
            pair
            for pair in entries_of(store, ("index",))
            if (pair[1]["name"], pair[1].get("day")) == (name, day.isoformat())
        ),
        None,
    )


def forget_maps(store: Store, folder: Path) -> int:
    """Delete the maps of months of which nothing is kept any more; return their number."""
    kept, gone = set(store.months()), 0
    for path in folder.glob("*.map"):
        if int(path.stem[:4] + path.stem[5:7]) not in kept:
            path.unlink(missing_ok=True)
            gone += 1
    return gone


def prove_day(store: Store, keyring: KeyRing, folder: Path, subject: Subject, day: date) -> list[DayEvidence]:
    """What proves a person's entries of one day, for each of their numbers; [] when no proof can be given.

    None is given for a day without map, and when the map holds what may no longer be shown. The person's own list is the
    `places` without what was `erased`, and what was restricted when the map was made and released since: that is not in it.
    """
    indexed = entry_of(store, day)
    if indexed is None:
        return []
    stored, entry = indexed
    try:
        found = read_map(folder / f"{day}.map") if entry["size"] else DayMap(())
        tags = store.same([Sealer(keyring).subject_tag(subject.type, subject.id, day.year)])
    except (FileNotFoundError, KeyMissing):
        return []
    if b64encode(found.root).decode() != entry["root"]:
        return []
    hidden, erased = restricted_at(store, stored.ts), erased_in(store, *span(day))
    evidence = []
    for tag in tags:
        places = set(shown_of(store, tag, day)) - hidden
        key, salt = key_of(keyring.get(index_key_name("subject", day.year)), day, tag)
        proof = found.prove(key)
        held = next((leaf.value for leaf in proof.leaves if leaf.key == key), None)
        whole = whole_of(held, salt, places, erased)
        if whole is None:
            return []
        lines, orders = whole
        evidence.append(DayEvidence(day, stored.shard, stored.index, key, salt, lines, proof, orders))
    return evidence


def _days(store: Store, now: datetime) -> Iterator[date]:
    last = (now - MARGIN).date() - _DAY
    known = made(store)
    if not known and not store.kept():
        return
    newest = max(known, default=last - _DAY)
    day = max(newest + _DAY, last - CATCH_UP * _DAY)
    while day <= last:
        yield day
        day += _DAY


def span(day: date) -> tuple[int, int]:
    """From and until, µs since 1970, UTC."""
    start = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    return start * 1_000_000, (start + 86_400) * 1_000_000


def _records(store: Store, keyring: KeyRing, day: date) -> Iterator[tuple[bytes, bytes]]:
    for tag, rows in groupby(store.subjects(*span(day)), key=lambda row: row[0]):
        key, salt = key_of(keyring.get(index_key_name("subject", day.year)), day, tag)
        yield key, value_of(salt, ((shard, index) for _, shard, index in rows))


def shown_of(store: Store, tag: bytes, day: date) -> Iterator[Place]:
    """Entries of that day under a tag that its subject may see now."""
    since, until = span(day)
    before: tuple[int, str, int, int] | None = None
    while page := store.find([tag], since, until, before=before, shown=True):
        yield from ((hit.shard, hit.index) for hit in page)
        last = page[-1]
        before = (last.ts, last.shard, last.index, last.part)


def restricted_at(store: Store, moment: int) -> set[Place]:
    """Entries that were restricted at a moment (µs): their last order before it was `restrict`."""
    last: dict[Place, str] = {}
    for stored, entry in entries_of(store, ("restrict", "release")):
        if stored.ts <= moment:
            last.setdefault((entry["shard"], entry["index"]), stored.kind)
    return {place for place, kind in last.items() if kind == "restrict"}


def write_map(path: Path, found: DayMap) -> None:
    draft = path.with_suffix(".draft")
    with draft.open("wb") as file:
        file.write(b"".join(key + value for key, value in found.records))
        file.flush()
        os.fsync(file.fileno())
    draft.chmod(0o600)
    draft.replace(path)


def read_map(path: Path) -> DayMap:
    data, width = path.read_bytes(), KEY + VALUE
    return DayMap((data[at : at + KEY], data[at + KEY : at + width]) for at in range(0, len(data), width))
