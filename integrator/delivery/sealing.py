"""Values at rest are sealed; what must be found or compared stands there as a keyed tag.

Keys of the ledger's ring: `outbox-<yyyy>-<mm>` seals what was accepted in that month (AES-256-GCM, bound to its uid),
`outbox-tags` blinds idempotency keys, contents and the lanes that keep order per subject. A tag is 16 bytes of HMAC-SHA256.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from audit import EntryAltered, KeyRing

_NONCE = 12  # bytes, random: one key seals far less than 2^32 messages


class Sealing:
    """Seals and opens with one ring; keys once used stay in memory. Safe for several threads."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._ciphers: dict[str, AESGCM] = {}
        self._tags = ring.get("outbox-tags", create=True)

    def seal(self, values: Mapping[str, Any], uid: str, created: int) -> bytes:
        """`created`: ms since 1970, which names the key."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher(created, create=True).encrypt(nonce, orjson.dumps(values), uid.encode())

    def open(self, sealed: bytes, uid: str, created: int) -> dict[str, Any]:
        """Raises KeyMissing, or EntryAltered when it was sealed for another message."""
        try:
            plain = self._cipher(created).decrypt(sealed[:_NONCE], sealed[_NONCE:], uid.encode())
        except InvalidTag as error:
            raise EntryAltered("the sealed values do not belong to this message, or were changed") from error
        opened: dict[str, Any] = orjson.loads(plain)
        return opened

    def tag(self, *words: str) -> bytes:
        """The same words give the same tag; nobody without the key can try words. Words are told apart by their length."""
        text = "".join(f"{len(word)}:{word}" for word in words)
        return hmac.digest(self._tags, text.encode(), "sha256")[:16]

    def _cipher(self, created: int, *, create: bool = False) -> AESGCM:
        name = f"outbox-{datetime.fromtimestamp(created / 1000, UTC):%Y-%m}"
        cipher = self._ciphers.get(name)
        if cipher is None:
            cipher = self._ciphers[name] = AESGCM(self._ring.get(name, create=create))
        return cipher
