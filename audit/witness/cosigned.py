"""Cosignatures join a checkpoint as further signature lines: the text that was signed and stamped stays as it was."""

from __future__ import annotations

from collections.abc import Iterable

from audit.tree.note import split_note


def lines_of(note: bytes) -> list[str]:
    """The signature lines of a note, without newline. Raises NoteInvalid for what is no note; verifies nothing."""
    split_note(note)
    return note.rpartition(b"\n\n")[2].decode().split("\n")[:-1]


def with_lines(note: bytes, lines: Iterable[str]) -> bytes:
    """The same note with these signature lines added; a newer line of a key takes the place of its older one.

    (A reader refuses a note that one key signed twice.) Raises NoteInvalid; verifies nothing.
    """
    text = note.rpartition(b"\n\n")[0] + b"\n\n"
    kept = {_key(text, line): line for line in [*lines_of(note), *lines]}
    return text + "".join(f"{line}\n" for line in kept.values()).encode()


def merged(note: bytes, other: bytes) -> bytes:
    """`note` with the signatures of `other`, when both are of the same text; else `note` as it is."""
    return with_lines(note, lines_of(other)) if split_note(note)[0] == split_note(other)[0] else note


def _key(text: bytes, line: str) -> tuple[str, int]:
    [(name, key_id, _)] = split_note(text + line.encode() + b"\n")[1]
    return name, key_id
