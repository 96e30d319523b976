"""A file on its way into work/: written beside it, durable, then under its digest. A killed process leaves a half copy, no file."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

HALF = ".copy-"  # halves are called so; `Drop.alone` removes those of a killed process


class Landing:
    """`write` the pieces, then `keep` or `leave`. Everything blocks."""

    def __init__(self, work: Path) -> None:
        self._work, self._aside = work, work / f"{HALF}{os.getpid()}"
        self._digest, self.size = hashlib.sha256(), 0
        self._file = self._aside.open("wb")
        os.fchmod(self._file.fileno(), 0o600)

    def write(self, piece: bytes) -> None:
        self._digest.update(piece)
        self._file.write(piece)
        self.size += len(piece)

    def keep(self, changed_ns: int | None = None) -> Path:
        """Durable under its digest. `changed_ns`: when it was changed last where it comes from, which says who goes first."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        if changed_ns is not None:
            os.utime(self._aside, ns=(changed_ns, changed_ns))
        path = self._work / self._digest.hexdigest()
        self._aside.replace(path)
        sync(self._work)
        return path

    def leave(self) -> None:
        self._file.close()
        self._aside.unlink(missing_ok=True)


def sync(folder: Path) -> None:
    """What was renamed in a folder stays so after a power failure."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
