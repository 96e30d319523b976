"""What an entry commits to is sealed beside it, per audience, and can be forgotten without touching the leaf.

Per record and audience: a random data key (DEK), AES-256-GCM, AAD = leaf hash; the DEK wrapped by AES-KW (RFC 3394)
under the key of its retention class, month and audience. GCM is not key-committing: the salted digests in the leaf
are the commitment, so nobody can show two plaintexts for one entry.

Blind tags make entries findable by person without storing the person: HMAC under a key of the year, 16 bytes. They
stand in the side table only, never in a leaf, where they would link one person through every copy of the log.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from time import gmtime
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from audit.errors import EntryAltered
from audit.keys import KeyRing, index_key_name, wrapping_key_name

SUBJECT, AGENT, TECHNICAL = AUDIENCES = ("subject", "agent", "technical")
DEK = 32  # bytes
# Zero is safe as nonce: every data key is random and seals exactly one message.
_NONCE = bytes(12)
_TAG_BYTES = 16
_BLOCK = 64  # bytes that SHA-256 takes at a time
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))
_MICROSECONDS_PER_HOUR = 3_600_000_000


def month_of(ts: int) -> int:
    """Month of a timestamp in µs since 1970, UTC, as yyyymm.

    >>> month_of(1_795_440_600_123_456)
    202611
    """
    return _month_of_hour(ts // _MICROSECONDS_PER_HOUR)


@lru_cache(maxsize=64)
def _month_of_hour(hour: int) -> int:
    moment = gmtime(hour * 3600)
    return moment.tm_year * 100 + moment.tm_mon


@lru_cache(maxsize=512)  # the intent and the outcome of one exchange carry the same tags; memory only, and not for long
def _tag(key: bytes, text: str) -> bytes:
    inner, outer = (half.copy() for half in _halves(key))
    inner.update(text.encode())
    outer.update(inner.digest())
    tag: bytes = outer.digest()[:_TAG_BYTES]
    return tag


@lru_cache(maxsize=8)
def _halves(key: bytes) -> tuple[Any, Any]:
    """HMAC-SHA256 (RFC 2104) with the key already taken in: half the work of a short text.

    >>> import hmac
    >>> _tag(b"k" * 32, "idx1|nrn|1") == hmac.digest(b"k" * 32, b"idx1|nrn|1", "sha256")[:16]
    True
    """
    if len(key) > _BLOCK:
        key = sha256(key).digest()
    block = key.ljust(_BLOCK, b"\0")
    return sha256(block.translate(_INNER)), sha256(block.translate(_OUTER))


class Sealer:
    """Seals and opens with the keys of one ring; keys once used stay in memory.

    Not a secret store: whoever holds a Sealer can open what its ring can open. Safe for several threads.
    """

    __slots__ = ("_index_keys", "_ring", "_wrapping_keys")

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._wrapping_keys: dict[tuple[str, int, str], bytes] = {}
        self._index_keys: dict[tuple[str, int], bytes] = {}

    def seal(
        self, plain: bytes, dek: bytes, leaf: bytes, retention: str, month: int, audience: str
    ) -> tuple[bytes, bytes]:
        """Return (ciphertext with its 16-byte tag, wrapped key of 40 bytes). `dek` MUST be fresh random bytes."""
        kek = self._wrapping_keys.get((retention, month, audience)) or self._wrapping_key(retention, month, audience)
        return AESGCM(dek).encrypt(_NONCE, plain, leaf), aes_key_wrap(kek, dek)

    def open(self, ciphertext: bytes, wrapped: bytes, leaf: bytes, retention: str, month: int, audience: str) -> bytes:
        """Return what was sealed. Raises KeyMissing (key destroyed or not ours) or EntryAltered."""
        kek = self._ring.get(wrapping_key_name(retention, month, audience))
        try:
            return AESGCM(aes_key_unwrap(kek, wrapped)).decrypt(_NONCE, ciphertext, leaf)
        except (InvalidUnwrap, InvalidTag) as error:
            raise EntryAltered("the sealed part does not belong to this entry, or was changed") from error

    def subject_tag(self, kind: str, identifier: str, year: int, *, create: bool = False) -> bytes:
        """Blind index tag of a subject, 16 bytes. `identifier` MUST be normalised (digits only) by the caller."""
        key = self._index_keys.get(("subject", year)) or self._index_key("subject", year, create)
        return _tag(key, f"idx1|{kind}|{identifier}")

    def agent_tag(self, identifier: str, year: int, *, create: bool = False) -> bytes:
        """Blind index tag of an agent, 16 bytes, under a key of its own."""
        key = self._index_keys.get(("agent", year)) or self._index_key("agent", year, create)
        return _tag(key, f"agent1|{identifier}")

    def _wrapping_key(self, retention: str, month: int, audience: str) -> bytes:
        key = self._ring.get(wrapping_key_name(retention, month, audience), create=True)
        self._wrapping_keys[retention, month, audience] = key
        return key

    def _index_key(self, who: str, year: int, create: bool) -> bytes:
        key = self._index_keys[who, year] = self._ring.get(index_key_name(who, year), create=create)
        return key
