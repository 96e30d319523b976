"""The body of `POST add-checkpoint` (C2SP tlog-witness), both ways: what a log writes is what a witness reads.

old 20852014                        size the witness cosigned last, 0 = never
PlRNCrwHpqhGrupue0L7gxbjbMiK…=      zero to 63 hashes of the consistency proof, base64
                                    an empty line
example.com/behind-the-sofa         the checkpoint, a signed note
…
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from audit.errors import NoteInvalid
from audit.tree.note import split_note
from audit.tree.vkey import from_base64, to_base64

MAX_PROOF = 63  # lines; a tree of 2**63 leaves needs no more
MAX_BODY = 65_536  # bytes; a checkpoint with ten post-quantum signatures has half of it

_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")


class RequestMalformed(ValueError):
    """These bytes are no add-checkpoint request; the text says which line and never repeats it."""


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """One request, read."""

    old_size: int
    proof: tuple[bytes, ...]  # 32 bytes each
    note: bytes  # the checkpoint with its signatures, as sent
    text: str  # what is signed of it: nothing is verified yet


def render(old_size: int, proof: Sequence[bytes], note: bytes) -> bytes:
    """Write a request.

    >>> render(0, [], b"log\\n1\\nAA==\\n\\n\\xe2\\x80\\x94 log AAAAAAA=\\n")[:7]
    b'old 0\\n\\n'
    """
    lines = [f"old {old_size}", *map(to_base64, proof), "", ""]
    return "\n".join(lines).encode() + note


def parse(body: bytes) -> AddCheckpoint:
    """Read a request; raises RequestMalformed for anything that is not exactly one.

    >>> parse(render(7, [bytes(32)], b"log\\n9\\nAA==\\n\\n\\xe2\\x80\\x94 log AAAAAAA=\\n")).old_size
    7
    """
    if len(body) > MAX_BODY:
        raise RequestMalformed("the request is too long")
    head, found, note = body.partition(b"\n\n")
    if not found:
        raise RequestMalformed("no empty line after the proof")
    first, *lines = head.decode("ascii", "replace").split("\n")
    old = _OLD.fullmatch(first)
    if old is None:
        raise RequestMalformed("the first line is not `old SIZE`")
    if len(lines) > MAX_PROOF:
        raise RequestMalformed(f"more than {MAX_PROOF} proof lines")
    try:
        text = split_note(note)[0]
    except NoteInvalid as error:
        raise RequestMalformed("the checkpoint is not a signed note") from error
    return AddCheckpoint(int(old[1]), tuple(map(_hash, lines)), note, text)


def _hash(line: str) -> bytes:
    try:
        value = from_base64(line, "a proof line")
    except NoteInvalid as error:
        raise RequestMalformed("a proof line is not base64") from error
    if len(value) != 32:
        raise RequestMalformed("a proof line is not one hash of 32 bytes")
    return value
