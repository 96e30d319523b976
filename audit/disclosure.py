"""Salted digests in the manner of SD-JWT (RFC 9901): the leaf commits to a value without holding it.

    disclosure = b64url(JSON[salt, name, value])          kept sealed beside the entry, can really be deleted
    digest     = b64url(SHA-256(disclosure))              stands in the entry, `_sd`, sorted

Once the salt is gone the digest is a random number: nobody can test a guessed national number against it.
"""

from __future__ import annotations

import os
from base64 import urlsafe_b64decode
from hashlib import sha256
from typing import Any

import orjson

from audit.canonical import b64url, canonical, encode, is_plain
from audit.errors import EntryAltered

SALT = 18  # bytes, one salt for each value: 144 bits (RFC 9901 asks 128), exactly 24 characters of base64url


def commit_all(values: list[tuple[str, Any]]) -> tuple[list[bytes], list[str]]:
    """Return (disclosures, digests) of named values, in their order, each under a salt of its own.

    Raises EntryRefused for a value without canonical form. Two commitments to one value never look alike:

    >>> first, second = commit_all([("case_ref", "2026/117")] * 2)[1]
    >>> first == second
    False
    """
    salts = b64url(os.urandom(SALT * len(values))).decode()
    starts = range(0, len(salts), 24)
    try:
        texts = [
            encode([salts[start : start + 24], name, value])
            for (name, value), start in zip(values, starts, strict=True)
        ]
    except orjson.JSONEncodeError:
        texts = []
    if not texts or not is_plain(b"".join(texts)):
        for name, value in values:
            canonical({name: value})  # raises, naming the value; or it was all right and only looked odd
    disclosures = [b64url(text) for text in texts]
    # A zero byte after each 32 makes every digest start on a group of its own: one encoding for all of them.
    digests = b64url(b"".join([sha256(item).digest() + b"\0" for item in disclosures])).decode()
    return disclosures, [digests[start : start + 43] for start in range(0, len(digests), 44)]


def disclose(name: str, value: Any, salt: str) -> bytes:
    """Return the disclosure of one value whose canonical form was checked before.

    >>> disclose("a", 1, "_26bc4LT-ac6q2KI6cBW5esA")
    b'WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlc0EiLCJhIiwxXQ'
    """
    return b64url(encode([salt, name, value]))


def digest_of(disclosure: bytes) -> str:
    """The digest under which an entry commits to this disclosure: 43 characters of base64url."""
    return b64url(sha256(disclosure).digest()).decode()


def reveal(disclosure: bytes) -> tuple[str, Any]:
    """Return (name, value) of a disclosure. Raises EntryAltered when it is not one.

    >>> reveal(disclose("case_ref", "2026/117", "_26bc4LT-ac6q2KI6cBW5esA"))
    ('case_ref', '2026/117')
    """
    try:
        _salt, name, value = orjson.loads(_unpadded(disclosure))
    except ValueError as error:
        raise EntryAltered("a sealed value is not a disclosure of three parts") from error
    return name, value


def root_of(digests: list[str]) -> str:
    """Commit to many digests in one: RFC 6962 tree hash over them, sorted; 43 characters of base64url.

    For entries about more than 64 subjects, whose digests would not fit the leaf one by one.

    >>> root_of(["b", "a"]) == root_of(["a", "b"])
    True
    """
    level = [sha256(b"\x00" + digest.encode()).digest() for digest in sorted(digests)]
    return b64url(_tree_hash(level)).decode()


def _tree_hash(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1 from the bottom up: pairing neighbours and promoting an odd one gives the same tree."""
    if not leaves:
        return sha256(b"").digest()
    while len(leaves) > 1:
        pairs = zip(leaves[::2], leaves[1::2], strict=False)
        paired = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
        leaves = paired + leaves[len(paired) * 2 :]
    return leaves[0]


def _unpadded(text: bytes) -> bytes:
    return urlsafe_b64decode(text + b"=" * (-len(text) % 4))
