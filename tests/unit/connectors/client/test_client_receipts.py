"""A vendor's copy of the receipt format holds against the ledger's own, and believes no other signature."""

from __future__ import annotations

import base64

import pytest

from audit.entry import Commit, Record
from audit.errors import LedgerError
from audit.log.receipts import Receipt, open_receipt, receipt_for
from audit.tree.note import NoteSigner, NoteVerifier
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


# --- several exchanges under one signature ------------------------------------------------------------------------------


def shared(size: int, place: int, signer: NoteSigner = SIGNER, first: int = 1000) -> str:
    entries = [(bytes([number]) * 32, 1_795_440_600_000_000 + number) for number in range(size)]
    leaf, ts = entries[place]
    return receipt_for(LOG, Record(first + place, leaf, ts, Commit(first, entries)), signer).decode()


@pytest.mark.parametrize("size", [*range(1, 18), 31, 32, 33, 100])
def test_every_receipt_of_a_commit_is_read_alike_by_ledger_and_vendor(size: int):
    for place in {0, size // 2, size - 1}:
        header = shared(size, place)
        ours, theirs = open_receipt(header, [NoteVerifier(SIGNER.vkey)]), receipts.check(header, SIGNER.vkey)

        assert (1000 + place, 1_795_440_600_000_000 + place) == (theirs.index, theirs.microseconds)
        assert (ours.origin, ours.index, base64.b64encode(ours.leaf).decode()) == (
            theirs.log,
            theirs.index,
            theirs.leaf,
        )


def text_of(header: str) -> str:
    return base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)).decode()


def header_of(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


def without_line(text: str, number: int) -> str:
    lines = text.splitlines(keepends=True)
    return "".join(lines[:number] + lines[number + 1 :])


def swapped(text: str) -> str:
    """The lower half of another commit under the upper half of this one."""
    return text.partition("\n\n")[0] + "\n\n" + text_of(shared(6, 2, first=500)).partition("\n\n")[2]


WOUNDS = {
    "index_changed": lambda text: text.replace("\n1002\n", "\n1003\n"),
    "time_changed": lambda text: text.replace("000002\n", "000003\n"),
    "leaf_changed": lambda text: text.replace(base64.b64encode(b"\2" * 32).decode(), base64.b64encode(b"\3" * 32).decode()),
    "a_hash_missing": lambda text: without_line(text, 5),
    "a_hash_too_many": lambda text: text.replace("\n\naudit-commit", f"\n{base64.b64encode(bytes(32)).decode()}\n\naudit-commit"),
    "a_short_hash": lambda text: text.replace("\n\naudit-commit", "\nAAAA\n\naudit-commit"),
    "the_root_of_another_commit": swapped,
    "count_changed": lambda text: text.replace("\n1000\n6\n", "\n1000\n7\n"),
    "upper_half_alone": lambda text: text.partition("\n\n")[0] + "\n\n" + text.rpartition("\n\n")[2],
    "lower_half_alone": lambda text: text.partition("\n\n")[2],
    "signed_as_one_text": lambda text: resigned_text(text.partition("\n\n")[0] + "\n"),
    "first_form_in_front": lambda text: text.replace("audit-receipt/v2", "audit-receipt/v1"),
    "another_log_above": lambda text: text.replace(LOG, LOG.replace("2026", "2025"), 1),
    "no_commit": lambda text: resigned_text(text.partition("\n\n")[2].partition("\n\n")[0].replace("commit/v1", "commit/v9") + "\n",
                                            text.partition("\n\n")[0] + "\n\n"),
    "a_negative_place": lambda text: text.replace("\n1002\n", "\n-2\n"),
}  # fmt: skip


def resigned_text(text: str, above: str = "") -> str:
    return f"{above}{text}\n{SIGNER.line(text)}\n"


@pytest.mark.parametrize("wound", list(WOUNDS))
def test_a_shared_receipt_that_is_not_what_it_seems_is_refused_by_both(wound: str):
    whole = text_of(shared(6, 2))
    header = header_of(WOUNDS[wound](whole))

    assert whole != WOUNDS[wound](whole)
    with pytest.raises(ReceiptInvalid):
        receipts.check(header, SIGNER.vkey)
    with pytest.raises(LedgerError):
        open_receipt(header, [NoteVerifier(SIGNER.vkey)])


def test_a_shared_receipt_signed_by_a_stranger_is_refused():
    with pytest.raises(ReceiptInvalid):
        receipts.check(shared(6, 2, STRANGER), SIGNER.vkey)
