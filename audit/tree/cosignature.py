"""What a witness says of a checkpoint (C2SP tlog-cosignature): I saw it, it grew from what I saw before, at this time.

Two kinds: Ed25519 (algorithm 0x04, what public witnesses use) and ML-DSA-44 (0x06, safe against quantum computers).
Both cover the time, in seconds since 1970. Only `audit.tree.vkey` writes and reads the lines themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from audit.errors import NoteInvalid
from audit.tree.checkpoint import Checkpoint
from audit.tree.vkey import COSIGNATURE, MLDSA44, Vkey

_LAST_TIME = 2**63 - 1


class Cosigner:
    """Signs checkpoints as a witness, with Ed25519. One key per cosigner: the name is not part of what is signed."""

    def __init__(self, name: str, key: Ed25519PrivateKey) -> None:
        self._key = key
        self._vkey = Vkey.make(name, COSIGNATURE, key.public_key().public_bytes_raw())
        self.name, self.key_id, self.vkey = name, self._vkey.key_id, str(self._vkey)

    @classmethod
    def from_seed(cls, name: str, seed: bytes) -> Cosigner:
        """A cosigner from the 32 bytes in which an Ed25519 key is kept."""
        return cls(name, Ed25519PrivateKey.from_private_bytes(seed))

    def line(self, checkpoint_text: str, time: int) -> str:
        """The signature line (no newline) over a checkpoint at `time`, seconds since 1970."""
        message = _ed25519_message(checkpoint_text, time)
        return self._vkey.line(time.to_bytes(8, "big") + self._key.sign(message))


class MldsaCosigner:
    """Signs checkpoints as a witness (or as the log itself), with ML-DSA-44. Signature: 2 420 bytes, about 1 ms."""

    def __init__(self, name: str, key: MLDSA44PrivateKey) -> None:
        self._key = key
        self._vkey = Vkey.make(name, MLDSA44, key.public_key().public_bytes_raw())
        self.name, self.key_id, self.vkey = name, self._vkey.key_id, str(self._vkey)

    @classmethod
    def from_seed(cls, name: str, seed: bytes) -> MldsaCosigner:
        """A cosigner from the 32 bytes in which an ML-DSA key is kept (FIPS 204: ξ)."""
        return cls(name, MLDSA44PrivateKey.from_seed_bytes(seed))

    def line(self, checkpoint_text: str, time: int) -> str:
        """The signature line (no newline) over a checkpoint at `time`; 0 says nothing about when."""
        message = _mldsa_message(self.name, checkpoint_text, time)
        return self._vkey.line(time.to_bytes(8, "big") + self._key.sign(message))


@dataclass(frozen=True)
class CosignatureVerifier:
    """Checks what a Cosigner signed."""

    name: str
    key_id: int
    key: Ed25519PublicKey

    def verify(self, text: str, signature: bytes) -> int:
        """The time of the cosignature, or InvalidSignature."""
        time, signed = _taken_apart(signature, 64)
        self.key.verify(signed, _ed25519_message(text, time))
        return time


@dataclass(frozen=True)
class MldsaVerifier:
    """Checks what an MldsaCosigner signed."""

    name: str
    key_id: int
    key: MLDSA44PublicKey

    def verify(self, text: str, signature: bytes) -> int:
        """The time of the cosignature (0: it says nothing about when), or InvalidSignature."""
        time, signed = _taken_apart(signature, 2420)
        self.key.verify(signed, _mldsa_message(self.name, text, time))
        return time


def _taken_apart(signature: bytes, length: int) -> tuple[int, bytes]:
    if len(signature) != 8 + length or signature[0] & 0x80:
        raise InvalidSignature("a cosignature is a time before 2**63 and one signature")
    return int.from_bytes(signature[:8], "big"), signature[8:]


def _ed25519_message(text: str, time: int) -> bytes:
    Checkpoint.parse(text)  # a witness signs no other text
    return f"cosignature/v1\ntime {_checked(time)}\n{text}".encode()


def _mldsa_message(name: str, text: str, time: int) -> bytes:
    """The TLS structure `cosigned_message`: label, cosigner, time, origin, first leaf (0), size, root."""
    checkpoint = Checkpoint.parse(text)
    start = 0
    return b"".join(
        [
            b"subtree/v1\n\0",
            _short(name),
            _checked(time).to_bytes(8, "big"),
            _short(checkpoint.origin),
            start.to_bytes(8, "big"),
            checkpoint.size.to_bytes(8, "big"),
            checkpoint.root,
        ]
    )


def _short(text: str) -> bytes:
    written = text.encode()
    if not 1 <= len(written) <= 255:
        raise NoteInvalid(f"names and origins under ML-DSA have 1 to 255 bytes, this one has {len(written)}")
    return bytes([len(written)]) + written


def _checked(time: int) -> int:
    if not 0 <= time <= _LAST_TIME:
        raise NoteInvalid(f"{time} is not a time: seconds since 1970, below 2**63")
    return time
