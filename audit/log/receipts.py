"""Receipts: what the caller takes home, signed, at the moment its exchange is recorded (the idea of CT's SCT).

    audit-receipt/v1                          never a checkpoint: a checkpoint's second line is a number
    audit.hub.example/test/hub-1/2026         the log
    70123                                     index of the entry in it
    gz4pck49lLd0igbMfZuzCVnOesskNB1M1hxee5eTNBI=   its leaf hash
    1795440600123456                          µs since 1970, as the entry says

    — audit.hub.example/test/hub-1/2026 DLRaC…

The first line matters: log and receipt are signed by one key, and without it origin, index and hash would read as a
checkpoint of another history, which strangers' tools would take for proof of a forked log.
Until a checkpoint covers the entry (ten seconds) the receipt is the only proof; later it proves an omission.
"""

from __future__ import annotations

from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from audit.errors import ProofInvalid
from audit.tree.note import NoteSigner, open_note, sign_note

FIRST_LINE = "audit-receipt/v1"


class Verifier(Protocol):
    """As audit.tree.note.NoteVerifier."""

    @property
    def name(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Receipt:
    """The promise that one entry stands at one place of one log."""

    origin: str
    index: int
    leaf: bytes  # 32 bytes
    ts: int  # µs since 1970

    def text(self) -> str:
        """What is signed: five lines."""
        return f"{FIRST_LINE}\n{self.origin}\n{self.index}\n{b64encode(self.leaf).decode()}\n{self.ts}\n"

    @classmethod
    def parse(cls, text: str) -> Receipt:
        """The receipt of a text. Raises ProofInvalid for anything that `text` would not have written.

        >>> Receipt.parse(Receipt("a/b", 7, bytes(32), 1).text()).index
        7
        """
        lines = text.split("\n")
        try:
            first, origin, index, leaf, ts, end = lines
            receipt = cls(origin, int(index), b64decode(leaf, validate=True), int(ts))
        except ValueError as error:
            raise ProofInvalid("not a receipt: five lines were expected") from error
        if (first, end) != (FIRST_LINE, "") or len(receipt.leaf) != 32 or receipt.text() != text or "-" in index + ts:
            raise ProofInvalid("not a receipt of this form")
        return receipt

    def header(self, signer: NoteSigner) -> bytes:
        """Signed, as it stands in the header `Audit-Receipt`: base64url of the whole note, without padding."""
        return urlsafe_b64encode(sign_note(self.text(), signer)).rstrip(b"=")


def open_receipt(header: str | bytes, verifiers: Sequence[Verifier]) -> Receipt:
    """The receipt of a header, its signature checked. Raises ProofInvalid or NoteInvalid.

    The log it names must be the one whose key signed it.
    """
    data = header.encode() if isinstance(header, str) else header
    try:
        note = urlsafe_b64decode(data + b"=" * (-len(data) % 4))
    except ValueError as error:
        raise ProofInvalid("a receipt is written in base64url") from error
    opened = open_note(note, verifiers)  # type: ignore[arg-type]
    receipt = Receipt.parse(opened.text)
    if receipt.origin not in {signed.name for signed in opened.signed_by}:
        raise ProofInvalid("the receipt is signed by another log than it names")
    return receipt
