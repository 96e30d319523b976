"""The hub's signed promise that an exchange stands in its ledger, read and checked without the hub's own code.

Keep receipts beside the case: with one, anybody can show later that an entry was promised, whatever the ledger says then.
The text that is signed (a signed note as in C2SP): `audit-receipt/v1`, log, index, leaf hash, µs since 1970. Exchanges that
were recorded at one moment share a signature: `audit-receipt/v2` brings the hashes that lead to what was signed for all.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_ED25519 = 1  # algorithm byte of a signed note's key
_ALONE, _SHARED, _COMMIT = "audit-receipt/v1", "audit-receipt/v2", "audit-commit/v1"  # first lines


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
    promise, _, _ = _parts(header)
    return _read(promise, header)


def check(header: str, vkey: str) -> Receipt:
    """The receipt, its signature checked with the log's published key (`GET /log/<log>/vkey`). Raises `ReceiptInvalid`."""
    promise, text, signatures = _parts(header)
    receipt = _read(promise, header)
    if promise.startswith(_SHARED) == (promise == text):
        raise ReceiptInvalid("what is signed is not what this form of receipt is signed by")
    name, _, rest = vkey.strip().partition("+")
    identity, _, encoded = rest.partition("+")  # base64 has plus signs of its own
    key = _decoded(encoded)
    if name != receipt.log or not key or key[0] != _ED25519 or len(key) != 33:
        raise ReceiptInvalid("this is not the key of the log that the receipt names")
    for line in signatures.splitlines():
        signer, _, signature = line.removeprefix("— ").rpartition(" ")
        said = _decoded(signature)
        if signer == name and said[:4].hex() == identity:
            try:
                Ed25519PublicKey.from_public_bytes(key[1:]).verify(said[4:], text.encode())
            except InvalidSignature:
                raise ReceiptInvalid("the signature is not that of the log") from None
            if promise != text:
                _leads(promise, text, receipt)
            return receipt
    raise ReceiptInvalid("the log did not sign it")


def _read(promise: str, header: str) -> Receipt:
    lines = promise.split("\n")
    form, end = lines[0], lines.pop()
    try:
        _, log, index, leaf, moment = lines[:5]
        receipt = Receipt(log, int(index), leaf, int(moment), header)
    except ValueError as error:
        raise ReceiptInvalid("not a receipt: five lines were expected") from error
    if end or ((form, len(lines)) != (_ALONE, 5) and form != _SHARED):
        raise ReceiptInvalid("not a receipt of this form")
    return receipt


def _leads(promise: str, text: str, receipt: Receipt) -> None:
    """Raise unless the promise leads to the root that is signed (an inclusion proof of RFC 9162 §2.1.3.2)."""
    lines = promise.splitlines(keepends=True)
    try:
        form, log, first, count, root = text.splitlines()
        here, last = receipt.index - int(first), int(count) - 1
    except ValueError as error:
        raise ReceiptInvalid("not a receipt of this form") from error
    if form != _COMMIT or log != receipt.log or not 0 <= here <= last:
        raise ReceiptInvalid("what is signed is not about this entry")
    node = hashlib.sha256(b"\0" + "".join(lines[:5]).encode()).digest()
    for sibling in (_decoded(line.rstrip("\n")) for line in lines[5:]):
        if last == 0 or len(sibling) != 32:
            raise ReceiptInvalid("the hashes do not fit the number of entries")
        on_the_left = here & 1 or here == last
        node = hashlib.sha256(b"\1" + (sibling + node if on_the_left else node + sibling)).digest()
        while on_the_left and here and not here & 1:
            here, last = here >> 1, last >> 1
        here, last = here >> 1, last >> 1
    if last or node != _decoded(root):
        raise ReceiptInvalid("the hashes do not lead to what is signed")


def _parts(header: str) -> tuple[str, str, str]:
    """The promise with what leads to the signed text, the text that is signed, and the signatures; the first two are the
    same where an exchange was recorded alone. Texts end in a newline."""
    try:
        note = base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)).decode()
    except ValueError as error:
        raise ReceiptInvalid("a receipt is written in base64url") from error
    text, gap, signatures = note.rpartition("\n\n")
    if not gap:
        raise ReceiptInvalid("a receipt ends with its signatures")
    promise, gap, shared = text.partition("\n\n")
    return f"{promise}\n", f"{shared if gap else text}\n", signatures


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""
