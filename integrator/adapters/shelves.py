"""Where files for a package are put: in a folder that we both see. The same over SFTP is ways/shelf.py.

aside: durable under a hidden name ─► place: renamed, at once and whole ─► received: the package's receipt lies beside it
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from integrator.adapters.landing import sync


class Shelf(Protocol):
    """One package's. Each step may be done again after a kill."""

    async def aside(self, name: str, content: bytes) -> None: ...

    async def place(self, name: str, receipt: str) -> None:
        """Once; gone means that it was done. A file without content is not shown: only its receipt is, if there is one."""

    async def received(self, name: str) -> bool: ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of this machine."""

    root: Path

    async def aside(self, name: str, content: bytes) -> None:
        await asyncio.to_thread(self._aside, name, content)

    async def place(self, name: str, receipt: str) -> None:
        await asyncio.to_thread(self._place, name, receipt)

    async def received(self, name: str) -> bool:
        return await asyncio.to_thread((self.root / name).exists)

    async def close(self) -> None:
        """Nothing is open."""

    def _aside(self, name: str, content: bytes) -> None:
        self.root.mkdir(parents=True, exist_ok=True, mode=0o770)
        with (self.root / hidden(name)).open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())

    def _place(self, name: str, receipt: str) -> None:
        aside = self.root / hidden(name)
        if not aside.exists():
            return
        if aside.stat().st_size:
            aside.rename(self.root / name)
        else:
            if receipt:
                (self.root / f"{name}{receipt}").touch()
            aside.unlink()
        sync(self.root)


def hidden(name: str) -> str:
    """As long as it is not whole."""
    return f".{name}.part"
