"""What a row says once it is opened: the values sealed beside its entry, and those beside the intent it answers.

An outcome does not repeat what its intent holds (the fields asked, the case), so both are opened. Nothing is opened for
an audience that was not asked for: names of agents stay closed unless the caller has a reason and a right to see them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from audit.draft import Subject
from audit.errors import KeyMissing
from audit.keys import KeyRing
from audit.read import Opened, open_entry
from audit.reports.rows import Row
from audit.seal import AGENT, SUBJECT
from audit.store import Store


@dataclass(frozen=True, slots=True)
class Details:
    """The sealed values of a row. `erased` = they can never be read again; the entry itself still stands."""

    subjects: tuple[Subject, ...] = ()
    case_ref: str | None = None
    fields: tuple[str, ...] = ()  # asked, in names
    justification: str | None = None
    on_behalf_of: Any = None
    agent: Mapping[str, Any] | None = None  # id, unit, role: only when that audience was asked for
    erased: bool = False


def details_of(store: Store, keyring: KeyRing, row: Row, audiences: Collection[str] = (SUBJECT,)) -> Details:
    """Open a row, checked against its leaf. Raises EntryAltered; KeyMissing never: what is gone is `erased`."""
    own = _open(store, keyring, row.shard, row.index, audiences)
    if own is None:
        return Details(erased=True)
    intent = None if row.ref is None else _open(store, keyring, row.shard, row.ref, audiences)
    values = {**(intent.values if intent else {}), **own.values}
    subjects = own.subjects or (intent.subjects if intent else [])
    return Details(
        tuple(subjects),
        values.get("case_ref"),
        tuple(values.get("fields") or ()),
        values.get("justification"),
        values.get("on_behalf_of"),
        values.get("agent") if AGENT in audiences else None,
        SUBJECT in audiences and SUBJECT in own.closed,
    )


def role_of(details: Details, subject: Subject) -> str | None:
    """As what somebody stands in the entry: data-subject, household-member …; None when not said."""
    return next(
        (one.role or None for one in details.subjects if (one.type, one.id) == (subject.type, subject.id)), None
    )


def _open(store: Store, keyring: KeyRing, shard: str, index: int, audiences: Collection[str]) -> Opened | None:
    try:
        return open_entry(store, keyring, shard, index, audiences)
    except KeyMissing:
        return None
