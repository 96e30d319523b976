"""A replaced national number keeps its history: tags of the old and the new number are linked, per year.

Only tags are linked: the table gives no number away, and like every tag it is useless without the year's index key.
Why two tags are linked is an `alias` entry about both numbers, which both find in their history.
"""

from __future__ import annotations

import os
from contextlib import suppress

from audit.draft import Draft, Subject
from audit.errors import KeyMissing
from audit.keys import KeyRing
from audit.ledger import Ledger
from audit.seal import Sealer, month_of
from audit.store import Store

RETENTION = "Y30"  # at least as long as what it links


def alias(store: Store, keyring: KeyRing, ledger: Ledger, old: Subject, new: Subject, *, source: str = "") -> bool:
    """Link two numbers of one person; afterwards a search for either finds both, over any chain. Blocks.

    Believe only the authentic source: a wrong alias shows one person's history to another. `source`: who said so.
    Covers every year of which anything is kept, this year and the next; told again later, it covers what came since.
    Returns False when all of that was known. Raises LedgerUnwritable when nothing was linked.
    """
    if (old.type, old.id) == (new.type, new.id):
        return False
    links = _links(store, keyring, old, new, month_of(ledger.now()) // 100)
    if all(theirs in store.same([ours]) for _, ours, theirs in links):
        return False
    ledger.append_blocking([_draft(old, new, source)])
    store.alias(links)
    return True


def _links(store: Store, keyring: KeyRing, old: Subject, new: Subject, year: int) -> list[tuple[int, bytes, bytes]]:
    sealer = Sealer(keyring)
    links = []
    for one in sorted({month // 100 for month in store.months()} | {year, year + 1}):
        with suppress(KeyMissing):  # a past year whose key was lost is unsearchable anyway
            tags = (sealer.subject_tag(who.type, who.id, one, create=one >= year) for who in (old, new))
            links.append((one, *tags))
    return links  # type: ignore[return-value]


def _draft(old: Subject, new: Subject, source: str) -> Draft:
    return Draft(
        type="alias",
        trace_id=os.urandom(16).hex(),
        span_id=os.urandom(8).hex(),
        name="keeping.alias",
        retention=RETENTION,
        clear={"initiator": "system"} | ({"source": {"service": source}} if source else {}),
        subjects=[Subject(old.type, old.id, "replaced-number"), Subject(new.type, new.id, "replacing-number")],
    )
