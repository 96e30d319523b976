"""What a watch may ask of sealed values, where it holds the keys: yes or no, and a number that never leaves memory."""

from __future__ import annotations

from audit.alerts.looks import Look
from audit.draft import Subject
from audit.errors import LedgerError
from audit.keys import KeyRing
from audit.read import Opened, open_entry
from audit.seal import SUBJECT
from audit.store import Store


class Sealed:
    """Opens entries of the subject audience. What cannot be opened is not known, and nothing is concluded from it."""

    def __init__(self, store: Store, keyring: KeyRing) -> None:
        self._store, self._keyring = store, keyring
        self._last: tuple[tuple[str, int], Opened | None] = (("", -1), None)  # several rules ask about one look

    def has_case(self, look: Look) -> bool:
        """Whether a case is named. Believed when it cannot be read: a forgotten month accuses nobody."""
        entry = self._open(look)
        return entry is None or SUBJECT in entry.closed or bool(entry.values.get("case_ref"))

    def opens(self, look: Look) -> bool:
        """Whether what was asked can be read at all."""
        entry = self._open(look)
        return entry is not None and SUBJECT not in entry.closed

    def case(self, look: Look) -> str | None:
        """The case it names; None also where that cannot be read."""
        entry = self._open(look)
        found = entry.values.get("case_ref") if entry else None
        return str(found) if found else None

    def subjects(self, look: Look) -> tuple[Subject, ...]:
        """Whom was asked about; nobody where that cannot be read."""
        entry = self._open(look)
        return tuple(entry.subjects) if entry else ()

    def ordinal(self, look: Look) -> int | None:
        """The national number that was asked for, without its check digits; None for anything else."""
        entry = self._open(look)
        first = next(iter(entry.subjects), None) if entry else None
        return int(first.id[:-2]) if first and first.type == "nrn" and first.id.isdigit() else None

    def _open(self, look: Look) -> Opened | None:
        """What was asked: the intent, or the entry itself when it is the only one."""
        place = look.shard, look.index if look.intent is None else look.intent
        if self._last[0] != place:
            try:
                self._last = place, open_entry(self._store, self._keyring, *place, (SUBJECT,))
            except LedgerError:
                self._last = place, None
        return self._last[1]
