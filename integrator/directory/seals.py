"""What makes the directory's tables useless without its key: a blind tag to find somebody by, and sealed values to list.

One secret of 32 bytes in a file of the hub's own user; all processes on one database must share it.
"""

from __future__ import annotations

import hmac
import os
from pathlib import Path
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from integrator.errors import ConfigurationError
from integrator.keyfiles import made_once

_NONCE = 12
TAG = 16  # bytes: of 2^128 tags no two of a country's numbers meet


class Seals:
    """`tag` finds, `seal` and `open` keep."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != 32:
            raise ConfigurationError("the key of the directory is damaged", advice="Put its file back from the backup.")
        self._tags = _derive(secret, b"tag")
        self._cipher = AESGCM(_derive(secret, b"seal"))
        self.proof = hmac.digest(self._tags, b"proof of key", "sha256")[:TAG]  # kept in the database: see directory.py

    def tag(self, ssin: str) -> bytes:
        """Blind: the same for the same number, and nothing without the key."""
        return hmac.digest(self._tags, b"nrn " + ssin.encode(), "sha256")[:TAG]

    def seal(self, organisation: str, values: dict[str, Any]) -> bytes:
        """AES-256-GCM, bound to the organisation: its row cannot be passed off as another's."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, orjson.dumps(values), organisation.encode())

    def open(self, organisation: str, sealed: bytes) -> dict[str, Any]:
        """The inverse. Raises `ConfigurationError`: rows that do not open are damage, never absence."""
        try:
            data = bytes(sealed)
            opened: dict[str, Any] = orjson.loads(
                self._cipher.decrypt(data[:_NONCE], data[_NONCE:], organisation.encode())
            )
            return opened
        except (InvalidTag, ValueError) as error:
            raise ConfigurationError(
                "a row of the directory does not open", advice="Its key or its database was exchanged: restore both."
            ) from error


def open_seals(folder: Path) -> Seals:
    """The key of a folder; made the first time (0600)."""
    return Seals(made_once(folder / "directory.key", lambda: os.urandom(32)))


def _derive(secret: bytes, use: bytes) -> bytes:
    return HKDF(SHA256(), 32, None, b"integrator directory " + use).derive(secret)
