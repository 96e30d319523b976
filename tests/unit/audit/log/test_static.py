"""The published ledger as a folder: whoever has it and the keys rebuilds every root from the entries."""

from __future__ import annotations

from pathlib import Path

from audit.canonical import leaf_hash
from audit.log.policy import policy_text, write_policy
from audit.log.publication import Publication
from audit.log.static import publish
from audit.tree.checkpoint import Checkpoint
from audit.tree.merkle import root_of
from audit.tree.note import NoteVerifier, open_note
from audit.tree.tiles import entries_of, entries_path
from audit.tree.trust import Trust
from tests.unit.audit.kit import Clock
from tests.unit.audit.log.conftest import SECOND, House


def rebuilt(target: Publication, origin: str, verifier: NoteVerifier) -> tuple[Checkpoint, bytes]:
    checkpoint = Checkpoint.parse(open_note(target.read(f"{origin}/checkpoint"), [verifier]).text)
    entries: list[bytes] = []
    while len(entries) < checkpoint.size:
        width = min(256, checkpoint.size - len(entries))
        entries += entries_of(target.read(f"{origin}/{entries_path(len(entries) // 256, width)}"))
    return checkpoint, root_of(map(leaf_hash, entries))


def test_a_stranger_rebuilds_every_root_from_the_folder(house: House, tmp_path: Path, clock: Clock):
    publisher, ledger = house.publisher(), house.ledger()
    target = Publication(tmp_path / "static")
    for count in (300, 400):
        house.write(count, ledger)
        clock.now += 11 * SECOND
        publisher.step()
        publish(house.log, target)
        for origin in (house.origin, house.names.anchor):
            checkpoint, root = rebuilt(target, origin, house.verifier(origin))
            assert checkpoint.root == root

    assert 700 == rebuilt(target, house.origin, house.verifier())[0].size


def test_a_second_run_writes_only_what_is_new(house: House, tmp_path: Path, clock: Clock):
    publisher, ledger = house.publisher(), house.ledger()
    target = Publication(tmp_path / "static")
    house.write(300, ledger)
    publisher.step()

    assert 0 < publish(house.log, target).files
    assert 0 == publish(house.log, target).files
    assert not list(target.folder.rglob("anchored"))  # how we find our way is nobody's business


def test_the_policy_names_every_log_and_is_signed(house: House):
    house.write(1)
    house.publisher().step()
    signer = house.signers.signer(house.names.policy)
    write_policy(house.publication, signer)

    text = house.publication.read("policy").decode()
    assert text == open_note(house.publication.read("policy.note"), [NoteVerifier(signer.vkey)]).text
    trust = Trust.parse(text)
    for origin in (house.origin, house.names.anchor):
        assert origin in {signed.name for signed in trust.verify(house.log.checkpoint(origin)).signed_by}


def test_the_policy_can_ask_for_witnesses(house: House):
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from audit.tree.cosignature import Cosigner

    house.write(1)
    house.publisher().step()
    witness = Cosigner("witness.example/w1", Ed25519PrivateKey.generate())
    text = policy_text(house.publication, "x", [f"witness w1 {witness.vkey}"], "w1")

    note = house.log.checkpoint(house.names.anchor)
    checkpoint = open_note(note, [house.verifier(house.names.anchor)]).text
    trusted = Trust.parse(text).verify(note + (witness.line(checkpoint, 1_795_440_600) + "\n").encode())
    assert "witness.example/w1" in {signed.name for signed in trusted.signed_by}
