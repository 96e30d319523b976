"""Every text that ever decided, by the digest of its bytes: a ledger entry names the digest, here is the text.

    archive = Archive(folder)
    digest = archive.put(text)      64 hex, sha-256; the same text twice is one file
    archive.get(digest)             the bytes, or None

A text is durable when `put` returns, and is never changed or taken away: files are written beside and renamed.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from integrator.errors import ConfigurationError
from integrator.settings import Settings

_DIGEST = re.compile(r"[0-9a-f]{64}").fullmatch


class Archive:
    """One folder, shared by any number of processes. Machines that decide keep it on what they share, or each its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, text: bytes) -> str:
        """Keep a text and return its digest. Raises `ConfigurationError` when it cannot be kept: then nothing may decide by it."""
        digest = hashlib.sha256(text).hexdigest()
        if self.get(digest) is not None:
            return digest
        beside = self._folder / f".{digest}.{os.getpid()}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with beside.open("wb") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._folder / digest)
            _sync(self._folder)
        except OSError as error:
            raise ConfigurationError(
                f"a text that decides cannot be kept: {type(error).__name__}",
                advice=f"{self._folder} must be writable and have room: explanations years from now need it.",
            ) from error
        return digest

    def get(self, digest: str) -> bytes | None:
        """The text of a digest, `sha256:` before it or not. A file that is not what its name says is no text: None."""
        digest = digest.removeprefix("sha256:")
        if not _DIGEST(digest):
            return None
        try:
            text = (self._folder / digest).read_bytes()
        except OSError:
            return None
        return text if hashlib.sha256(text).hexdigest() == digest else None

    def digests(self) -> Iterator[str]:
        """Of everything that is kept, in order."""
        if self._folder.is_dir():
            yield from sorted(path.name for path in self._folder.iterdir() if _DIGEST(path.name))


def open_archive(settings: Settings) -> Archive:
    """The hub's own: one folder beside the ledger's state."""
    return Archive(settings.state / "texts")


def _sync(folder: Path) -> None:
    """A rename lasts only when its folder is written too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
