"""A witness: it lets a log only grow, and says so under its own name (C2SP tlog-witness, tlog-cosignature).

It sees checkpoints, never an entry. For each log it remembers the largest tree it cosigned; a new one is cosigned only
with a proof that the old one is its beginning. So a log that shows two faces needs as many blind witnesses as the
reader's quorum.

    400 not a request · 404 log unknown · 403 no good signature of the log · 409 our size is another one (it is told)
    422 the proof does not hold, or another root at the same size · 200 the cosignatures, durable before they leave
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from audit.errors import CheckpointInvalid, NoteInvalid, ProofInvalid
from audit.tree.checkpoint import Checkpoint
from audit.tree.merkle import EMPTY_ROOT, check_consistency
from audit.tree.note import make_verifier, open_note, split_note
from audit.tree.vkey import to_base64
from audit.witness.cosigned import lines_of
from audit.witness.memory import Memory, Seen
from audit.witness.request import AddCheckpoint, RequestMalformed, parse

_NEVER = Seen(0, EMPTY_ROOT)  # the state of a log that was never cosigned
TEXT, SIZE = "text/plain; charset=utf-8", "text/x.tlog.size"


class Signs(Protocol):
    """A key of the witness: audit.tree.cosignature.Cosigner or MldsaCosigner."""

    @property
    def name(self) -> str: ...
    @property
    def vkey(self) -> str: ...
    def line(self, checkpoint_text: str, time: int) -> str: ...


class Reply(NamedTuple):
    """What the witness answers: HTTP status, media type, body."""

    status: int
    content_type: str
    body: bytes


class _Refused(Exception):
    def __init__(self, status: int, why: str, content_type: str = TEXT) -> None:
        super().__init__(why)
        self.reply = Reply(status, content_type, why.encode() + b"\n")


class Witness:
    """One name, one or two keys, the logs it knows. Threads may call it at the same time."""

    def __init__(
        self,
        state: Path,
        cosigners: Signs | Sequence[Signs],
        logs: Mapping[str, str | Iterable[str]],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`state`: folder of its memory. `logs`: origin to the vkey (or vkeys, while a key is renewed) of that log."""
        self._cosigners = tuple(cosigners) if isinstance(cosigners, Sequence) else (cosigners,)
        if not self._cosigners:
            raise ValueError("a witness without a key vouches for nothing")
        self._logs = {
            origin: [make_verifier(vkey) for vkey in ([keys] if isinstance(keys, str) else keys)]
            for origin, keys in logs.items()
        }
        self._by_hash = {hashlib.sha256(origin.encode()).hexdigest(): origin for origin in self._logs}
        self._clock = clock
        self._memory = Memory(state / "witness.db")

    @property
    def vkeys(self) -> tuple[str, ...]:
        """The keys to put in a trust policy."""
        return tuple(cosigner.vkey for cosigner in self._cosigners)

    def add_checkpoint(self, body: bytes) -> Reply:
        """Cosign a checkpoint, or say why not. Durable when this returns; nothing else in this file writes."""
        try:
            asked = parse(body)
            checkpoint = self._authentic(asked)
            seen = self._memory.settle(checkpoint.origin, lambda last: self._decide(asked, checkpoint, last))
        except RequestMalformed as error:
            return Reply(400, TEXT, f"{error}\n".encode())
        except _Refused as refused:
            return refused.reply
        ours = lines_of(seen.note)[-len(self._cosigners) :]
        return Reply(200, TEXT, "".join(f"{line}\n" for line in ours).encode())

    def checkpoint(self, origin_hash: str) -> Reply:
        """The latest cosigned checkpoint of the log whose origin has this SHA-256 (hex): for monitors."""
        origin = self._by_hash.get(origin_hash)
        seen = self._memory.last(origin) if origin is not None else None
        return Reply(404, TEXT, b"nothing cosigned of this log\n") if seen is None else Reply(200, TEXT, seen.note)

    def close(self) -> None:
        """Let go of the memory."""
        self._memory.close()

    def _authentic(self, asked: AddCheckpoint) -> Checkpoint:
        """The checkpoint, when a key we trust for its origin signed it."""
        checkpoint, honest = _claimed(asked.text)
        verifiers = self._logs.get(checkpoint.origin)
        if verifiers is None:
            raise _Refused(404, "this log is not known here")
        try:
            open_note(asked.note, verifiers)
        except NoteInvalid as error:
            raise _Refused(403, "no good signature of this log's key") from error
        if asked.old_size > checkpoint.size:
            raise _Refused(400, "the old size is larger than the checkpoint")
        if not honest and asked.old_size == (self._memory.last(checkpoint.origin) or _NEVER).size:
            raise _Refused(422, "an empty tree has another root")
        return checkpoint

    def _decide(self, asked: AddCheckpoint, checkpoint: Checkpoint, last: Seen | None) -> Seen:
        """What to remember next; raises _Refused. Runs inside the transaction that remembers it."""
        known = last or _NEVER
        if asked.old_size != known.size:
            raise _Refused(409, str(known.size), SIZE)
        if asked.old_size == 0 or asked.old_size == checkpoint.size:
            if asked.proof:
                raise _Refused(422, "nothing is to be proven here: the proof must be empty")
            if asked.old_size == checkpoint.size and checkpoint.root != known.root:
                raise _Refused(422, "another root for a size that was cosigned")
        else:
            try:
                check_consistency(known.size, checkpoint.size, known.root, checkpoint.root, list(asked.proof))
            except ProofInvalid as error:
                raise _Refused(422, "the consistency proof does not hold") from error
        return Seen(checkpoint.size, checkpoint.root, self._cosigned(asked))

    def _cosigned(self, asked: AddCheckpoint) -> bytes:
        """The log's own signatures that we trust (others may be rubbish of any length), then ours, one time in all."""
        now = int(self._clock())
        origin = asked.text.partition("\n")[0]
        trusted = {(verifier.name, verifier.key_id) for verifier in self._logs[origin]}
        signers = [(name, key_id) for name, key_id, _ in split_note(asked.note)[1]]
        theirs = [line for line, who in zip(lines_of(asked.note), signers, strict=True) if who in trusted]
        ours = [cosigner.line(asked.text, now).rstrip("\n") for cosigner in self._cosigners]
        return (asked.text + "\n" + "\n".join([*theirs, *ours]) + "\n").encode()


def _claimed(text: str) -> tuple[Checkpoint, bool]:
    """What the text claims; False for an empty tree with another root than it can have. Raises RequestMalformed.

    That one wound is a checkpoint to this protocol (422), where the kernel calls it none.
    """
    lines = text.split("\n")
    honest = lines[1:2] != ["0"] or lines[2:3] == [to_base64(EMPTY_ROOT)]
    if not honest and len(lines) == 4:
        lines[2] = to_base64(EMPTY_ROOT)
    try:
        return Checkpoint.parse("\n".join(lines)), honest
    except CheckpointInvalid as error:
        raise RequestMalformed("the note is no checkpoint of three lines") from error
