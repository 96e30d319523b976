"""Checkpoints and what witnesses say of them."""

from __future__ import annotations

from base64 import b64decode
from struct import pack

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import CheckpointInvalid, NoteInvalid
from audit.tree.checkpoint import Checkpoint
from audit.tree.cosignature import Cosigner, MldsaCosigner
from audit.tree.merkle import EMPTY_ROOT
from audit.tree.note import Signed, add_lines, make_verifier, open_note, sign_note
from tests.unit.audit.tree.kit import LOG, MLDSA, WITNESS, checkpoint, root

_ORIGINS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40)
_CHECKPOINTS = st.builds(Checkpoint, _ORIGINS, st.integers(1, 2**63 - 1), st.binary(min_size=32, max_size=32))
# The checkpoint of C2SP tlog-checkpoint and tlog-cosignature.
_SPEC = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"


def test_the_checkpoint_of_the_specification_is_read() -> None:
    read = Checkpoint.parse(_SPEC)

    assert ("example.com/behind-the-sofa", 20852163, _SPEC) == (read.origin, read.size, read.text())
    assert "0ac5186a" == read.root.hex()[:8]


@settings(deadline=None)
@given(_CHECKPOINTS)
def test_what_is_written_is_read(one: Checkpoint) -> None:
    assert one == Checkpoint.parse(one.text())


def test_an_empty_tree_has_a_checkpoint() -> None:
    assert Checkpoint("a.example", 0, EMPTY_ROOT) == Checkpoint.parse(Checkpoint("a.example", 0, EMPTY_ROOT).text())


_ROOT = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
_BENT = {
    "nothing": "",
    "one line": "a\n",
    "two lines": "a\n5\n",
    "no newline at the end": f"a\n5\n{_ROOT}",
    "an extension line": f"a\n5\n{_ROOT}\nmore\n",
    "a blank line behind": f"a\n5\n{_ROOT}\n\n",
    "a blank line in front": f"\na\n5\n{_ROOT}\n",
    "no origin": f"\n5\n{_ROOT}\n",
    "no size": f"a\n\n{_ROOT}\n",
    "a leading zero": f"a\n05\n{_ROOT}\n",
    "two zeros": f"a\n00\n{_ROOT}\n",
    "a plus": f"a\n+5\n{_ROOT}\n",
    "a minus": f"a\n-5\n{_ROOT}\n",
    "a space before the size": f"a\n 5\n{_ROOT}\n",
    "a space behind the size": f"a\n5 \n{_ROOT}\n",
    "an underscore in the size": f"a\n5_0\n{_ROOT}\n",
    "digits of another script": f"a\n٥\n{_ROOT}\n",
    "hexadecimal": f"a\n0x5\n{_ROOT}\n",
    "a size past 2**63": f"a\n{2**63}\n{_ROOT}\n",
    "a size of thousands of digits": f"a\n{'9' * 5000}\n{_ROOT}\n",
    "a root of another size": "a\n5\nAAAA\n",
    "a root of 33 bytes": "a\n5\n" + "A" * 44 + "\n",
    "a root with stray bits": f"a\n5\n{_ROOT[:-2]}J=\n",
    "a root for URLs": f"a\n5\n{_ROOT.replace('/', '_')}\n",
    "a root in hex": f"a\n5\n{'0' * 64}\n",
    "newlines of Windows": f"a\r\n5\r\n{_ROOT}\r\n",
    "an empty tree with a root": f"a\n0\n{_ROOT}\n",
    "a control character in the origin": f"a\x01\n5\n{_ROOT}\n",
}


@pytest.mark.parametrize("wound", _BENT)
def test_no_checkpoint_is_read_from(wound: str) -> None:
    with pytest.raises(CheckpointInvalid):
        Checkpoint.parse(_BENT[wound])


@pytest.mark.parametrize(
    ("origin", "size", "tree"),
    [("", 1, bytes(32)), ("a\nb", 1, bytes(32)), ("a", -1, bytes(32)), ("a", 1, b""), ("a", 0, bytes(32))],
)
def test_no_checkpoint_is_made_that_could_not_be_read(origin: str, size: int, tree: bytes) -> None:
    with pytest.raises(CheckpointInvalid):
        Checkpoint(origin, size, tree)


def test_a_witness_signs_the_words_of_the_specification() -> None:
    key = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
    dash, name, signature = Cosigner("witness.example.com/w1", key).line(_SPEC, 1679315147).split(" ")
    signed = b64decode(signature)

    assert ("—", "witness.example.com/w1", pack(">Q", 1679315147)) == (dash, name, signed[4:12])
    key.public_key().verify(signed[12:], b"cosignature/v1\ntime 1679315147\n" + _SPEC.encode())


def test_a_witness_signs_the_structure_of_the_specification_with_ml_dsa() -> None:
    key = MLDSA44PrivateKey.from_seed_bytes(b"k" * 32)
    _, _, signature = MldsaCosigner("witness.example.com/w1", key).line(_SPEC, 1679315147).split(" ")
    signed = b64decode(signature)
    structure = pack(
        ">12sB22sQB27sQQ32s", b"subtree/v1\n\0", 22, b"witness.example.com/w1", 1679315147,
        27, b"example.com/behind-the-sofa", 0, 20852163, Checkpoint.parse(_SPEC).root,
    )  # fmt: skip

    assert 4 + 8 + 2420 == len(signed)
    key.public_key().verify(signed[12:], structure)


def test_a_cosigned_checkpoint_says_who_saw_it_when() -> None:
    text = checkpoint(5).text()
    note = add_lines(sign_note(text, LOG), WITNESS.line(text, 1_800_000_000), MLDSA.line(text, 0) + "\n")

    assert (
        Signed(LOG.name, LOG.key_id, None),
        Signed(WITNESS.name, WITNESS.key_id, 1_800_000_000),
        Signed(MLDSA.name, MLDSA.key_id, 0),
    ) == open_note(note, [make_verifier(one.vkey) for one in (LOG, WITNESS, MLDSA)]).signed_by


@pytest.mark.parametrize("cosigner", [WITNESS, MLDSA], ids=["ed25519", "ml-dsa"])
def test_a_cosignature_moved_to_another_time_checkpoint_or_witness_is_refused(
    cosigner: Cosigner | MldsaCosigner,
) -> None:
    text = checkpoint(5).text()
    line = cosigner.line(text, 1_800_000_000)
    data = bytearray(b64decode(line.split(" ")[2]))
    data[11] ^= 1
    later = make_verifier(cosigner.vkey)

    for moved in (checkpoint(6).text(), checkpoint(5, "log.example/two").text(), f"hello\n{text}", f"{text}more\n"):
        with pytest.raises(NoteInvalid):
            open_note(add_lines(f"{moved}\n".encode(), line), [later])
    with pytest.raises(InvalidSignature):
        later.verify(text, bytes(data[4:]))
    with pytest.raises(InvalidSignature):
        later.verify(text, b"")


@settings(deadline=None, max_examples=20)
@given(st.sampled_from([WITNESS, MLDSA]), st.integers(0, 2**63 - 1))
def test_any_time_that_can_be_written_is_read(cosigner: Cosigner | MldsaCosigner, time: int) -> None:
    text = checkpoint(5).text()
    note = add_lines(f"{text}\n".encode(), cosigner.line(text, time))

    assert time == open_note(note, [make_verifier(cosigner.vkey)]).signed_by[0].time


@pytest.mark.parametrize("cosigner", [WITNESS, MLDSA], ids=["ed25519", "ml-dsa"])
def test_a_witness_signs_nothing_but_checkpoints_at_real_times(cosigner: Cosigner | MldsaCosigner) -> None:
    for time in (-1, 2**63):
        with pytest.raises(NoteInvalid):
            cosigner.line(checkpoint(5).text(), time)
    for text in ("hello\n", checkpoint(5).text() + "extension\n"):
        with pytest.raises(CheckpointInvalid):
            cosigner.line(text, 1_800_000_000)


def test_an_origin_too_long_for_ml_dsa_is_said_to_be() -> None:
    with pytest.raises(NoteInvalid):
        MLDSA.line(Checkpoint("x" * 256, 5, root(5)).text(), 1)


def test_a_note_signature_does_not_pass_for_a_cosignature_of_the_same_key() -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    text = checkpoint(5).text()
    cosigner = Cosigner(LOG.name, key)

    assert cosigner.key_id != LOG.key_id
    with pytest.raises(NoteInvalid):
        open_note(sign_note(text, LOG), [make_verifier(cosigner.vkey)])
