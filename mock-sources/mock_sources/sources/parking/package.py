"""The legacy package's only face: one file. Written whole beside its place, synced, then renamed over the old one.

A fault on a file is a file: half-written, with a garbage line, without its trailer, empty, or not there.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

from mock_sources.asgi import Receive, Scope, Send, problem, respond_problem
from mock_sources.clock import Clock
from mock_sources.faults import Fault
from mock_sources.sources.parking.layout import LENGTH, Record, encode, trailer

NAME = "cards.txt"
_ROW = LENGTH + 2
_GARBAGE = b"\x81\x8d\x8f ### DISK ERROR 0x1F ###\r\n"  # three bytes that cp1252 leaves undefined, and a wrong length


class Package:
    """The file at `folder/cards.txt`. Also an ASGI callable, to say that there is nothing to call."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._path, self._clock = folder / NAME, clock
        self._whole = b""

    @property
    def path(self) -> Path:
        """Where the file is, when it is there."""
        return self._path

    def rewrite(self, records: Iterable[Record]) -> None:
        """Replace the file by these cards; the next reader sees the old one or the new one, nothing between."""
        self._whole = b"".join(encode(records, self._made()))
        self._place(self._whole)

    def apply(self, fault: Fault | None) -> None:
        """Break the file as the fault says, or put the whole one back for None."""
        if fault is None:
            self._place(self._whole)
        elif fault.kind in _BROKEN:
            self._place(_BROKEN[fault.kind](self._whole, fault.variant))
        else:
            self._path.unlink(missing_ok=True)  # a package that does not answer is a file that is not there

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """404 for everything: this source has no network interface, and that is the point of it."""
        await respond_problem(send, problem(404, "resourceNotFound", "this package only has its file"))

    def _made(self) -> datetime:
        return self._clock()

    def _place(self, content: bytes) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(prefix=".cards-", dir=self._path.parent)  # mkstemp makes it 0600
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(self._path)


def _truncated(whole: bytes, variant: str | None) -> bytes:
    """Cut in the middle of a card, as by a copy that was not finished; or whole cards without the last line."""
    if variant == "missing_trailer":
        return whole[:-_ROW]
    return whole[: _middle(whole) + _ROW // 3]


def _malformed(whole: bytes, variant: str | None) -> bytes:
    """A line of rubbish among good ones; or a trailer that counts one card too many."""
    if variant == "wrong_count":
        return whole[:-_ROW] + trailer(len(whole) // _ROW - 1)
    middle = _middle(whole)
    return whole[:middle] + _GARBAGE + whole[middle:]


def _empty(whole: bytes, variant: str | None) -> bytes:
    return b""


def _middle(whole: bytes) -> int:
    """The start of the card in the middle."""
    return len(whole) // _ROW // 2 * _ROW


_BROKEN: dict[str, Callable[[bytes, str | None], bytes]] = {
    "truncated": _truncated,
    "malformed": _malformed,
    "empty": _empty,
}
