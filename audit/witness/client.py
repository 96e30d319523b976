"""Asking one witness for its cosignature: the other end of witness.py, or of anybody's C2SP witness."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from audit.errors import LedgerError, NoteInvalid
from audit.posting import Answer, Send, Unreachable, send
from audit.tree.note import make_verifier, open_note
from audit.witness.request import render
from audit.witness.witness import SIZE

__all__ = ["Cosigned", "Unreachable", "WitnessClient", "WitnessConflict", "WitnessForked", "WitnessRefused"]


class WitnessRefused(LedgerError):
    """The witness answered, but gave nothing that counts: it does not know us, or its signature is not its own."""


class WitnessConflict(WitnessRefused):
    """The witness remembers another size than we said (409): an ordinary answer when it is smaller than ours."""

    def __init__(self, size: int) -> None:
        super().__init__(f"the witness stands at size {size}")
        self.size = size


class WitnessForked(WitnessRefused):
    """The witness does not find what it cosigned in our tree (422): two histories under one key. Never ignore this."""


class Cosigned(tuple[str, ...]):
    """The signature lines, without newline, that verified under the witness's keys; never empty."""


class WitnessClient:
    """One witness as settings name it."""

    def __init__(
        self, url: str, vkey: str | Sequence[str], *, name: str = "", timeout: float = 10.0, send: Send = send
    ) -> None:
        """`url`: its submission prefix. `vkey`: its key or keys; a line of any other key is ignored."""
        self.url, self.vkeys = url.rstrip("/"), (vkey,) if isinstance(vkey, str) else tuple(vkey)
        self._verifiers = [make_verifier(one) for one in self.vkeys]
        if not self._verifiers:
            raise ValueError("a witness without a key proves nothing")
        self.name = name or self._verifiers[0].name
        self._timeout, self._send = timeout, send

    def cosign(self, old_size: int, proof: Sequence[bytes], checkpoint_note: bytes) -> Cosigned:
        """Its lines for this checkpoint. Raises WitnessConflict, WitnessForked, WitnessRefused or Unreachable."""
        answer = self._send(
            f"{self.url}/add-checkpoint",
            render(old_size, proof, checkpoint_note),
            "text/plain; charset=utf-8",
            timeout=self._timeout,
        )
        if answer.status == 409:
            raise WitnessConflict(_size(answer))
        if answer.status == 422:
            raise WitnessForked("the witness finds no proof in ours that our tree only grew")
        if answer.status != 200:
            raise WitnessRefused(f"the witness answered {answer.status}")
        return self._ours(checkpoint_note, answer.body)

    def checkpoint(self, origin: str) -> bytes | None:
        """The checkpoint it serves to monitors, unverified; None when it serves none. Raises Unreachable."""
        path = hashlib.sha256(origin.encode()).hexdigest()
        answer = self._send(f"{self.url}/{path}/checkpoint", None, "", timeout=self._timeout)
        return answer.body if answer.status == 200 else None

    def _ours(self, note: bytes, body: bytes) -> Cosigned:
        """Keep the lines that verify; each is tried alone, so that one bad line spoils no other."""
        text = note.rpartition(b"\n\n\xe2\x80\x94 ")[0] + b"\n\n"
        good = [line for line in _lines(body) if self._verifies(text + line.encode() + b"\n")]
        if not good:
            raise WitnessRefused("no line of the answer is a cosignature of this witness")
        return Cosigned(good)

    def _verifies(self, note: bytes) -> bool:
        try:
            opened = open_note(note, self._verifiers)
        except NoteInvalid:
            return False
        return any(signed.time for signed in opened.signed_by)  # a cosignature MUST say when


def _lines(body: bytes) -> Iterable[str]:
    try:
        return [line for line in body.decode().split("\n") if line.startswith("— ")]
    except UnicodeDecodeError:
        return []


def _size(answer: Answer) -> int:
    text = answer.body.decode("ascii", "replace").removesuffix("\n")
    if answer.content_type != SIZE or not text.isdecimal() or len(text) > 19 or str(int(text)) != text:
        raise WitnessRefused("the witness says conflict, but not which size it holds")
    return int(text)
