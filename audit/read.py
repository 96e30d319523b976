"""Reading an entry with everything it commits to, and trusting none of it unchecked.

Checked here: stored bytes against the leaf hash, each opened value against the digests in the entry, and, when every
audience is opened and nothing was erased, that no digest is left without its value. Not checked here: that the leaf
is in the tree (a proof does that), nor that search finds every entry (the completeness map does that).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

import orjson

from audit.canonical import leaf_hash
from audit.disclosure import digest_of, reveal, root_of
from audit.draft import Subject
from audit.errors import EntryAltered, KeyMissing, LedgerError
from audit.keys import KeyRing
from audit.seal import AUDIENCES, SUBJECT, Sealer, month_of
from audit.store import By, Hit, Sealed, Store, Stored


@dataclass(frozen=True, slots=True)
class Opened:
    """One entry, checked."""

    stored: Stored
    entry: dict[str, Any]  # the clear part, digests included
    subjects: list[Subject]  # in the order they were given
    values: dict[str, Any]  # every other committed value by name: agent, case_ref, fields, …
    closed: frozenset[str]  # audiences not asked for, or whose values or keys were erased


def open_entry(
    store: Store, keyring: KeyRing, shard: str, index: int, audiences: Collection[str] = AUDIENCES
) -> Opened:
    """Open one entry for the audiences given (of subject, agent, technical).

    Raises LedgerError when there is no such entry, KeyMissing when a key of an audience is gone or not ours,
    EntryAltered when anything contradicts the leaf.
    """
    stored = next(store.read(shard, index, index + 1), None)
    if stored is None:
        raise LedgerError(f"no entry {index} in shard {shard}")
    entry = _checked_entry(stored)
    opened = Opened(stored, entry, [], {}, frozenset())
    closed = set(AUDIENCES) - set(audiences)
    parts = store.sealed(shard, index)
    if "_sd" in entry and not parts:
        closed = set(AUDIENCES)  # erased as a whole
    digests: list[str] = []
    sealer = Sealer(keyring)
    for part in parts:
        disclosures = _open_part(part, opened, set(audiences), closed, sealer)
        digests += [digest_of(disclosure) for disclosure in disclosures]
        _sort_in(disclosures, opened)
    _check_digests(opened, digests, closed)
    return replace(opened, closed=frozenset(closed))


def find_by_subject(
    store: Store, keyring: KeyRing, subject: Subject, since: int, until: int, limit: int = 100
) -> list[Hit]:
    """Rows about a subject with since ≤ ts < until (µs), newest first, under whatever key of the year they lie.

    A number that was replaced is found under the number that replaced it, and the other way round.
    Raises KeyMissing when the index key of a year that still has rows is gone: history is then unsearchable, not empty.
    """
    sealer = Sealer(keyring)
    tags = _tags(store, "subject", lambda year: sealer.subject_tag(subject.type, subject.id, year), since, until)
    tags = store.same(tags)
    return store.find(tags, since, until, by="subject", limit=limit) if tags else []


def find_by_agent(store: Store, keyring: KeyRing, agent: str, since: int, until: int, limit: int = 100) -> list[Hit]:
    """Rows an agent caused, as `find_by_subject`. Needs the agents' index keys, which are kept apart."""
    sealer = Sealer(keyring)
    tags = _tags(store, "agent", lambda year: sealer.agent_tag(agent, year), since, until)
    return store.find(tags, since, until, by="agent", limit=limit) if tags else []


def _tags(store: Store, by: By, tag: Callable[[int], bytes], since: int, until: int) -> list[bytes]:
    """One tag for each year of which rows are kept. A year that wrote about nobody never had a key: that is no loss."""
    first, last = month_of(since), month_of(until)
    tags = []
    for year in sorted({month // 100 for month in store.months() if first <= month <= last}):
        try:
            tags.append(tag(year))
        except KeyMissing:
            if store.tagged(by, year):
                raise
    return tags


def _checked_entry(stored: Stored) -> dict[str, Any]:
    """The entry as its leaf says; the columns beside it must say the same."""
    where = f"entry {stored.index} of {stored.shard}"
    if leaf_hash(stored.body) != stored.leaf:
        raise EntryAltered(f"{where}: the stored bytes do not match their hash")
    entry: dict[str, Any] = orjson.loads(stored.body)
    if (entry["ts"], entry["type"], entry.get("intent_ref")) != (stored.ts, stored.kind, stored.ref):
        raise EntryAltered(f"{where}: a column contradicts the entry")
    return entry


def _open_part(part: Sealed, opened: Opened, audiences: set[str], closed: set[str], sealer: Sealer) -> list[bytes]:
    """Disclosures of one part that may be opened; an audience whose keys were erased is added to `closed`."""
    entry, leaf = opened.entry, opened.stored.leaf
    disclosures: list[bytes] = []
    for audience, ciphertext, wrapped in zip(AUDIENCES, part.sealed, part.wrapped, strict=True):
        if ciphertext is None or audience not in audiences:
            continue
        if wrapped is None:
            closed.add(audience)
            continue
        text = sealer.open(ciphertext, wrapped, leaf, entry["ret"], month_of(entry["ts"]), audience)
        disclosures += text.split(b"~")
    return disclosures


def _sort_in(disclosures: list[bytes], opened: Opened) -> None:
    """Put revealed values where a reader looks for them; subject and role of one part belong together."""
    named: dict[str, Any] = {}
    for name, value in map(reveal, disclosures):
        if name in named or name in opened.values:
            raise EntryAltered(f"{name} is sealed twice")
        named[name] = value
    subject = named.pop("subject", None)
    role = named.pop("subject_role", "")
    if subject is not None:
        opened.subjects.append(Subject(subject["type"], subject["id"], role))
    opened.values.update(named)


def _check_digests(opened: Opened, digests: list[str], closed: set[str]) -> None:
    where = f"entry {opened.stored.index} of {opened.stored.shard}"
    listed = set(opened.entry.get("_sd", ()))
    rest = [digest for digest in digests if digest not in listed]
    root = opened.entry.get("subjects_root")
    if root is None and rest:
        raise EntryAltered(f"{where}: a sealed value is not the one the entry commits to")
    if root is not None and SUBJECT not in closed and root_of(rest) != root:
        raise EntryAltered(f"{where}: the sealed subjects are not those the entry commits to")
    if not closed and not listed <= set(digests):
        raise EntryAltered(f"{where}: the entry commits to a value that is not there")
