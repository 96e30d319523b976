"""What a case leaves in the ledger, counted as its scenario counts it: by organisation, by what it is about, by type of entry."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

from audit import open_store
from audit.log.anchor import is_anchor
from integrator import settings

_PATIENCE = 15.0  # seconds until everything is there
_QUIET = 0.8  # seconds in which nothing more may come
Key = tuple[str, str, str]  # organisation, about, type of entry
_CHORES = ("-watch/", "-keep/", "-desk/", "-govern/")  # written beside the exchanges: alerts, orders of operators


def mark(chosen: settings.Settings) -> dict[str, int]:
    """How long each shard is now."""
    with closing(open_store(chosen.ledger)) as store:
        return {name: store.size(name) for name in _shards(store)}


def since(chosen: settings.Settings, before: Mapping[str, int]) -> Counter[Key]:
    """Entries of exchanges after that mark."""
    names = {one["number"]: name for name, one in settings.organisations()["organisations"].items()}
    counted: Counter[Key] = Counter()
    with closing(open_store(chosen.ledger)) as store:
        for shard in _shards(store):
            for stored in store.read(shard, before.get(shard, 0)):
                entry = json.loads(stored.body)
                number = (entry.get("consumer") or {}).get("org", "")
                about = (entry.get("source") or {}).get("service", "")
                if not number and entry["type"] != "unknown":
                    continue  # what the ledger writes about itself: an index, a key, a seal
                counted[names.get(number, number), about, entry["type"]] += 1
    return counted


def expected(leaves: Sequence[Mapping[str, Any]]) -> dict[Key, tuple[int, bool]]:
    """How many of each; True: or more."""
    told: dict[Key, tuple[int, bool]] = {}
    for one in leaves:
        for kind, count in one.items():
            if kind not in ("organisation", "about"):
                more = isinstance(count, str)
                told[one["organisation"], one["about"], kind] = (int(str(count).rstrip("+")), more)
    return told


def awaited(
    chosen: settings.Settings, before: Mapping[str, int], leaves: Sequence[Mapping[str, Any]]
) -> tuple[Counter[Key], list[str]]:
    """What was left, once it is all there and nothing more comes; and how it differs."""
    wish, deadline = expected(leaves), time.monotonic() + _PATIENCE
    while list(_differences(wish, since(chosen, before))) and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(_QUIET)
    found = since(chosen, before)
    return found, list(_differences(wish, found))


def _differences(wish: Mapping[Key, tuple[int, bool]], found: Mapping[Key, int]) -> Iterator[str]:
    for key in sorted({*wish, *found}):
        number, more = wish.get(key, (0, False))
        count = found.get(key, 0)
        if count != number and not (more and count > number):
            organisation, about, kind = key
            yield f"{kind} of {about} for {organisation}: expected {number}{'+' if more else ''}, found {count}"


def _shards(store: Any) -> list[str]:
    return [name for name in store.shards() if not is_anchor(name) and not any(one in name for one in _CHORES)]
