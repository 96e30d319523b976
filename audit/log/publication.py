"""What is published of a log: plain files that any web server can serve, written so that a crash leaves no half file.

<folder>/<origin>/checkpoint            the signed head; the last thing written, after everything it needs
<folder>/<origin>/tile/<L>/<N>[.p/<W>]  hashes (C2SP tlog-tiles); entries stay in the store: they are kept once
<folder>/<origin>/vkey                  the key that signs it
<folder>/policy                         all of these keys, as a C2SP tlog-policy
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

HASH = 32  # bytes
_PARTIAL = re.compile(r"(.*/tile/\d+/.*)\.p/(\d+)")
_PATH = re.compile(r"[A-Za-z0-9._~-]+(?:/[A-Za-z0-9._~-]+)*")


class Publication:
    """A folder of published files, by relative path. Safe for several processes, each writing its own logs.

    Every file appears whole or not at all, and is on disk when `write` returns: file and folder are both synced.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def read(self, path: str) -> bytes:
        """The bytes published under a path. Raises FileNotFoundError.

        A partial tile whose file is gone is cut from its full tile: a tile only ever grows at its end.
        """
        try:
            return self._place(path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            partial = _PARTIAL.fullmatch(path)
            if partial is None or partial[1].endswith("/entries"):
                raise FileNotFoundError(path) from None
            return self._place(partial[1]).read_bytes()[: HASH * int(partial[2])]

    def write(self, path: str, data: bytes) -> None:
        """Publish bytes under a path, in place of what stood there. Durable and atomic; raises OSError."""
        place = self._place(path)
        self._make(place.parent)
        # The folder stays open from before the rename until after its sync: reopened later, an error would be lost.
        folder = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            draft = f".{place.name}.{secrets.token_hex(6)}"
            try:
                self._draft(folder, draft, data)
                os.rename(draft, place.name, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                _forget(folder, draft)
                raise
            os.fsync(folder)
        finally:
            os.close(folder)

    def remove(self, path: str) -> None:
        """Publish a file no longer; one that is not there is no error."""
        self._place(path).unlink(missing_ok=True)

    def drop_partials(self, path: str) -> None:
        """Forget the partial tiles of a tile that is full; only when no current checkpoint needs them."""
        shutil.rmtree(self._place(f"{path}.p"), ignore_errors=True)

    def origins(self) -> list[str]:
        """Every log that has a key or a checkpoint here, in order of name. Reads no folder of tiles."""
        found: list[str] = []
        waiting = [self.folder]
        while waiting:
            folder = waiting.pop()
            if (folder / "vkey").exists() or (folder / "checkpoint").exists():
                found.append(str(folder.relative_to(self.folder)))
            else:
                waiting += [one for one in folder.iterdir() if one.is_dir() and not one.name.startswith(".")]
        return sorted(found)

    def files(self, origin: str) -> Iterator[str]:
        """Paths of everything published under one origin, drafts left out."""
        base = self.folder / origin
        for path in sorted(base.rglob("*")):
            if path.is_file() and not path.name.startswith("."):
                yield str(path.relative_to(self.folder))

    def _place(self, path: str) -> Path:
        if not _PATH.fullmatch(path) or any(part.startswith(".") for part in path.split("/")):
            raise FileNotFoundError("no such path in a published log")
        return self.folder / path

    def _make(self, folder: Path) -> None:
        """Make a folder and sync every parent that learned a new name."""
        missing = []
        while not folder.exists():
            missing.append(folder)
            folder = folder.parent
        for one in reversed(missing):
            one.mkdir(mode=0o700, exist_ok=True)
            _sync(one.parent)

    def _draft(self, folder: int, name: str, data: bytes) -> None:
        descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644, dir_fd=folder)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())


def _forget(folder: int, name: str) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
