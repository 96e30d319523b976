"""A second map of each day: what its subjects may see of it. It proves to a citizen that nobody takes a line away later.

The map of maps.py holds everything, so a citizen who was given a proof from it would learn of lines that are kept from
him for now. This one holds, for each person, only the lines that were shown that night, and is as large as the other:
whoever has no line to be shown gets a leaf that nobody asks for. So neither a proof, nor its absence from the map, nor
the size tells whether more lines exist.

    key ‖ salt = HMAC-SHA-256(index key of the year, "map1v|" day "|" tag)     value as in completeness.py
    for a tag without any line to be shown: "map1d|" day "|" tag, and a value over no entry

What an auditor adds: with the index keys the first map can be rebuilt whole, and what is in it and not in this one can
be held against the published rules (audit.verify.daymaps). ADR 11.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from itertools import groupby
from pathlib import Path

from audit.draft import Subject
from audit.entry import Record
from audit.errors import KeyMissing
from audit.keeping.completeness import DayMap, Place, key_of, value_of
from audit.keeping.erased import erased_in, whole_of
from audit.keeping.maps import DayEvidence, entry_of, made, read_map, restricted_at, shown_of, span, write_map
from audit.keeping.orders import order_draft
from audit.keys import KeyRing, index_key_name
from audit.ledger import Ledger
from audit.seal import Sealer
from audit.store import Store

NAME = "keeping.index.shown"  # of the entry that commits to such a map
_SHOWN, _DUMMY = "map1v", "map1d"
Shows = Callable[[bytes, str, int], bool]  # tag, shard, index: whether who bears the tag may see the entry
ShowsAt = Callable[[int], Shows]  # … at a moment, µs


def make_shown(store: Store, keyring: KeyRing, ledger: Ledger, folder: Path, shows_at: ShowsAt) -> list[Record]:
    """For every day that has a whole map and none of this kind; run it after make_maps. Blocks. Raises as make_maps.

    Who begins with this begins with the newest day: what was shown in nights before nobody can say any more.
    """
    with store.chore("index.shown") as mine:
        if not mine:
            return []
        done, whole, records = made(store, NAME), made(store), []
        first = min(done, default=max(whole, default=None))
        for day in sorted(day for day in whole - done if first is not None and day >= first):
            found = DayMap(_records(store, keyring, day, shows_at(ledger.now())))
            if found.records:
                write_map(_file(folder, day), found)
            draft = order_draft(
                "index", None, day=day.isoformat(), root=b64encode(found.root).decode(), size=len(found)
            )
            records += ledger.append_blocking([replace(draft, name=NAME)])
        return records


def prove_shown(
    store: Store, keyring: KeyRing, folder: Path, subject: Subject, day: date, shows_at: ShowsAt
) -> list[DayEvidence]:
    """What proves the lines that a person was shown that night, for each of their numbers; [] when no proof can be given.

    Lines that became visible since are not in it, as they were not in the list then. A line of then that an order erased
    is in it, as erased. Where a line of then was restricted there is no proof, as for a day that has no map.
    """
    indexed = entry_of(store, day, NAME)
    if indexed is None:
        return []
    stored, entry = indexed
    try:
        found = read_map(_file(folder, day)) if entry["size"] else DayMap(())
        tags = store.same([Sealer(keyring).subject_tag(subject.type, subject.id, day.year)])
    except (FileNotFoundError, KeyMissing):
        return []
    if b64encode(found.root).decode() != entry["root"]:
        return []
    shows, hidden, erased = shows_at(stored.ts), restricted_at(store, stored.ts), erased_in(store, *span(day))
    evidence = []
    for tag in tags:
        places = {one for one in shown_of(store, tag, day) if one not in hidden and shows(tag, *one)}
        key, salt = _key(keyring, day, tag, _SHOWN)
        proof = found.prove(key)
        held = next((leaf.value for leaf in proof.leaves if leaf.key == key), None)
        whole = whole_of(held, salt, places, erased)
        if whole is None:
            return []
        lines, orders = whole
        evidence.append(DayEvidence(day, stored.shard, stored.index, key, salt, lines, proof, orders))
    return evidence


def _records(store: Store, keyring: KeyRing, day: date, shows: Shows) -> Iterator[tuple[bytes, bytes]]:
    for tag, rows in groupby(store.subjects(*span(day)), key=lambda row: row[0]):
        places: list[Place] = [(shard, index) for _, shard, index in rows if shows(tag, shard, index)]
        key, salt = _key(keyring, day, tag, _SHOWN if places else _DUMMY)
        yield key, value_of(salt, places)


def _key(keyring: KeyRing, day: date, tag: bytes, label: str) -> tuple[bytes, bytes]:
    return key_of(keyring.get(index_key_name("subject", day.year)), day, tag, label)


def _file(folder: Path, day: date) -> Path:
    return folder / f"{day}.shown.map"
