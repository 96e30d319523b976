"""Receipts: what the caller takes home, signed, at the moment its exchange is recorded (the idea of CT's SCT).

    audit-receipt/v1                          never a checkpoint: a checkpoint's second line is a number
    audit.hub.example/test/hub-1/2026         the log
    70123                                     index of the entry in it
    gz4pck49lLd0igbMfZuzCVnOesskNB1M1hxee5eTNBI=   its leaf hash
    1795440600123456                          µs since 1970, as the entry says

    — audit.hub.example/test/hub-1/2026 DLRaC…

Those whose entries became durable together share one signature, over the root of a small tree with a leaf for each entry
of the commit; a receipt then brings its way up to that root along:

    audit-receipt/v2                          these five lines are its leaf: SHA-256(0x00 || lines)
    audit.hub.example/test/hub-1/2026
    70123
    gz4pck49lLd0igbMfZuzCVnOesskNB1M1hxee5eTNBI=
    1795440600123456
    K0yJUbD…=                                 siblings from the leaf up, as in RFC 6962

    audit-commit/v1                           what is signed, for all of them
    audit.hub.example/test/hub-1/2026
    70120                                     index of the first entry of the commit: leaf 0 of its tree
    12                                        how many entries it has
    3qZ0rXk…=                                 the root

    — audit.hub.example/test/hub-1/2026 DLRaC…

The first line matters: log and receipt are signed by one key, and without it origin, index and hash would read as a
checkpoint of another history, which strangers' tools would take for proof of a forked log.
Until a checkpoint covers the entry (ten seconds) the receipt is the only proof; later it proves an omission.
"""

from __future__ import annotations

from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from binascii import b2a_base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from audit.canonical import leaf_hash
from audit.entry import Commit, Record
from audit.errors import ProofInvalid
from audit.tree.merkle import check_inclusion, parents
from audit.tree.note import NoteSigner, Opened, open_note, sign_note

FIRST_LINE = "audit-receipt/v1"
SHARED_LINE = "audit-receipt/v2"
COMMIT_LINE = "audit-commit/v1"


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

    def text(self, first: str = FIRST_LINE) -> str:
        """What is signed, or hashed into what is signed: five lines."""
        return f"{first}\n{self.origin}\n{self.index}\n{b64encode(self.leaf).decode()}\n{self.ts}\n"

    @classmethod
    def parse(cls, text: str, form: str = FIRST_LINE) -> Receipt:
        """The receipt of a text that begins with the line `form`. Raises ProofInvalid for anything that `text` would not have written.

        >>> Receipt.parse(Receipt("a/b", 7, bytes(32), 1).text()).index
        7
        """
        lines = text.split("\n")
        try:
            first, origin, index, leaf, ts, end = lines
            receipt = cls(origin, int(index), b64decode(leaf, validate=True), int(ts))
        except ValueError as error:
            raise ProofInvalid("not a receipt: five lines were expected") from error
        if (first, end) != (form, "") or len(receipt.leaf) != 32 or receipt.text(form) != text or "-" in index + ts:
            raise ProofInvalid("not a receipt of this form")
        return receipt

    def header(self, signer: NoteSigner) -> bytes:
        """Signed by itself, as it stands in the header `Audit-Receipt`: base64url of the whole note, without padding."""
        return urlsafe_b64encode(sign_note(self.text(), signer)).rstrip(b"=")


def receipt_for(origin: str, record: Record, signer: NoteSigner) -> bytes:
    """The header for an entry: signed once for all who ask and whose entries became durable in the same commit."""
    commit = record.commit
    if commit is None:
        return Receipt(origin, record.index, record.leaf, record.ts).header(signer)
    shared = commit.vouched
    if shared is None:
        shared = commit.vouched = _Shared(origin, commit, signer)
        commit.entries = ()  # what is needed of them is in the tree
    note: bytes = shared.note(record.index - commit.first)
    return urlsafe_b64encode(note).rstrip(b"=")


class _Shared:
    """The tree over one commit, and its signature."""

    __slots__ = ("_rows", "_signed", "_texts")

    def __init__(self, origin: str, commit: Commit, signer: NoteSigner) -> None:
        head = f"{SHARED_LINE}\n{origin}\n"
        self._texts = [
            f"{head}{index}\n{b2a_base64(leaf).decode()}{ts}\n".encode()
            for index, (leaf, ts) in enumerate(commit.entries, commit.first)
        ]
        row = [leaf_hash(text) for text in self._texts]
        rows = []
        while len(row) > 1:
            rows.append([b2a_base64(node) for node in row])
            alone = row[-1:] if len(row) & 1 else []  # goes up as it is: RFC 6962's tree, built from below
            row = [*parents(row[: len(row) - len(alone)]), *alone]
        self._rows = rows
        count, root = len(self._texts), b64encode(row[0]).decode()
        self._signed = b"\n" + sign_note(f"{COMMIT_LINE}\n{origin}\n{commit.first}\n{count}\n{root}\n", signer)

    def note(self, place: int) -> bytes:
        parts = [self._texts[place]]
        for row in self._rows:
            if place ^ 1 < len(row):
                parts.append(row[place ^ 1])
            place >>= 1
        parts.append(self._signed)
        return b"".join(parts)


def open_receipt(header: str | bytes, verifiers: Sequence[Verifier]) -> Receipt:
    """The receipt of a header, of either form, its signature checked. Raises ProofInvalid or NoteInvalid.

    The log it names must be the one whose key signed it.
    """
    data = header.encode() if isinstance(header, str) else header
    try:
        note = urlsafe_b64decode(data + b"=" * (-len(data) % 4))
    except ValueError as error:
        raise ProofInvalid("a receipt is written in base64url") from error
    if note.startswith(SHARED_LINE.encode()):
        opened, receipt = _opened_shared(note, verifiers)
    else:
        opened = open_note(note, verifiers)  # type: ignore[arg-type]
        receipt = Receipt.parse(opened.text)
    if receipt.origin not in {signed.name for signed in opened.signed_by}:
        raise ProofInvalid("the receipt is signed by another log than it names")
    return receipt


def _opened_shared(note: bytes, verifiers: Sequence[Verifier]) -> tuple[Opened, Receipt]:
    """Both halves of a shared receipt, once the upper one has led to the root that the lower one signs."""
    upper, _, signed = note.partition(b"\n\n")
    opened = open_note(signed, verifiers)  # type: ignore[arg-type]
    try:
        lines = f"{upper.decode()}\n".splitlines(keepends=True)
        _, origin, first, count, root, _ = opened.text.split("\n")
        start, size = int(first), int(count)
        path = [_hash(line.removesuffix("\n")) for line in lines[5:]]
        expected = f"{COMMIT_LINE}\n{origin}\n{start}\n{size}\n{b64encode(_hash(root)).decode()}\n"
    except ValueError as error:
        raise ProofInvalid("not a receipt of this form") from error
    receipt = Receipt.parse("".join(lines[:5]), SHARED_LINE)
    if opened.text != expected or receipt.origin != origin:
        raise ProofInvalid("not a receipt of this form")
    text = receipt.text(SHARED_LINE).encode()
    check_inclusion(receipt.index - start, size, leaf_hash(text), path, _hash(root))
    return opened, receipt


def _hash(text: str) -> bytes:
    data = b64decode(text, validate=True)
    if len(data) != 32 or b64encode(data).decode() != text:
        raise ValueError("32 bytes in base64")
    return data
