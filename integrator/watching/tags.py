"""Keyed tags of what is compared: the same for the same person, and nothing to whoever lacks the key.

tagger.tag("nrn", "85610100147")    16 bytes
"""

from __future__ import annotations

import hmac
import unicodedata
from pathlib import Path

from audit import FileKeyRing, KeyRing

_KEY = "watching"
_SIZE = 16  # bytes


class Tagger:
    """One key, read once. Several machines share the file: a tag made on one is looked for on another."""

    def __init__(self, keyring: KeyRing) -> None:
        """Raises `KeyMissing`."""
        self._key = keyring.get(_KEY, create=True)

    def tag(self, kind: str, text: str) -> bytes:
        """`kind` is part of it: a number, a surname and a case never meet."""
        return hmac.digest(self._key, f"{kind}|{text}".encode(), "sha256")[:_SIZE]

    def person(self, number: str) -> bytes:
        """Of a canonical national number."""
        return self.tag("nrn", number)


def open_tagger(state: Path) -> Tagger:
    """The hub's own; its key is made the first time."""
    return Tagger(FileKeyRing(state / "watching-keys"))


def plain(name: str) -> str:
    """A name as it is compared: lower case, without accents, one space between words.

    >>> plain(" De  Smét ")
    'de smet'
    """
    letters = unicodedata.normalize("NFKD", name).casefold()
    return " ".join("".join(letter for letter in letters if not unicodedata.combining(letter)).split())
