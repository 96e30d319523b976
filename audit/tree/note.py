"""Signed notes (C2SP signed-note): text, a blank line, and lines by those who vouch for it.

The text MUST be ignored until `open_note` gave it back. Three rules decide: a line by a key we do not know is counted
and ignored; a line by a key we know must verify; at least one must.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from audit.errors import CheckpointInvalid, NoteInvalid
from audit.tree.cosignature import CosignatureVerifier, MldsaVerifier
from audit.tree.vkey import COSIGNATURE, ED25519, MLDSA44, Vkey, checked_name, checked_text, from_base64

MAX_NOTE = 1_000_000  # bytes
MAX_LINES = 100  # signatures; the format asks for at least 16


class Signer(Protocol):
    """Whoever can put a line under a text."""

    @property
    def name(self) -> str: ...
    @property
    def key_id(self) -> int: ...
    def line(self, text: str) -> str: ...


class Verifier(Protocol):
    """Whoever can check one line: `verify` gives the time it states (None when the kind has none) or raises
    InvalidSignature, CheckpointInvalid or NoteInvalid."""

    @property
    def name(self) -> str: ...
    @property
    def key_id(self) -> int: ...
    def verify(self, text: str, signature: bytes) -> int | None: ...


@dataclass(frozen=True)
class Signed:
    """One verified signature."""

    name: str
    key_id: int
    time: int | None  # seconds since 1970, of a cosignature; 0: the cosigner does not say when


@dataclass(frozen=True)
class Opened:
    """A note that at least one known key signed, and no known key signed wrongly."""

    text: str
    signed_by: tuple[Signed, ...]  # in the order of their lines
    unknown: int  # lines by keys we do not know


class NoteSigner:
    """Signs texts with Ed25519 (algorithm 0x01), as a log signs its checkpoints.

    >>> signer = NoteSigner.from_seed("log.example/1", bytes(32))
    >>> note = sign_note("hello\\n", signer)
    >>> open_note(note, [NoteVerifier(signer.vkey)]).text
    'hello\\n'
    """

    def __init__(self, name: str, key: Ed25519PrivateKey) -> None:
        self._key = key
        self._vkey = Vkey.make(name, ED25519, key.public_key().public_bytes_raw())
        self.name, self.key_id, self.vkey = name, self._vkey.key_id, str(self._vkey)

    @classmethod
    def from_seed(cls, name: str, seed: bytes) -> NoteSigner:
        """A signer from the 32 bytes in which an Ed25519 key is kept."""
        return cls(name, Ed25519PrivateKey.from_private_bytes(seed))

    def line(self, text: str) -> str:
        """The signature line (no newline) over a text."""
        return self._vkey.line(self._key.sign(checked_text(text).encode()))


class NoteVerifier:
    """Checks what a NoteSigner signed. Raises NoteInvalid for a key that is malformed or of another kind."""

    def __init__(self, vkey: str) -> None:
        parsed = Vkey.parse(vkey)
        if parsed.algorithm != ED25519 or len(parsed.public) != 32:
            raise NoteInvalid(f"the key of {parsed.name!r} is not an Ed25519 note key; use make_verifier")
        self.name, self.key_id = parsed.name, parsed.key_id
        self._key = Ed25519PublicKey.from_public_bytes(parsed.public)

    def verify(self, text: str, signature: bytes) -> None:
        """Nothing, or InvalidSignature."""
        self._key.verify(signature, text.encode())


def make_verifier(vkey: str) -> Verifier:
    """The verifier for a key, by its algorithm byte: 0x01 note, 0x04 cosignature, 0x06 ML-DSA-44 cosignature."""
    parsed = Vkey.parse(vkey)
    kind = parsed.algorithm, len(parsed.public)
    if kind == (ED25519, 32):
        return NoteVerifier(vkey)
    if kind == (COSIGNATURE, 32):
        return CosignatureVerifier(parsed.name, parsed.key_id, Ed25519PublicKey.from_public_bytes(parsed.public))
    if kind == (MLDSA44, 1312):
        return MldsaVerifier(parsed.name, parsed.key_id, MLDSA44PublicKey.from_public_bytes(parsed.public))
    raise NoteInvalid(
        f"the key of {parsed.name!r} is of kind {kind[0]:#04x} with {kind[1]} bytes;"
        " known are 0x01 and 0x04 (32 bytes) and 0x06 (1312 bytes)"
    )


def sign_note(text: str, *signers: Signer) -> bytes:
    """The note over a text that ends in a newline; NoteInvalid for other text, for no signer, or one twice."""
    if not signers or len({(one.name, one.key_id) for one in signers}) < len(signers):
        raise NoteInvalid("a note needs signers, each once")
    return add_lines(f"{checked_text(text)}\n".encode(), *(one.line(text) for one in signers))


def add_lines(note: bytes, *lines: str) -> bytes:
    """A note with more signature lines under it, e.g. the cosignatures that witnesses sent."""
    return note + "".join(line.rstrip("\n") + "\n" for line in lines).encode()


def open_note(note: bytes, verifiers: Iterable[Verifier]) -> Opened:
    """The text of a note, checked. NoteInvalid when malformed, when none of the verifiers' keys signed it, or when
    one of them is named under it and did not."""
    known = _by_key(verifiers)
    text, lines = split_note(note)
    signed: dict[tuple[str, int], Signed] = {}
    unknown = 0
    for name, key_id, signature in lines:
        verifier = known.get((name, key_id))
        if verifier is None:
            unknown += 1
            continue
        if (name, key_id) in signed:
            raise NoteInvalid(f"{name} signed twice with key {key_id:08x}; one line per key")
        try:
            signed[name, key_id] = Signed(name, key_id, verifier.verify(text, signature))
        except (InvalidSignature, CheckpointInvalid) as error:
            raise NoteInvalid(
                f"the signature of {name} is wrong: the text, or the line, is not what it signed"
            ) from error
    if not signed:
        raise NoteInvalid("none of the trusted keys signed this note; check that the verifier keys belong to it")
    return Opened(text, tuple(signed.values()), unknown)


def split_note(note: bytes) -> tuple[str, list[tuple[str, int, bytes]]]:
    """The text and the lines (name, key id, signature) of a note, in form only: *nothing is verified*."""
    if len(note) > MAX_NOTE:
        raise NoteInvalid(f"a note has at most {MAX_NOTE} bytes, this one has {len(note)}")
    try:
        whole = checked_text(note.decode())
    except UnicodeDecodeError as error:
        raise NoteInvalid("a note is UTF-8, this is not") from error
    text, blank, below = whole.rpartition("\n\n")
    lines = below.split("\n")[:-1]
    if not blank or not lines:
        raise NoteInvalid("a note is text, a blank line and signature lines; these were not found")
    if len(lines) > MAX_LINES:
        raise NoteInvalid(f"a note has at most {MAX_LINES} signatures, this one has {len(lines)}")
    return text + "\n", [_line(line) for line in lines]


def _line(line: str) -> tuple[str, int, bytes]:
    dash, name, signature = (*line.split(" "), "", "")[:3] if line.count(" ") == 2 else ("", "", "")
    if dash != "—":
        raise NoteInvalid("a signature line is an em dash, a name and base64, one space between each; this one is not")
    data = from_base64(signature, "a signature")
    if len(data) < 5:
        raise NoteInvalid("a signature is a key id of 4 bytes and what that key signed; this one is too short")
    return checked_name(name), int.from_bytes(data[:4], "big"), data[4:]


def _by_key(verifiers: Iterable[Verifier]) -> dict[tuple[str, int], Verifier]:
    known: dict[tuple[str, int], Verifier] = {}
    for one in verifiers:
        if known.setdefault((one.name, one.key_id), one) is not one:
            raise NoteInvalid(f"two trusted keys are called {one.name} and share the id {one.key_id:08x}; keep one")
    return known
