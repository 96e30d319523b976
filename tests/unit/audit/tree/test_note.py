"""Signed notes: those of the specification open, and each way to bend one is refused."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import NoteInvalid
from audit.tree.note import NoteSigner, NoteVerifier, Signed, add_lines, make_verifier, open_note, sign_note, split_note
from audit.tree.vkey import Vkey
from tests.unit.audit.tree.kit import LOG, MLDSA, WITNESS, checkpoint

# The example of C2SP signed-note.
SPEC_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = """This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
"""
OTHER = NoteSigner.from_seed("other.example", b"o" * 32)
_TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters=[chr(n) for n in range(32)]) | st.just("\n")
)


def test_the_note_of_the_specification_opens() -> None:
    opened = open_note(SPEC_NOTE.encode(), [NoteVerifier(SPEC_KEY)])

    assert ("This is an example message.\n", 0) == (opened.text, opened.unknown)
    assert (Signed("example.com/foo", 0x530D903A, None),) == opened.signed_by


@settings(deadline=None)
@given(_TEXTS)
def test_what_was_signed_comes_back(text: str) -> None:
    note = sign_note(text + "\n", LOG, OTHER)

    assert text + "\n" == open_note(note, [make_verifier(LOG.vkey)]).text
    assert 1 == open_note(note, [make_verifier(LOG.vkey)]).unknown
    assert [LOG.name, OTHER.name] == [
        one.name for one in open_note(note, map(make_verifier, (OTHER.vkey, LOG.vkey))).signed_by
    ]


@settings(deadline=None)
@given(st.integers(0, 8 * len(SPEC_NOTE.encode()) - 1))
def test_one_flipped_bit_anywhere_is_noticed(bit: int) -> None:
    changed = bytearray(SPEC_NOTE.encode())
    changed[bit // 8] ^= 1 << bit % 8

    with pytest.raises(NoteInvalid):
        open_note(bytes(changed), [NoteVerifier(SPEC_KEY)])


_TEXT, _, _LINE = SPEC_NOTE.rstrip("\n").rpartition("\n")
_SIGNATURE = _LINE.split(" ")[2]
_BENT: dict[str, Callable[[], str]] = {
    "nothing at all": lambda: "",
    "only newlines": lambda: "\n\n\n",
    "no signatures": lambda: "This is an example message.\n\n",
    "no text": lambda: _LINE + "\n",
    "no blank line": lambda: SPEC_NOTE.replace("\n\n", "\n"),
    "no newline at the end": lambda: SPEC_NOTE[:-1],
    "a blank line at the end": lambda: SPEC_NOTE + "\n",
    "a line of something else at the end": lambda: SPEC_NOTE + "hello\n",
    "a blank line between the signatures": lambda: SPEC_NOTE + "\n" + _LINE + "\n",
    "the newline of the text dropped": lambda: SPEC_NOTE.replace("message.\n\n", "message.\n"),
    "a newline added to the text": lambda: SPEC_NOTE.replace("message.", "message.\n"),
    "newlines of Windows": lambda: SPEC_NOTE.replace("\n", "\r\n"),
    "a carriage return in the text": lambda: SPEC_NOTE.replace("example message", "example\rmessage"),
    "a line separator for a newline": lambda: SPEC_NOTE.replace("\n—", "\u2028—"),
    "a NUL": lambda: SPEC_NOTE.replace("message", "message\0"),
    "a tab": lambda: SPEC_NOTE.replace("example message", "example\tmessage"),
    "an en dash": lambda: SPEC_NOTE.replace("—", "–"),
    "a hyphen": lambda: SPEC_NOTE.replace("—", "-"),
    "two spaces": lambda: SPEC_NOTE.replace("foo Uw", "foo  Uw"),
    "a space at the end": lambda: SPEC_NOTE.replace("aQM=", "aQM= "),
    "a no-break space": lambda: SPEC_NOTE.replace("— ", "—\u00a0"),
    "no name": lambda: SPEC_NOTE.replace("example.com/foo ", " "),
    "a name with a plus": lambda: SPEC_NOTE + f"— a+b {_SIGNATURE}\n",
    "a name with an exotic space": lambda: SPEC_NOTE + f"— a\u2003b {_SIGNATURE}\n",
    "base64 without padding": lambda: SPEC_NOTE.replace("aQM=", "aQM"),
    "base64 with stray bits": lambda: SPEC_NOTE.replace("aQM=", "aQN="),
    "base64 for URLs": lambda: SPEC_NOTE + "— x " + _SIGNATURE.replace("A", "_") + "\n",
    "base64 padded twice": lambda: SPEC_NOTE.replace("aQM=", "aQM=="),
    "only a key id": lambda: SPEC_NOTE + "— x AAAAAA==\n",
    "an empty signature": lambda: SPEC_NOTE + "— x \n",
    "a cut signature": lambda: SPEC_NOTE.replace(_SIGNATURE, b64encode(b"\x53\x0d\x90\x3a" + bytes(63)).decode()),
    "a second signature of the key, wrong": lambda: (
        SPEC_NOTE + "— example.com/foo " + b64encode(b"\x53\x0d\x90\x3a" + bytes(64)).decode() + "\n"
    ),
    "a second signature of the key, the same": lambda: SPEC_NOTE + _LINE + "\n",
    "signed under another name only": lambda: SPEC_NOTE.replace("— example.com/foo", "— example.com/bar"),
    "more signatures than anybody needs": lambda: SPEC_NOTE + "— x AAAAAAA=\n" * 100,
    "more than a megabyte": lambda: SPEC_NOTE.replace("example message", "example message" + "!" * 1_000_000),
}


@pytest.mark.parametrize("wound", _BENT)
def test_a_note_is_refused_for(wound: str) -> None:
    with pytest.raises(NoteInvalid):
        open_note(_BENT[wound]().encode(), [NoteVerifier(SPEC_KEY)])


def test_a_note_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(NoteInvalid):
        open_note(SPEC_NOTE.encode("utf-16"), [NoteVerifier(SPEC_KEY)])
    with pytest.raises(NoteInvalid):
        open_note(b"\xff" + SPEC_NOTE.encode(), [NoteVerifier(SPEC_KEY)])


def test_a_text_with_blank_lines_ends_at_the_last_one() -> None:
    note = sign_note("first\n\n— not a signature\n\nlast\n", LOG)

    assert "first\n\n— not a signature\n\nlast\n" == split_note(note)[0]


def test_sixteen_strangers_are_counted_and_ignored() -> None:
    strangers = [NoteSigner.from_seed(f"s{n}.example", bytes([n]) * 32) for n in range(16)]
    note = sign_note("hello\n", *strangers, LOG)

    assert (16, 1) == (
        open_note(note, [make_verifier(LOG.vkey)]).unknown,
        len(open_note(note, [make_verifier(LOG.vkey)]).signed_by),
    )


def test_a_stranger_with_our_name_or_our_id_is_a_stranger() -> None:
    namesake = NoteSigner.from_seed(LOG.name, b"n" * 32)
    note = sign_note("hello\n", LOG, namesake)
    same_id = "— somebody.else " + LOG.line("hello\n").split(" ")[2]

    assert 2 == open_note(add_lines(note, same_id), [make_verifier(LOG.vkey)]).unknown


def test_nobody_can_open_a_note_without_keys() -> None:
    with pytest.raises(NoteInvalid):
        open_note(sign_note("hello\n", LOG), [])


def test_two_trusted_keys_that_cannot_be_told_apart_are_refused() -> None:
    with pytest.raises(NoteInvalid):
        open_note(sign_note("hello\n", LOG), [make_verifier(LOG.vkey), make_verifier(LOG.vkey)])


@pytest.mark.parametrize("text", ["", "no newline", "a\0b\n", "a\rb\n", "lone \ud800\n", "tab\t\n"])
def test_a_text_that_is_no_note_is_never_signed(text: str) -> None:
    with pytest.raises(NoteInvalid):
        sign_note(text, LOG)
    with pytest.raises(NoteInvalid):
        LOG.line(text)


def test_a_note_is_signed_by_somebody_and_by_each_once() -> None:
    for signers in ((), (LOG, LOG)):
        with pytest.raises(NoteInvalid):
            sign_note("hello\n", *signers)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u2003b", "a\u0085b", "a\x07b", "\ud800"])
def test_a_key_is_never_called(name: str) -> None:
    with pytest.raises(NoteInvalid):
        NoteSigner.from_seed(name, bytes(32))


def test_keys_are_written_and_read_alike() -> None:
    for vkey in (SPEC_KEY, LOG.vkey, WITNESS.vkey, MLDSA.vkey):
        assert vkey == str(Vkey.parse(vkey))
    assert [1, 4, 6] == [Vkey.parse(one.vkey).algorithm for one in (LOG, WITNESS, MLDSA)]
    assert (LOG.name, LOG.key_id) == (make_verifier(LOG.vkey).name, make_verifier(LOG.vkey).key_id)


_KEYS = {
    "nothing": "",
    "a name only": "example.com/foo",
    "no key": "example.com/foo+530d903a",
    "an empty key": "example.com/foo+530d903a+",
    "an algorithm only": "example.com/foo+530d903a+AQ==",
    "another key's id": SPEC_KEY.replace("530d903a", "530d903b"),
    "the id in capitals": SPEC_KEY.replace("530d903a", "530D903A"),
    "a short id": SPEC_KEY.replace("530d903a", "530d903"),
    "an id with a zero in front": SPEC_KEY.replace("530d903a", "0530d903a"),
    "another name": SPEC_KEY.replace("foo", "bar"),
    "a plus in the name": SPEC_KEY.replace("foo", "f+o"),
    "a newline behind": SPEC_KEY + "\n",
    "base64 with stray bits": LOG.vkey[:-2] + chr(ord(LOG.vkey[-2]) + 1) + "=",
    "a key too short": str(Vkey.make("a.example", 1, bytes(31))),
    "a cosigner's key too long": str(Vkey.make("a.example", 4, bytes(33))),
    "an ML-DSA key of another size": str(Vkey.make("a.example", 6, bytes(1952))),
    "an algorithm we do not speak": str(Vkey.make("a.example", 2, bytes(32))),
    "an algorithm nobody speaks": str(Vkey.make("a.example", 255, bytes(32))),
}


@pytest.mark.parametrize("wound", _KEYS)
def test_no_verifier_is_made_of(wound: str) -> None:
    with pytest.raises(NoteInvalid):
        make_verifier(_KEYS[wound])


def test_a_cosigners_key_does_not_pass_for_a_note_key() -> None:
    with pytest.raises(NoteInvalid):
        NoteVerifier(WITNESS.vkey)


def test_no_message_quotes_the_text() -> None:
    with pytest.raises(NoteInvalid) as refused:
        open_note(sign_note(checkpoint(3).text() + "secret words\n", OTHER), [make_verifier(LOG.vkey)])

    assert "secret" not in str(refused.value)
