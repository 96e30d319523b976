"""The key ring: a small port, and a folder of files behind it for one machine.

Which keys there are (names are the whole vocabulary; each key is 32 random bytes):

    kek-<class>-<yyyy>-<mm>-<audience>   wraps the data keys of one retention class, month and audience
    idx-subject-<yyyy>                   blinds subject identifiers of one year     (held by the privacy office)
    idx-agent-<yyyy>                     blinds agent identifiers of one year       (DPO and a second person)

Destroying a `kek` file is how a month of one class is forgotten. Losing an `idx` file makes that year unsearchable:
keep it in escrow. Several machines, or keys in an HSM: write another KeyRing, nothing else changes.
"""

from __future__ import annotations

import os
import re
import secrets
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from audit.errors import KeyMissing

KEY_BYTES = 32
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,99}")


class KeyRing(Protocol):
    """Where 32-byte keys live.

    An implementation MUST return the same bytes for the same name for ever, in every process.
    With `create` it MUST make an absent key, and have it stored durably before returning.
    Without `create` it MUST raise KeyMissing for an absent key, never make one: readers come here.
    It MUST NOT let a key destroyed on purpose come back by `create`.
    """

    def get(self, name: str, *, create: bool = False) -> bytes:
        """Return the key called `name`: 32 bytes. Raises KeyMissing."""
        ...

    def destroy(self, name: str) -> None:
        """Forget a key for ever, durably; absent and destroyed keys likewise, so that it may be done again.

        Afterwards `get` MUST raise KeyMissing, with `create` too. Raises OSError, or KeyMissing when not allowed.
        """
        ...


class FileKeyRing:
    """One key per file (0600, hex) in a folder (0700); both are made when absent.

    Safe for several processes on one machine: the first to make a key wins, the others read it.
    `destroy` leaves an empty file behind, so a destroyed key is never made anew.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def get(self, name: str, *, create: bool = False) -> bytes:
        """Return the key called `name`. Raises KeyMissing when absent (without `create`), destroyed or unreadable."""
        path = self._path(name)
        if create and not path.exists():
            self._make(path)
        return self._read(path)

    def destroy(self, name: str) -> None:
        """Forget a key for ever; what it sealed can never be opened again. Absent keys are marked destroyed too."""
        path = self._path(name)
        with path.open("r+b" if path.exists() else "xb") as file:
            size = os.fstat(file.fileno()).st_size
            file.write(bytes(size))  # best effort on journalling disks: production keeps KEKs wrapped by an HSM
            file.flush()
            os.fsync(file.fileno())
            file.truncate(0)
            os.fsync(file.fileno())
        self._sync_folder()  # else the mark of an absent key could be lost

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise KeyMissing("a key name has letters, digits and hyphens only")
        return self.folder / f"{name}.key"

    def _make(self, path: Path) -> None:
        draft = path.with_suffix(f".{secrets.token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_hex(KEY_BYTES).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # atomic, and refuses when another process was first
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        self._sync_folder()

    def _sync_folder(self) -> None:
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _read(self, path: Path) -> bytes:
        try:
            mode = path.stat().st_mode
            text = path.read_text("ascii")
        except FileNotFoundError as error:
            raise KeyMissing(f"no key {path.stem}") from error
        if not text:
            raise KeyMissing(f"key {path.stem} was destroyed")
        if mode & 0o077:
            raise KeyMissing(f"key {path.stem} is readable by others (mode {mode & 0o777:o}): chmod 600, then restart")
        try:
            key = bytes.fromhex(text)
        except ValueError as error:
            raise KeyMissing(f"key {path.stem} is not written in hexadecimal") from error
        if len(key) != KEY_BYTES:
            raise KeyMissing(f"key {path.stem} is not {KEY_BYTES} bytes")
        return key


def wrapping_key_name(retention: str, month: int, audience: str) -> str:
    """Name of the key that wraps data keys; `month` is yyyymm.

    >>> wrapping_key_name("Y10", 202611, "agent")
    'kek-Y10-2026-11-agent'
    """
    return f"kek-{epoch_of(retention, month)}-{audience}"


@lru_cache(maxsize=64)
def epoch_of(retention: str, month: int) -> str:
    """Key epoch as written in an entry (`kid`): retention class and month.

    >>> epoch_of("Y10", 202611)
    'Y10-2026-11'
    """
    return f"{retention}-{month // 100}-{month % 100:02d}"


def index_key_name(who: str, year: int) -> str:
    """Name of the key that blinds identifiers; `who` is subject or agent.

    >>> index_key_name("subject", 2026)
    'idx-subject-2026'
    """
    return f"idx-{who}-{year}"
