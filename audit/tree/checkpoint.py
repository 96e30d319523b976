"""What a log says of itself (C2SP tlog-checkpoint): three lines, the whole trust anchor.

    audit.hub.example/node-a/2026                     origin: which log
    70000                                             size: how many leaves
    gz4pck49lLd0igbMfZuzCVnOesskNB1M1hxee5eTNBI=      root: base64 of 32 bytes

Extension lines are refused: nobody audits them, and ML-DSA cosignatures do not sign them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from audit.errors import CheckpointInvalid, NoteInvalid
from audit.tree.merkle import EMPTY_ROOT, MAX_SIZE
from audit.tree.vkey import checked_text, from_base64, to_base64

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True)
class Checkpoint:
    """A claim about a log. It is worth nothing before the note around it is verified (`audit.tree.note.open_note`).

    Raises CheckpointInvalid when made of what cannot be written: an origin with a newline, a root that is not 32
    bytes, an empty tree with another root than EMPTY_ROOT.
    """

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        try:
            checked_text(self.origin + "\n")
        except NoteInvalid as error:
            raise CheckpointInvalid("the origin holds what cannot be written in a note") from error
        if not self.origin or "\n" in self.origin:
            raise CheckpointInvalid("the origin of a checkpoint is one line of text")
        if not 0 <= self.size <= MAX_SIZE:
            raise CheckpointInvalid(f"{self.size} is not the size of a tree")
        if len(self.root) != 32:
            raise CheckpointInvalid(f"a root is 32 bytes, not {len(self.root)}")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise CheckpointInvalid("an empty tree has one root only, and this is another")

    def text(self) -> str:
        """The three lines, to be signed as a note.

        >>> Checkpoint("log.example/1", 0, EMPTY_ROOT).text()
        'log.example/1\\n0\\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\\n'
        """
        return f"{self.origin}\n{self.size}\n{to_base64(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read the text of a note. Exactly what `text()` writes is accepted; CheckpointInvalid otherwise."""
        lines = text.split("\n")
        if len(lines) < 4 or lines[3:] != [""]:
            raise CheckpointInvalid("a checkpoint is exactly three lines: origin, size, root; no extension lines")
        origin, size, root = lines[:3]
        if not _DECIMAL.fullmatch(size):
            raise CheckpointInvalid("the size of a checkpoint is a decimal number without leading zeros")
        try:
            return cls(origin, int(size), from_base64(root, "the root of the checkpoint"))
        except NoteInvalid as error:
            raise CheckpointInvalid(str(error)) from error
