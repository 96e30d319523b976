"""The whole way of one entry, over both engines: appended, in a tile, under a checkpoint, in the anchor, proved to a stranger."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from audit.canonical import leaf_hash
from audit.errors import NotPublished, ProofInvalid
from audit.log.receipts import FIRST_LINE, Receipt, open_receipt
from audit.tree.checkpoint import Checkpoint
from audit.tree.merkle import check_inclusion, root_of
from audit.tree.note import NoteVerifier, open_note
from tests.unit.audit.log.conftest import SECOND, House


def test_an_entry_is_proved_from_its_receipt_to_the_anchor(houses: Callable[..., House], url: str):
    house = houses(url=url)
    records = house.write(300)
    header = Receipt(house.origin, records[299].index, records[299].leaf, records[299].ts).header(
        house.signers.signer(house.origin)
    )

    house.publisher().step()

    # What follows knows two keys and what was published; it does not ask the store.
    receipt = open_receipt(header, [house.verifier()])
    proof = house.log.proof(house.origin, receipt.index)
    checkpoint = Checkpoint.parse(open_note(proof.checkpoint_note, [house.verifier()]).text)
    check_inclusion(proof.index, checkpoint.size, receipt.leaf, proof.hashes, checkpoint.root)
    above = house.log.anchor_proof(proof.checkpoint_note)
    anchor = Checkpoint.parse(open_note(above.checkpoint_note, [house.verifier(house.names.anchor)]).text)
    check_inclusion(above.index, anchor.size, leaf_hash(checkpoint.text().encode()), above.hashes, anchor.root)
    assert (house.origin, 300) == (checkpoint.origin, checkpoint.size)
    assert root_of(record.leaf for record in records) == checkpoint.root
    assert house.names.anchor == anchor.origin


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 513])
def test_every_entry_is_proved_at_the_edges_of_tiles(house: House, size: int):
    records = house.write(size)
    house.publisher().step()

    checkpoint = Checkpoint.parse(open_note(house.log.checkpoint(house.origin), [house.verifier()]).text)
    for record in records[:: max(1, size // 7)]:
        proof = house.log.proof(house.origin, record.index)
        check_inclusion(proof.index, checkpoint.size, record.leaf, proof.hashes, checkpoint.root)


def test_growth_in_many_steps_gives_the_tree_of_one(house: House):
    publisher, ledger, records = house.publisher(), house.ledger(), []
    for count in (1, 255, 1, 254, 2, 300, 7):
        records += house.write(count, ledger)
        house.clock.now += 11 * SECOND
        publisher.step()

        checkpoint = Checkpoint.parse(open_note(house.log.checkpoint(house.origin), [house.verifier()]).text)
        assert (len(records), root_of(record.leaf for record in records)) == (checkpoint.size, checkpoint.root)


def test_what_no_checkpoint_covers_yet_has_no_proof(house: House):
    publisher, ledger = house.publisher(), house.ledger()
    house.write(1, ledger)
    publisher.step()
    house.write(1, ledger)

    with pytest.raises(NotPublished):
        house.log.proof(house.origin, 1)


# --- receipts


def test_a_receipt_can_never_be_read_as_a_checkpoint(house: House):
    """Both are signed by one key: without a line of its own, a receipt would be proof of a forked log."""
    text = Receipt(house.origin, 7, bytes(32), 1).text()

    assert text.startswith(f"{FIRST_LINE}\n{house.origin}\n")
    assert not text.split("\n")[1].isdigit()  # where every reader of checkpoints expects the size
    with pytest.raises(ValueError, match="checkpoint"):
        Checkpoint.parse(text)


@pytest.mark.parametrize(
    "wound",
    [
        lambda text: text.replace("\n7\n", "\n07\n"),
        lambda text: text.replace("\n7\n", "\n+7\n"),
        lambda text: text.replace("\n7\n", "\n-7\n"),
        lambda text: text + "\n",
        lambda text: text[:-1],
        lambda text: text.replace("/v1", "/v2"),
        lambda text: text.replace("A=", "=A"),
    ],
    ids=["leading_zero", "plus", "minus", "line_more", "newline_less", "other_version", "broken_base64"],
)  # fmt: skip
def test_a_receipt_of_another_form_is_refused(wound: Callable[[str], str]):
    text = Receipt("audit.hub.example/test/hub-1/2026", 7, bytes(32), 1).text()

    with pytest.raises(ProofInvalid):
        Receipt.parse(wound(text))


def test_a_receipt_signed_by_another_log_is_refused(house: House):
    header = Receipt(house.origin, 7, bytes(32), 1).header(house.signers.signer(house.names.anchor))
    house.publisher().step()
    house.write(1)
    house.publisher(shards=()).close()

    with pytest.raises(ProofInvalid):
        open_receipt(header, [house.verifier(house.names.anchor)])


def test_the_same_entry_gets_the_same_receipt(house: House):
    signer = house.signers.signer(house.origin)
    receipt = Receipt(house.origin, 7, bytes(32), 1)

    assert receipt.header(signer) == receipt.header(signer)
    assert receipt == open_receipt(receipt.header(signer), [NoteVerifier(signer.vkey)])
