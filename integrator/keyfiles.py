"""Files of keys: whole or not there, never overwritten, for their owner alone, and still there after a power cut."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path


def write_new(path: Path, data: bytes) -> None:
    """A new file of mode 0600. Raises `FileExistsError`: what is there stays, whoever was first."""
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.link(aside, path)  # unlike rename, this fails when another process was first
    finally:
        aside.unlink()
    _keep_name(path.parent)


def made_once(path: Path, make: Callable[[], bytes]) -> bytes:
    """What the file holds; made the first time, and then the same for every process."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        try:
            write_new(path, make())
        except FileExistsError:
            _keep_name(path.parent)  # of another process of this hub, which may not have come so far
    return path.read_bytes()


def _keep_name(folder: Path) -> None:
    """The entry in the folder, durably: a key that was used and is gone after a power cut cannot be made again."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
