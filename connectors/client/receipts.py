"""The hub's signed promise that an exchange stands in its ledger, read and checked without the hub's own code.

Keep receipts beside the case: with one, anybody can show later that an entry was promised, whatever the ledger says then.
The text that is signed (a signed note as in C2SP): `audit-receipt/v1`, log, index, leaf hash, µs since 1970.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_ED25519 = 1  # algorithm byte of a signed note's key


class ReceiptInvalid(Exception):
    """This is no receipt, or not signed by the key given: keep it, and ask the hub's data protection officer."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """One entry of one log, promised."""

    log: str  # name of the log, for ever the same
    index: int  # place in it
    leaf: str  # base64 of SHA-256(0x00 || entry)
    microseconds: int  # since 1970
    header: str  # as received in `Audit-Receipt`: this is what to keep


def read(header: str) -> Receipt:
    """What a receipt says. Nothing is checked. Raises `ReceiptInvalid`."""
    text, _ = _parts(header)
    lines = text.split("\n")
    try:
        first, log, index, leaf, moment, end = lines
        receipt = Receipt(log, int(index), leaf, int(moment), header)
    except ValueError as error:
        raise ReceiptInvalid("not a receipt: five lines were expected") from error
    if first != "audit-receipt/v1" or end:
        raise ReceiptInvalid("not a receipt of this form")
    return receipt


def check(header: str, vkey: str) -> Receipt:
    """The receipt, its signature checked with the log's published key (`GET /log/<log>/vkey`). Raises `ReceiptInvalid`."""
    receipt = read(header)
    name, _, rest = vkey.strip().partition("+")
    identity, _, encoded = rest.partition("+")  # base64 has plus signs of its own
    key = _decoded(encoded)
    if name != receipt.log or not key or key[0] != _ED25519 or len(key) != 33:
        raise ReceiptInvalid("this is not the key of the log that the receipt names")
    text, signatures = _parts(header)
    for line in signatures.splitlines():
        signer, _, signature = line.removeprefix("— ").rpartition(" ")
        said = _decoded(signature)
        if signer == name and said[:4].hex() == identity:
            try:
                Ed25519PublicKey.from_public_bytes(key[1:]).verify(said[4:], text.encode())
            except InvalidSignature:
                raise ReceiptInvalid("the signature is not that of the log") from None
            return receipt
    raise ReceiptInvalid("the log did not sign it")


def _parts(header: str) -> tuple[str, str]:
    """The text that is signed, with its last newline, and the signatures."""
    try:
        note = base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)).decode()
    except ValueError as error:
        raise ReceiptInvalid("a receipt is written in base64url") from error
    text, gap, signatures = note.rpartition("\n\n")
    if not gap:
        raise ReceiptInvalid("a receipt ends with its signatures")
    return text + "\n", signatures


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""
