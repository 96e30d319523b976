"""Pseudonyms of national numbers: one organisation always sees the same one for a person, two never the same.

    ps_…   AES-256-SIV (RFC 5297) over the eleven digits, under a key of the organisation; 27 bytes, base64url

Deterministic, so nothing is kept but one master key; authenticated, so an invented one, one of another organisation and
one of the other world are all simply no pseudonym. Whoever holds the master key can open them: guard it as the ledger's.
"""

from __future__ import annotations

import os
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from integrator.errors import ConfigurationError
from integrator.keyfiles import made_once
from integrator.keytypes import PREFIX, ssin_world

_DIGITS = re.compile(r"[0-9]{11}", re.ASCII).fullmatch


class Pseudonyms:
    """`of` and `number` are each other's inverse, for one organisation."""

    def __init__(self, master: bytes, world: str) -> None:
        """`master`: 32 bytes or more, the same in every process; `world`: sandbox or production."""
        self._master, self._world = master, world
        self._cipher = lru_cache(maxsize=1024)(self._make)

    def of(self, organisation: str, number: str) -> str:
        """The pseudonym under which this organisation knows somebody."""
        sealed = self._cipher(organisation).encrypt(number.encode(), None)
        return PREFIX + urlsafe_b64encode(sealed).decode()

    def number(self, organisation: str, pseudonym: str) -> str | None:
        """Whose it is; None for whatever is no pseudonym of this organisation, whyever."""
        try:
            sealed = urlsafe_b64decode(pseudonym.removeprefix(PREFIX))
            return self._cipher(organisation).decrypt(sealed, None).decode()
        except (ValueError, InvalidTag):
            return None

    def replaced(self, organisation: str, value: Any) -> Any:
        """A copy of an answer in which every national number, wherever it stands, is a pseudonym."""
        if isinstance(value, dict):
            return {name: self.replaced(organisation, inner) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.replaced(organisation, inner) for inner in value]
        if isinstance(value, str) and _DIGITS(value) and ssin_world(value) is not None:
            return self.of(organisation, value)
        return value

    def _make(self, organisation: str) -> AESSIV:
        info = f"pseudonyms of {organisation} in {self._world}".encode()
        return AESSIV(HKDF(SHA512(), 64, None, info).derive(self._master))


def open_pseudonyms(path: Path, world: str) -> Pseudonyms:
    """With the master key of this file, made at the first start. Raises `ConfigurationError`."""
    master = made_once(path, lambda: os.urandom(64))
    if len(master) < 32:
        raise ConfigurationError(
            f"{path.name}: the key of the pseudonyms is too short", advice="Restore it from the backup."
        )
    return Pseudonyms(master, world)
