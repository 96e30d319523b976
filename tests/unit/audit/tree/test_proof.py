"""tlog-proofs: written and read alike, verified against a policy, refused when bent."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import NoteInvalid, ProofInvalid, TrustInsufficient
from audit.tree.note import add_lines, sign_note
from audit.tree.proof import TlogProof
from audit.tree.trust import Trust
from tests.unit.audit.tree.kit import LOG, OTHER_WITNESS, WITNESS, checkpoint, flipped, leaves, proof_of

_SIZE, _INDEX = 300, 258
_NOTE = sign_note(checkpoint(_SIZE).text(), LOG)
_PROOF = TlogProof(_INDEX, tuple(proof_of(_INDEX, _SIZE)), _NOTE)
_TRUST = Trust.parse(f"log {LOG.vkey}\nquorum none\n")
_LINES = _PROOF.render().decode().split("\n")


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 2**63 - 2),
    st.lists(st.binary(min_size=32, max_size=32), max_size=63),
    st.none() | st.binary(min_size=1, max_size=200),
)
def test_what_is_written_is_read(index: int, hashes: list[bytes], extra: bytes | None) -> None:
    proof = TlogProof(index, tuple(hashes), _NOTE, extra)

    assert proof == TlogProof.parse(proof.render())


def test_a_proof_looks_as_specified() -> None:
    head, _, note = TlogProof(_INDEX, _PROOF.hashes, _NOTE, b"hello").render().partition(b"\n\n")

    assert [b"c2sp.org/tlog-proof@v1", b"extra aGVsbG8=", b"index 258"] == head.split(b"\n")[:3]
    assert (len(_PROOF.hashes), _NOTE) == (len(head.split(b"\n")[3:]), note)


def test_a_proof_verifies() -> None:
    assert checkpoint(_SIZE).text() == TlogProof.parse(_PROOF.render()).verify(leaves(_SIZE)[_INDEX], _TRUST).text


def test_the_only_entry_of_a_log_is_proven_by_no_hash() -> None:
    proof = TlogProof(0, (), sign_note(checkpoint(1).text(), LOG))

    TlogProof.parse(proof.render()).verify(leaves(1)[0], _TRUST)


def test_another_entry_is_not_proven() -> None:
    for leaf in (leaves(_SIZE)[0], flipped(leaves(_SIZE)[_INDEX], 7), b""):
        with pytest.raises(ProofInvalid):
            _PROOF.verify(leaf, _TRUST)


def test_another_place_is_not_proven() -> None:
    for index in (0, _INDEX - 1, _INDEX + 1, _SIZE, 2**62):
        with pytest.raises(ProofInvalid):
            TlogProof(index, _PROOF.hashes, _NOTE).verify(leaves(_SIZE)[_INDEX], _TRUST)


def test_a_checkpoint_of_a_log_that_is_not_trusted_proves_nothing() -> None:
    with pytest.raises(NoteInvalid):
        _PROOF.verify(leaves(_SIZE)[_INDEX], Trust.parse(f"witness w {WITNESS.vkey}\nquorum w\n"))


def test_a_proof_without_its_quorum_proves_nothing_and_with_it_does() -> None:
    text = checkpoint(_SIZE).text()
    trust = Trust.parse(f"log {LOG.vkey}\nwitness w {WITNESS.vkey}\nquorum w\n")
    by_another = TlogProof(_INDEX, _PROOF.hashes, add_lines(_NOTE, OTHER_WITNESS.line(text, 1)))
    by_the_witness = TlogProof(_INDEX, _PROOF.hashes, add_lines(_NOTE, WITNESS.line(text, 1)))

    with pytest.raises(TrustInsufficient):
        by_another.verify(leaves(_SIZE)[_INDEX], trust)
    assert 2 == len(by_the_witness.verify(leaves(_SIZE)[_INDEX], trust).signed_by)


def _with(line: int, text: str) -> Callable[[], str]:
    return lambda: "\n".join([*_LINES[:line], text, *_LINES[line + 1 :]])


def _inserted(line: int, text: str) -> Callable[[], str]:
    return lambda: "\n".join([*_LINES[:line], text, *_LINES[line:]])


_HASH = _LINES[2]
_BENT: dict[str, Callable[[], str]] = {
    "nothing": lambda: "",
    "only the first line": lambda: "c2sp.org/tlog-proof@v1\n",
    "the checkpoint only": lambda: _NOTE.decode(),
    "another version": _with(0, "c2sp.org/tlog-proof@v2"),
    "a space behind the version": _with(0, "c2sp.org/tlog-proof@v1 "),
    "no version": lambda: "\n".join(_LINES[1:]),
    "a blank line in front": lambda: "\n" + "\n".join(_LINES),
    "newlines of Windows": lambda: "\r\n".join(_LINES),
    "no index": lambda: "\n".join([_LINES[0], *_LINES[2:]]),
    "an index of nothing": _with(1, "index "),
    "an index without space": _with(1, "index258"),
    "an index with two spaces": _with(1, "index  258"),
    "an index with a leading zero": _with(1, "index 0258"),
    "an index below zero": _with(1, "index -1"),
    "an index with a plus": _with(1, "index +258"),
    "an index past 2**63": _with(1, f"index {2**63}"),
    "an index in digits of another script": _with(1, "index ٣"),
    "an index in letters": _with(1, "index many"),
    "two indices": _inserted(1, "index 258"),
    "INDEX in capitals": _with(1, "INDEX 258"),
    "extra of nothing": _inserted(1, "extra "),
    "extra without a space": _inserted(1, "extraaGVsbG8="),
    "extra that is not base64": _inserted(1, "extra hello!"),
    "extra in base64 without padding": _inserted(1, "extra aGVsbG8"),
    "extra in base64 with stray bits": _inserted(1, "extra aGVsbG9="),
    "extra behind the index": _inserted(2, "extra aGVsbG8="),
    "extra twice": lambda: "\n".join([_LINES[0], "extra aGVsbG8=", "extra aGVsbG8=", *_LINES[1:]]),
    "a hash of 31 bytes": _inserted(2, "A" * 40 + "AA=="),
    "a hash of 33 bytes": _inserted(2, "A" * 44),
    "a hash with stray bits": _with(2, _HASH[:-2] + "B="),
    "a hash in hex": _inserted(2, "0" * 64),
    "a space behind a hash": _with(2, _HASH + " "),
    "more hashes than a tree is high": lambda: "\n".join([*_LINES[:2], *[_HASH] * 64, *_LINES[-6:]]),
    "no blank line": lambda: "\n".join(line for line in _LINES[:-6] if line) + "\n" + _NOTE.decode(),
    "no checkpoint": lambda: "\n".join(_LINES[:2]) + "\n\n",
    "two blank lines": lambda: _PROOF.render().decode().replace("\n\n", "\n\n\n", 1),
    "a checkpoint without signature": lambda: "\n".join(_LINES[:-2]) + "\n",
    "a note that is no checkpoint": lambda: "\n".join(_LINES[:2]) + "\n\n" + sign_note("hello\n", LOG).decode(),
    "a checkpoint with an extension line": lambda: (
        "\n".join(_LINES[:2]) + "\n\n" + sign_note(checkpoint(5).text() + "more\n", LOG).decode()
    ),
    "a letter that is not ASCII": _with(2, "é" + _HASH[1:]),
}


@pytest.mark.parametrize("wound", _BENT)
def test_no_proof_is_read_with(wound: str) -> None:
    assert _PROOF.render() != _BENT[wound]().encode(), "the wound is there"
    with pytest.raises(ProofInvalid):
        TlogProof.parse(_BENT[wound]().encode())


@settings(deadline=None, max_examples=150)
@given(st.integers(0, 8 * len(_PROOF.render()) - 1))
def test_one_flipped_bit_anywhere_is_noticed(bit: int) -> None:
    with pytest.raises((ProofInvalid, NoteInvalid, TrustInsufficient)):
        TlogProof.parse(flipped(_PROOF.render(), bit)).verify(leaves(_SIZE)[_INDEX], _TRUST)


@pytest.mark.parametrize(
    ("index", "hashes", "extra"),
    [(-1, (), None), (2**63, (), None), (0, (b"",), None), (0, (bytes(32),) * 64, None), (0, (), b"")],
)
def test_no_proof_is_made_that_could_not_be_read(index: int, hashes: tuple[bytes, ...], extra: bytes | None) -> None:
    with pytest.raises(ProofInvalid):
        TlogProof(index, hashes, _NOTE, extra)
