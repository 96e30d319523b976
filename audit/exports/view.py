"""What may be seen of the people in a processing: opened values for the audiences given, else blind tags only."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from audit.draft import Subject
from audit.errors import KeyMissing
from audit.exports.walk import Processing
from audit.keys import KeyRing
from audit.read import Opened, open_entry
from audit.seal import AGENT, AUDIENCES, SUBJECT
from audit.store import Store

TAG = "blind-tag"  # type of an id that is no id: it stays the same within a calendar year and leads to nobody


@dataclass(frozen=True, slots=True)
class Seen:
    """The people and values of one processing, as far as the audiences reach."""

    subjects: tuple[Subject, ...]  # opened, or of type `blind-tag` with the tag in hexadecimal as id
    values: Mapping[str, Any]  # case_ref, fields, justification, on_behalf_of; agent where that audience is given
    erased: bool = False  # values that were sealed are gone for ever


class View:
    """Opens with the keys of a ring, never more than `audiences`. `only`: of several subjects no other than this one."""

    def __init__(
        self, store: Store, keyring: KeyRing | None, audiences: Collection[str] = (), *, only: Subject | None = None
    ) -> None:
        unknown = set(audiences) - set(AUDIENCES)
        if unknown or (audiences and keyring is None):
            raise ValueError("audiences are subject, agent and technical, and opening them needs a key ring")
        self._store = store
        self._keyring = keyring
        self._only = only
        self.audiences = frozenset(audiences)

    def see(self, processing: Processing) -> Seen:
        """Raises EntryAltered when what is sealed contradicts the leaf."""
        if not self.audiences:
            return Seen(_tagged(processing), {})
        own = self._open(processing, processing.index)
        intent = None if processing.intent is None else self._open(processing, processing.intent)
        values = {**(intent.values if intent else {}), **(own.values if own else {})}
        if AGENT not in self.audiences:
            values.pop("agent", None)
        holder = own if processing.tagged_by == processing.index else intent
        erased = holder is None or (SUBJECT in self.audiences and SUBJECT in holder.closed)
        subjects = tuple(holder.subjects) if holder else ()
        if SUBJECT not in self.audiences or (erased and not subjects):
            subjects = _tagged(processing)
        if self._only is not None:
            subjects = tuple(one for one in subjects if (one.type, one.id) == (self._only.type, self._only.id))
        return Seen(subjects, values, erased)

    def _open(self, processing: Processing, index: int) -> Opened | None:
        assert self._keyring is not None  # noqa: S101 (the constructor saw to it)
        try:
            return open_entry(self._store, self._keyring, processing.shard, index, self.audiences)
        except KeyMissing:
            return None


def _tagged(processing: Processing) -> tuple[Subject, ...]:
    return tuple(Subject(TAG, tag.hex()) for _, tag in processing.tags)
