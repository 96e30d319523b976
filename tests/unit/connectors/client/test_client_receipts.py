"""A vendor's copy of the receipt format holds against the ledger's own, and believes no other signature."""

from __future__ import annotations

import base64

import pytest

from audit.log.receipts import Receipt
from audit.tree.note import NoteSigner
from connectors.client import ReceiptInvalid, receipts

LOG = "audit.hub.example/test/hub-1/2026"
SIGNER, STRANGER = NoteSigner.from_seed(LOG, b"\1" * 32), NoteSigner.from_seed(LOG, b"\2" * 32)
HEADER = Receipt(LOG, 70123, b"\7" * 32, 1_795_440_600_123_456).header(SIGNER).decode()


def resigned(text: str, signer: NoteSigner = SIGNER) -> str:
    return base64.urlsafe_b64encode(f"{text}\n{signer.line(text)}\n".encode()).decode()


def test_a_receipt_of_the_ledger_is_read_and_believed():
    receipt = receipts.check(HEADER, SIGNER.vkey)

    assert (LOG, 70123, 1_795_440_600_123_456, HEADER) == (
        receipt.log, receipt.index, receipt.microseconds, receipt.header,
    )  # fmt: skip


def test_a_text_signed_by_hand_as_the_ledger_does_is_believed():
    text = f"audit-receipt/v1\n{LOG}\n1\nAA==\n2\n"

    assert 1 == receipts.check(resigned(text), SIGNER.vkey).index


@pytest.mark.parametrize(
    ("header", "vkey"),
    [
        (HEADER, STRANGER.vkey),
        (HEADER, NoteSigner.from_seed("another/log", b"\1" * 32).vkey),
        (resigned(f"audit-receipt/v1\n{LOG}\n1\nAA==\n2\n", STRANGER), SIGNER.vkey),
        (resigned(f"{LOG}\n1\nAA==\n"), SIGNER.vkey),
        (resigned(f"audit-receipt/v2\n{LOG}\n1\nAA==\n2\n"), SIGNER.vkey),
        (base64.urlsafe_b64encode(base64.urlsafe_b64decode(HEADER + "==").replace(b"70123", b"70124")).decode(), SIGNER.vkey),
        (HEADER[:40], SIGNER.vkey),
        ("", SIGNER.vkey),
        ("é", SIGNER.vkey),
        (HEADER, "no key at all"),
    ],
    ids=["another_key", "key_of_another_log", "signed_by_another", "a_checkpoint", "another_form", "index_changed",
         "cut_off", "empty", "not_base64", "no_key"],
)  # fmt: skip
def test_a_receipt_that_is_not_what_it_seems_is_refused(header: str, vkey: str):
    with pytest.raises(ReceiptInvalid):
        receipts.check(header, vkey)
