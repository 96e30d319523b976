"""What a watch may ask of sealed values, where it holds the keys: yes or no, and a number that never leaves memory."""

from __future__ import annotations

from audit.alerts.looks import Look
from audit.errors import LedgerError
from audit.keys import KeyRing
from audit.read import open_entry
from audit.seal import SUBJECT
from audit.store import Store


class Sealed:
    """Opens entries of the subject audience. What cannot be opened is not known, and nothing is concluded from it."""

    def __init__(self, store: Store, keyring: KeyRing) -> None:
        self._store, self._keyring = store, keyring

    def has_case(self, look: Look) -> bool:
        """Whether a case is named. Believed when it cannot be read: a forgotten month accuses nobody."""
        try:
            entry = open_entry(self._store, self._keyring, look.shard, self._begun(look), (SUBJECT,))
        except LedgerError:
            return True
        return bool(entry.values.get("case_ref")) or SUBJECT in entry.closed

    def ordinal(self, look: Look) -> int | None:
        """The first subject's national number without its check digits; None for anything else."""
        try:
            entry = open_entry(self._store, self._keyring, look.shard, self._named(look), (SUBJECT,))
        except LedgerError:
            return None
        first = next(iter(entry.subjects), None)
        return int(first.id[:-2]) if first and first.type == "nrn" and first.id.isdigit() else None

    def _begun(self, look: Look) -> int:
        return look.index if look.intent is None else look.intent

    def _named(self, look: Look) -> int:
        return look.index if look.tagged_by < 0 else look.tagged_by
