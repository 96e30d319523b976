"""Secrets of the consoles: seals what must be kept, tags what must be found, and proves that a form is ours.

One key of 32 bytes in a file of the hub's own user; everything else is derived from it, one key for each use.

    vault.open("session", vault.seal("session", "text")) == "text"
"""

from __future__ import annotations

import hashlib
import hmac
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from integrator.errors import ConfigurationError
from integrator.keyfiles import made_once

_NONCE = 12


class SealBroken(ValueError):
    """What was to be opened is not ours, was sealed for another use, or was changed."""


class Vault:
    """Keys derived from one secret. Uses are short constant words."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != 32:
            raise ConfigurationError("the key of the consoles is damaged", advice="Put its file back from the backup.")
        self._secret = secret

    def seal(self, use: str, text: str) -> str:
        """AES-256-GCM with a nonce of its own, base64url: the same text looks different each time."""
        nonce = os.urandom(_NONCE)
        return _text(nonce + AESGCM(self._key("seal " + use)).encrypt(nonce, text.encode(), use.encode()))

    def open(self, use: str, sealed: str) -> str:
        """The inverse. Raises `SealBroken`."""
        try:
            data = urlsafe_b64decode(sealed.encode("ascii") + b"=" * (-len(sealed) % 4))
            return AESGCM(self._key("seal " + use)).decrypt(data[:_NONCE], data[_NONCE:], use.encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise SealBroken("this was not sealed here, or not for this") from error

    def tag(self, use: str, text: str) -> str:
        """A blind tag: the same for the same text, and nothing without the key. 43 characters."""
        return _text(hmac.digest(self._key("tag " + use), text.encode(), "sha256"))

    def _key(self, use: str) -> bytes:
        return HKDF(SHA256(), 32, None, b"integrator consoles " + use.encode()).derive(self._secret)


def open_vault(folder: Path) -> Vault:
    """The vault of a state folder; its key is made the first time (0600)."""
    return Vault(made_once(folder / "console-keys" / "vault.key", lambda: os.urandom(32)))


def digest(token: str) -> str:
    """How a random token is remembered: whoever reads the database cannot use it."""
    return hashlib.sha256(token.encode()).hexdigest()


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
