"""The completeness maps rebuilt: each day's `index` entry commits to exactly the entries that a search by tag finds.

Rebuilding asks for the index keys, and for a day on which nothing was erased, restricted or released afterwards: such a
day is noted, not judged. A tag that was changed or taken out of the side rows makes the day's root another one.
"""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, date, datetime
from itertools import groupby

from audit.errors import KeyMissing
from audit.keeping.completeness import DayMap, key_of, value_of
from audit.keeping.maps import NAME
from audit.keeping.orders import entries_of
from audit.keys import KeyRing, index_key_name
from audit.store import Store
from audit.verify.model import Report
from audit.verify.orders import Orders


def check_maps(store: Store, keyring: KeyRing, orders: Orders, report: Report) -> None:
    """Rebuild the map of every day that has one and that no order touched since."""
    touched = _touched(store, orders)
    months = {month for _, month in orders.months}
    unjudged = 0
    for stored, entry in entries_of(store, ("index",)):
        if entry["name"] != NAME:  # of what was shown: rebuilding that takes the rules of then
            continue
        day = date.fromisoformat(entry["day"])
        if day in touched or day.year * 100 + day.month in months:
            unjudged += 1
            continue
        try:
            found = rebuilt(store, keyring, day)
        except KeyMissing:
            unjudged += 1
            continue
        root = b64encode(found.root).decode()
        if (root, len(found)) != (entry["root"], entry["size"]):
            where = f"{stored.shard} entry {stored.index}"
            expected = f"map of {day}: {entry['size']} tags, root {entry['root']}"
            report.add("L6", "MAP_ALTERED", where, expected, f"{len(found)} tags, root {root}")
    if unjudged:
        report.notes["L6"].append(
            f"{unjudged} maps of days cannot be rebuilt: keys or entries of them are gone, or hidden"
        )


def rebuilt(store: Store, keyring: KeyRing, day: date) -> DayMap:
    """The map of a day, from the side rows as they are now. Raises KeyMissing."""
    start = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000
    records = []
    for tag, rows in groupby(store.subjects(start, start + 86_400_000_000), key=lambda row: row[0]):
        key, salt = key_of(keyring.get(index_key_name("subject", day.year)), day, tag)
        records.append((key, value_of(salt, ((shard, index) for _, shard, index in rows))))
    return DayMap(records)


def _touched(store: Store, orders: Orders) -> set[date]:
    """Days of entries that an order erased, restricted or released."""
    days = set()
    for shard, index in (*orders.single, *orders.restricted):
        for row in store.scan(shard, index, index + 1):
            days.add(datetime.fromtimestamp(row[1] / 1e6, UTC).date())
    return days
