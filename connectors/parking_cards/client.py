"""Counts cards in the package's file. The file is read whole, off the event loop, whenever it is another one than before.

ask ─► stat: same (device, inode, size, mtime)? ─yes─► the register in memory
                   └─no─► read it (one reading for all who wait) ─┬─ whole: from now on this one
                                                                 └─ not: the old one while it is young, else unknown
"""

from __future__ import annotations

import asyncio
import os
import stat
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from connectors.parking_cards.layout import Layout
from connectors.parking_cards.register import NEVER, Address, Card, NotWhole, Register, plain, read
from integrator.contract import Question, Reply, Tools
from integrator.errors import ConfigurationError, SourceError, SourceUnavailable
from integrator.transport.faults import Faults

MOST_BYTES: Final = 200_000_000
CHANGED: Final = "CHANGED"  # not the file that was looked at any more; no line of faults.yaml, we look again
TRIES: Final = 3  # readings of a file that is replaced meanwhile
Identity = tuple[
    int, int, int, int
]  # device, inode, size, mtime in ns: a file that was replaced or changed has another


class ParkingCards:
    """The connector. `document` is {"count": …, "validUntil": …}; names and national numbers are never taken up."""

    def __init__(self, tools: Tools) -> None:
        try:
            self._path = Path(tools.settings["file"])
        except KeyError:
            raise ConfigurationError("connectors/parking_cards: sources.parking_cards.file is missing") from None
        self._now = tools.now
        self._keep = float(
            tools.settings.get("keepSeconds", 0)
        )  # how long a good file may outlive its successor's wounds
        self._covers = frozenset(str(code) for code in tools.settings.get("municipalities", ()))
        self._faults = Faults.load("parking_cards", tools.room / "faults.yaml")
        self._layout = Layout.load(tools.room / "layout.yaml")
        self._register: Register | None = None
        self._identity: Identity | None = None
        self._seen = 0.0  # when the register was last known to be what the file says
        self._broken: tuple[Identity, str] | None = None  # a file not worth reading again, and why
        self._reading: tuple[Identity, asyncio.Task[Register]] | None = None

    async def ask(self, question: Question) -> Reply:
        """Count the cards valid today at an address or for a plate; none is 0, an answer."""
        register = await self._current(question.deadline)
        cards = self._cards(register, question.keys)
        if cards is None:
            raise self._faults.error("BAD_ROWS")
        today = datetime.fromtimestamp(self._now(), UTC).strftime("%Y%m%d").encode()
        ends = [card.end for card in cards if card.valid_on(today)]
        document: dict[str, Any] = {"count": len(ends)}
        if ends and max(ends) != NEVER:
            document["validUntil"] = max(ends).decode()
        return Reply(document)

    async def check(self) -> None:
        """Read the file, and refuse one with rows that cannot be read."""
        register = await self._current(time.monotonic() + 5.0)
        if register.rejected:
            raise self._faults.error("BAD_ROWS")

    @property
    def rejected(self) -> Mapping[str, int]:
        """Rows of the present file that were set aside, by reason; for operators."""
        return {} if self._register is None else dict(self._register.rejected)

    # --- finding

    def _cards(self, register: Register, keys: Mapping[str, Any]) -> list[Card] | None:
        if "plateNumber" in keys:
            plate = str(keys["plateNumber"]).encode("ascii", "replace")
            width = self._layout.card["plate"].end - self._layout.card["plate"].start
            return [] if len(plate) > width else register.plate(plate)  # a longer plate never had a card here
        return register.address(self._address(keys))

    def _address(self, keys: Mapping[str, Any]) -> Address:
        nis = str(keys["municipalityCode"])
        if self._covers and nis not in self._covers:
            raise self._faults.error("NOT_COVERED")
        house, box = str(keys["houseNumber"]), str(keys.get("boxNumber") or "")
        for name, number in (("house_number", house), ("box", box)):
            if len(number) > self._layout.card[name].end - self._layout.card[name].start:
                raise self._faults.error("TOO_LONG")
        return nis.encode(), str(keys["streetRrnCode"]).zfill(4).encode("ascii", "replace"), plain(house), plain(box)

    # --- the file

    async def _current(self, deadline: float) -> Register:
        """The register of the file as it is now, or what `_instead` allows."""
        for _ in range(TRIES):
            try:
                # On the event loop: 2 µs on a local disk, which is where the file has to be (README.md).
                identity = _identity(self._path.stat(follow_symlinks=False))
            except OSError:
                return self._instead("ABSENT")
            if identity == self._identity and self._register is not None:
                self._seen = self._now()
                return self._register
            if self._broken is not None and self._broken[0] == identity:
                return self._instead(self._broken[1])
            try:
                self._register = await self._read(identity, deadline)
            except NotWhole as error:
                if error.code == CHANGED:  # replaced under our hands: look again
                    continue
                self._broken = identity, error.code
                return self._instead(error.code)
            self._identity, self._broken, self._seen = identity, None, self._now()
            return self._register
        return self._instead("INCOMPLETE")

    async def _read(self, identity: Identity, deadline: float) -> Register:
        """One reading for all who wait for the same file. Raises `NotWhole`."""
        if self._reading is None or self._reading[0] != identity:
            task = asyncio.create_task(asyncio.to_thread(self._load, identity), name="parking cards")
            task.add_done_callback(self._read_ended)
            self._reading = identity, task
        _, task = self._reading
        # Not awaited directly: who gives up must not cancel what others wait for.
        await asyncio.wait({task}, timeout=max(0.0, deadline - time.monotonic()))
        if not task.done():
            raise SourceUnavailable("parking_cards", "the file was not read within the time given")
        return task.result()

    def _read_ended(self, task: asyncio.Task[Register]) -> None:
        if self._reading is not None and self._reading[1] is task:
            self._reading = None
        if not task.cancelled():
            task.exception()  # asked, so that asyncio does not warn when nobody waits any more

    def _instead(self, code: str) -> Register:
        """The last good register while it is young enough; else the error that the file's state stands for."""
        if self._register is not None and self._now() - self._seen < self._keep:
            return self._register
        self._register = self._identity = None  # nothing of it may come back later
        error: SourceError = self._faults.error(code)
        raise error

    def _load(self, identity: Identity) -> Register:
        """In a thread: read exactly the file that was looked at. Raises `NotWhole`."""
        try:
            handle = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            raise NotWhole("ABSENT") from None
        try:
            before = os.fstat(handle)
            if not stat.S_ISREG(before.st_mode) or before.st_size > MOST_BYTES:
                raise NotWhole("LAYOUT")
            with os.fdopen(handle, "rb", closefd=False) as file:
                data = file.read(MOST_BYTES + 1)
            if {_identity(before), _identity(os.fstat(handle))} != {identity}:
                raise NotWhole(CHANGED)
        finally:
            os.close(handle)
        return read(data, self._layout)


def _identity(status: os.stat_result) -> Identity:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
