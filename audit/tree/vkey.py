"""Names, key ids and lines of signed notes (C2SP signed-note): what every kind of signature shares.

A verifier key ("vkey") is `<name>+<key id, 8 hex digits>+<base64(algorithm byte || public key)>`; a signature line is
`— <name> <base64(key id || signature)>`. Text that could be written in two ways is refused: base64 is canonical.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256

from audit.errors import NoteInvalid

ED25519, COSIGNATURE, MLDSA44 = 0x01, 0x04, 0x06  # algorithm bytes assigned by C2SP signed-note
_CONTROL = re.compile(r"[\x00-\x1f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True)
class Vkey:
    """A verifier key, taken apart."""

    name: str
    key_id: int  # uint32; an identifier, not a fingerprint: the public key is what is trusted
    algorithm: int  # ED25519, COSIGNATURE, MLDSA44 or another
    public: bytes

    @classmethod
    def parse(cls, vkey: str) -> Vkey:
        """Raises NoteInvalid when malformed, or when the key id is not the one that name and key give.

        >>> Vkey.parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k").algorithm
        1
        """
        name, _, rest = vkey.partition("+")
        written, _, key = rest.partition("+")
        material = from_base64(key, "a verifier key")
        if len(material) < 2:
            raise NoteInvalid("a verifier key is name+id+base64(algorithm and public key), this one has no key")
        made = cls.make(name, material[0], material[1:])
        if written != f"{made.key_id:08x}":
            raise NoteInvalid(
                f"the verifier key of {name!r} has id {made.key_id:08x}, not the one written; copy it again"
            )
        return made

    @classmethod
    def make(cls, name: str, algorithm: int, public: bytes) -> Vkey:
        name = checked_name(name)
        digest = sha256(name.encode() + b"\n" + bytes([algorithm]) + public).digest()
        return cls(name, int.from_bytes(digest[:4], "big"), algorithm, public)

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id:08x}+{to_base64(bytes([self.algorithm]) + self.public)}"

    def line(self, signature: bytes) -> str:
        """The signature line, without newline."""
        return f"— {self.name} {to_base64(self.key_id.to_bytes(4, 'big') + signature)}"


def checked_name(name: str) -> str:
    """The name of a key: not empty, no white space of any script, no plus, no control character."""
    if not name or "+" in name or any(map(str.isspace, name)) or _CONTROL.search(name) or _SURROGATE.search(name):
        raise NoteInvalid(f"{name!r} cannot name a key: use text without spaces, plus or control characters")
    return name


def checked_text(text: str) -> str:
    """The text of a note: ends in a newline, and holds no other control character."""
    if not text.endswith("\n"):
        raise NoteInvalid("the text of a note ends in a newline; this one does not")
    if _CONTROL.search(text.replace("\n", "")) or _SURROGATE.search(text):
        raise NoteInvalid("the text of a note holds a control character; only newlines are allowed")
    return text


def to_base64(data: bytes) -> str:
    return b64encode(data).decode()


def from_base64(text: str, what: str) -> bytes:
    """Decode the one canonical spelling (RFC 4648 §4, padded, no stray bits); NoteInvalid names `what` otherwise."""
    try:
        data = b64decode(text, validate=True)
    except ValueError as error:
        raise NoteInvalid(f"{what} is not base64") from error
    if to_base64(data) != text:
        raise NoteInvalid(f"{what} is base64 in a spelling of its own; only the canonical one is accepted")
    return data
