"""One file that shows that an entry is in a log (C2SP tlog-proof): its index, the hashes up to the root, the checkpoint.

c2sp.org/tlog-proof@v1
extra aGVsbG8=                                     optional, not authenticated by anything
index 73894
gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=       one line per hash, from the leaf's sibling up

audit.hub.example/node-a/2026                      the checkpoint, a signed note, as the log published it
…
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from audit.errors import CheckpointInvalid, NoteInvalid, ProofInvalid
from audit.tree.checkpoint import Checkpoint
from audit.tree.merkle import MAX_SIZE, check_inclusion
from audit.tree.note import Opened, split_note
from audit.tree.trust import Trust
from audit.tree.vkey import from_base64, to_base64

_HEADER = "c2sp.org/tlog-proof@v1"
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
_MOST_HASHES = 63  # a tree of 2**63 leaves is that high


@dataclass(frozen=True)
class TlogProof:
    """A proof as carried; it proves nothing before `verify` returned. Raises ProofInvalid for what cannot be written."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint_note: bytes
    extra: bytes | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "hashes", tuple(self.hashes))
        if not 0 <= self.index < MAX_SIZE:
            raise ProofInvalid(f"{self.index} is not the index of an entry")
        if len(self.hashes) > _MOST_HASHES or set(map(len, self.hashes)) - {32}:
            raise ProofInvalid(f"an inclusion proof is at most {_MOST_HASHES} hashes of 32 bytes")
        if self.extra == b"":
            raise ProofInvalid("extra data is left out (None) when there is none, never empty")
        self.claimed()

    def render(self) -> bytes:
        """The file, UTF-8; its name SHOULD end in .tlog-proof."""
        lines = [_HEADER]
        if self.extra is not None:
            lines.append(f"extra {to_base64(self.extra)}")
        lines.append(f"index {self.index}")
        lines += map(to_base64, self.hashes)
        return "\n".join([*lines, "", ""]).encode() + self.checkpoint_note

    @classmethod
    def parse(cls, proof: bytes) -> TlogProof:
        """Read the file in form only. ProofInvalid for anything but what `render` writes."""
        head, blank, note = proof.partition(b"\n\n")
        try:
            lines = head.decode("ascii").split("\n")
        except UnicodeDecodeError as error:
            raise ProofInvalid("the lines above the checkpoint are not ASCII; this is no tlog-proof") from error
        if lines.pop(0) != _HEADER:
            raise ProofInvalid(f"the first line is not {_HEADER}; this is no tlog-proof of version 1")
        if not blank or not note:
            raise ProofInvalid("the checkpoint is missing: hashes, one empty line, then the signed note")
        try:
            extra = from_base64(lines.pop(0)[6:], "the extra data") if lines and lines[0].startswith("extra ") else None
            index = _index(lines.pop(0) if lines else "")
            return cls(index, tuple(from_base64(line, "a hash of the proof") for line in lines), note, extra)
        except NoteInvalid as error:
            raise ProofInvalid(str(error)) from error

    def claimed(self) -> Checkpoint:
        """The checkpoint in the proof, *not verified*: for finding out which log's keys are needed."""
        try:
            return Checkpoint.parse(split_note(self.checkpoint_note)[0])
        except (NoteInvalid, CheckpointInvalid) as error:
            raise ProofInvalid(f"the checkpoint in the proof cannot be read: {error}") from error

    def verify(self, leaf: bytes, trust: Trust) -> Opened:
        """Whether an entry with this leaf hash is in a log the policy trusts; who signed is returned.

        Raises NoteInvalid, CheckpointInvalid or TrustInsufficient for the checkpoint, ProofInvalid for the inclusion.
        """
        opened = trust.verify(self.checkpoint_note)
        checkpoint = Checkpoint.parse(opened.text)
        check_inclusion(self.index, checkpoint.size, leaf, self.hashes, checkpoint.root)
        return opened


def _index(line: str) -> int:
    word, _, number = line.partition(" ")
    if word != "index" or not _DECIMAL.fullmatch(number):
        raise ProofInvalid("the line 'index <decimal number without leading zeros>' is missing or malformed")
    return int(number)
