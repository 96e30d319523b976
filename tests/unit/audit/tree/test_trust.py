"""Policies: who counts, how many are enough, and which policies are refused."""

from __future__ import annotations

from itertools import combinations

import pytest

from audit.errors import CheckpointInvalid, NoteInvalid, TrustInsufficient
from audit.tree.cosignature import Cosigner
from audit.tree.note import NoteSigner, add_lines, sign_note
from audit.tree.trust import Trust
from audit.tree.vkey import Vkey
from tests.unit.audit.tree.kit import LOG, MLDSA, WITNESS, checkpoint

_NAMES = ["X1", "X2", "X3", "Y1", "Y2", "Y3"]
_WITNESSES = {name: Cosigner.from_seed(f"{name}.example", name.encode() * 16) for name in _NAMES}
_DEFINED = f"log {LOG.vkey}\n" + "".join(f"witness {name} {one.vkey}\n" for name, one in _WITNESSES.items())
# The example of C2SP tlog-policy.
_TWO_LEVELS = (
    f"{_DEFINED}group X-witnesses 2 X1 X2 X3\ngroup Y-witnesses any Y1 Y2 Y3\n"
    "group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n"
)
_TEXT = checkpoint(5).text()


def _cosigned(*names: str) -> bytes:
    return add_lines(sign_note(_TEXT, LOG), *(_WITNESSES[name].line(_TEXT, 1) for name in names))


def test_every_set_of_witnesses_is_enough_exactly_when_the_policy_says_so() -> None:
    trust = Trust.parse(_TWO_LEVELS)
    for count in range(7):
        for names in combinations(_NAMES, count):
            enough = sum(name[0] == "X" for name in names) >= 2 and any(name[0] == "Y" for name in names)
            if enough:
                assert count + 1 == len(trust.verify(_cosigned(*names)).signed_by)
            else:
                with pytest.raises(TrustInsufficient):
                    trust.verify(_cosigned(*names))


@pytest.mark.parametrize(
    ("rule", "names", "enough"),
    [
        ("quorum none", [], True),
        ("quorum X1", ["X1"], True),
        ("quorum X1", ["X2"], False),
        ("group G all X1 X2\nquorum G", ["X1"], False),
        ("group G all X1 X2\nquorum G", ["X1", "X2"], True),
        ("group G any X1 X2\nquorum G", ["X2"], True),
        ("group G any X1 X2\nquorum G", [], False),
        ("group G 2 X1 X2 X3\nquorum G", ["X3", "X1"], True),
        ("group G 1 X1\nquorum G", ["X1"], True),
        ("group G 2 X1 X2 X3\nquorum G", ["X1", "Y1", "Y2"], False),
    ],
)
def test_the_quorum(rule: str, names: list[str], enough: bool) -> None:
    trust = Trust.parse(f"{_DEFINED}{rule}\n")

    if enough:
        assert _TEXT == trust.verify(_cosigned(*names)).text
    else:
        with pytest.raises(TrustInsufficient):
            trust.verify(_cosigned(*names))


def test_comments_tabs_and_urls_change_nothing() -> None:
    trust = Trust.parse(
        f"# trusted since 2026, é\n\n \t log\t{LOG.vkey}   https://log.example/ \n\t#more\n"
        f"witness W {WITNESS.vkey} https://w.example\nwitness P {MLDSA.vkey}\ngroup G any W P\nquorum G\n"
    )

    assert {"W", "P"} == set(trust.witnesses)
    assert _TEXT == trust.verify(add_lines(sign_note(_TEXT, LOG), MLDSA.line(_TEXT, 0))).text


def test_names_are_told_apart_byte_by_byte() -> None:
    kelvin = "\u212a"  # looks like K
    with pytest.raises(NoteInvalid):
        Trust.parse(f"witness K {WITNESS.vkey}\nquorum {kelvin}\n")


def test_a_checkpoint_that_only_witnesses_signed_is_not_the_logs() -> None:
    with pytest.raises(TrustInsufficient):
        Trust.parse(_TWO_LEVELS).verify(
            add_lines(f"{_TEXT}\n".encode(), *(_WITNESSES[name].line(_TEXT, 1) for name in _NAMES))
        )


def test_one_trusted_log_cannot_speak_for_another() -> None:
    other = NoteSigner.from_seed("log.example/two", b"2" * 32)
    trust = Trust.parse(f"log {LOG.vkey}\nlog {other.vkey}\nquorum none\n")

    with pytest.raises(TrustInsufficient):
        trust.verify(sign_note(_TEXT, other))
    assert _TEXT == trust.verify(sign_note(_TEXT, LOG)).text


def test_a_log_that_changed_its_key_is_trusted_under_both() -> None:
    newer = NoteSigner.from_seed(LOG.name, b"2" * 32)
    trust = Trust.parse(f"log {LOG.vkey}\nlog {newer.vkey}\nquorum none\n")

    for signer in (LOG, newer):
        assert _TEXT == trust.verify(sign_note(_TEXT, signer)).text


def test_a_forged_cosignature_spoils_the_note_even_beyond_the_quorum() -> None:
    forged = _WITNESSES["Y1"].line(checkpoint(6).text(), 1)

    with pytest.raises(NoteInvalid):
        Trust.parse(f"{_DEFINED}quorum X1\n").verify(add_lines(_cosigned("X1"), forged))


def test_a_trusted_note_that_is_no_checkpoint_is_refused() -> None:
    with pytest.raises(CheckpointInvalid):
        Trust.parse(f"{_DEFINED}quorum none\n").verify(sign_note("hello\n", LOG))


_X1 = _WITNESSES["X1"]
_BENT = {
    "nothing": "",
    "no newline at the end": f"{_DEFINED}quorum none",
    "no quorum": _DEFINED,
    "two quorums": f"{_DEFINED}quorum X1\nquorum X2\n",
    "the same quorum twice": f"{_DEFINED}quorum none\nquorum none\n",
    "a quorum of nobody known": f"{_DEFINED}quorum Z\n",
    "a quorum before its witness": f"quorum X1\n{_DEFINED}",
    "a quorum of two names": f"{_DEFINED}quorum X1 X2\n",
    "a quorum of no name": f"{_DEFINED}quorum\n",
    "a quorum that is a log": f"{_DEFINED}quorum {LOG.name}\n",
    "an unknown word": f"{_DEFINED}trust X1\nquorum none\n",
    "a word in capitals": f"{_DEFINED}QUORUM none\n",
    "newlines of Windows": f"{_DEFINED}quorum none\n".replace("\n", "\r\n"),
    "a form feed": f"{_DEFINED}\f\nquorum none\n",
    "a NUL": f"{_DEFINED}#\0\nquorum none\n",
    "a no-break space for a space": f"{_DEFINED}quorum\u00a0none\n",
    "a group without members": f"{_DEFINED}group G all\nquorum G\n",
    "a group without threshold": f"{_DEFINED}group G\nquorum G\n",
    "a group of more than it has": f"{_DEFINED}group G 3 X1 X2\nquorum G\n",
    "a group of none": f"{_DEFINED}group G 0 X1 X2\nquorum G\n",
    "a group of minus one": f"{_DEFINED}group G -1 X1 X2\nquorum G\n",
    "a group of hexadecimal": f"{_DEFINED}group G 0x1 X1 X2\nquorum G\n",
    "a group of most": f"{_DEFINED}group G most X1 X2\nquorum G\n",
    "a group with a member twice": f"{_DEFINED}group G 2 X1 X1 X2\nquorum G\n",
    "a member of two groups": f"{_DEFINED}group G any X1 X2\ngroup H any X1 X3\ngroup I all G H\nquorum I\n",
    "a group with the member none": f"{_DEFINED}group G any X1 none\nquorum G\n",
    "a group with itself": f"{_DEFINED}group G any X1 G\nquorum G\n",
    "a group before its members": f"{_DEFINED}group G any H\ngroup H any X1\nquorum G\n",
    "a group called none": f"{_DEFINED}group none any X1\nquorum none\n",
    "a group called like a witness": f"{_DEFINED}group X1 any X2\nquorum X1\n",
    "a witness called none": f"witness none {_X1.vkey}\nquorum none\n",
    "two witnesses of one name": f"{_DEFINED}witness X1 {WITNESS.vkey}\nquorum X1\n",
    "a witness without key": "witness X1\nquorum X1\n",
    "a witness with more than a URL": f"witness X1 {_X1.vkey} https://a https://b\nquorum X1\n",
    "one key as two witnesses": f"{_DEFINED}witness X9 {_X1.vkey}\nquorum X1\n",
    "one key as two witnesses of other names": (
        f"{_DEFINED}witness X9 {Vkey.make('else.example', 4, Vkey.parse(_X1.vkey).public)}\nquorum X1\n"
    ),
    "a witness with the key of a log": f"witness X1 {LOG.vkey}\nquorum X1\n",
    "a log with the key of a witness": f"log {WITNESS.vkey}\nquorum none\n",
    "a log without key": "log\nquorum none\n",
    "a log with more than a URL": f"log {LOG.vkey} https://a https://b\nquorum none\n",
    "one log twice": f"log {LOG.vkey}\nlog {LOG.vkey}\nquorum none\n",
    "one log under two names": f"log {LOG.vkey}\nlog {Vkey.make('b', 1, Vkey.parse(LOG.vkey).public)}\nquorum none\n",
    "a log that witnesses itself": f"log {MLDSA.vkey}\nwitness P {MLDSA.vkey}\nquorum P\n",
    "a key whose id is another's": f"log {LOG.vkey.replace('+', '+0', 1)}\nquorum none\n",
}


@pytest.mark.parametrize("wound", _BENT)
def test_no_policy_is_read_with(wound: str) -> None:
    with pytest.raises(NoteInvalid):
        Trust.parse(_BENT[wound])


def test_the_line_that_is_wrong_is_named() -> None:
    with pytest.raises(NoteInvalid, match=r"^line 8 of the policy: Z is not defined"):
        Trust.parse(f"{_DEFINED}quorum Z\n")
