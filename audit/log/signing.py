"""The keys that sign logs: one Ed25519 key for each origin, kept in the key ring as its 32-byte seed.

A key is made at the first use where `create` allows it (a sandbox); in production by hand, before it is needed.
"""

from __future__ import annotations

import re

from audit.errors import KeyMissing
from audit.keys import KeyRing
from audit.tree.note import NoteSigner


class Signers:
    """Signers by origin; raises KeyMissing for one that must not be made here and now."""

    def __init__(self, keyring: KeyRing, *, create: bool) -> None:
        self._keyring, self._create = keyring, create
        self._known: dict[str, NoteSigner] = {}

    def signer(self, origin: str, *, create: bool | None = None) -> NoteSigner:
        """The signer of one log. Its key is never made for reading: only `create`, ours or the caller's, makes one."""
        known = self._known.get(origin)
        if known is None:
            seed = self._keyring.get(key_name(origin), create=self._create if create is None else create)
            known = self._known[origin] = NoteSigner.from_seed(origin, seed)
        return known

    def has(self, origin: str) -> bool:
        """Whether the log has a key."""
        try:
            self.signer(origin, create=False)
        except KeyMissing:
            return False
        return True


def key_name(origin: str) -> str:
    """The name in the key ring.

    >>> key_name("audit.hub.example/test/hub-1/2026")
    'sign-audit-hub-example-test-hub-1-2026'
    """
    return "sign-" + re.sub(r"[/._]", "-", origin)
