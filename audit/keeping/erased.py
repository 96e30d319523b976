"""Lines of a day that an order erased: the day's proof goes on, and names them as erased, by the entry that says so.

The map of a night commits to the places of its lines for ever. Whose an erased line was stands nowhere any more; who holds
the index key can still try which of the day's few erased places fit what the map holds for a person. What is found is told
to that person alone, who was shown the line when it was there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from itertools import combinations

from audit.keeping.completeness import Place, value_of
from audit.keeping.orders import entries_of
from audit.store import Store

MOST = (
    14  # erased lines of one day, of everybody, of which every choice is tried; beyond that only all of them together
)


def erased_in(store: Store, since: int, until: int) -> dict[Place, Place]:
    """Each entry of that time (µs) that was erased singly, and where the `erasure` entry stands that names it."""
    found: dict[Place, Place] = {}
    for stored, entry in entries_of(store, ("erasure",)):
        if "index" not in entry:
            continue  # a month of a class: the map goes with it
        line = next(store.read(entry["shard"], entry["index"], entry["index"] + 1), None)
        if line is not None and since <= line.ts < until:
            found[line.shard, line.index] = stored.shard, stored.index
    return found


def whole_of(
    held: bytes | None, salt: bytes, shown: Set[Place], erased: Mapping[Place, Place]
) -> tuple[tuple[Place, ...], tuple[tuple[Place, Place], ...]] | None:
    """All lines that a map holds for somebody, and those of them that were erased, each with its order's entry.

    `held`: the value in the map, None where it has no leaf. None when no choice of erased lines makes the shown ones fit it.
    """
    if held is None:
        return None if shown else ((), ())
    for gone in _choices(sorted(erased)):
        if value_of(salt, {*shown, *gone}) == held:
            return tuple(sorted({*shown, *gone})), tuple((one, erased[one]) for one in gone)
    return None


def _choices(places: list[Place]) -> Iterator[tuple[Place, ...]]:
    yield ()
    yield tuple(places)
    if len(places) <= MOST:
        for count in range(1, len(places)):
            yield from combinations(places, count)
