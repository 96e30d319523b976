"""A folder that a package writes into. A file in it is believed to be whole only when it stood still, and is then made ours.

    in/NAME ─► work/claim-… ─► work/<digest> ─► done/<digest> · refused/<digest>
      stood still   rename       a copy that nobody else holds open

Only regular files with one name are taken: no links, no folders, no pipes, nothing that is still called .part. Who takes is
one process, by a lock that ends with it; what a killed one had claimed, the next one finishes.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from integrator.adapters.landing import HALF, Landing, sync
from integrator.errors import HubError

UNFINISHED = (".part", ".tmp", ".filepart", ".crdownload", ".swp", "~")
_CLAIM = "claim-"
_PIECE = 1 << 20
_Mark = tuple[int, int, int]  # inode, size, ns of its last change


class DropTaken(HubError):
    """Another process takes from this folder."""

    code, where = "DROP_TAKEN", "A2"
    advice = "Nothing to do: one process takes at a time. It is over when that process ends."


@dataclass(slots=True)
class Drop:
    """One watched folder. Everything blocks."""

    root: Path
    pattern: str = "*"
    settle: float = 2.0  # seconds that a file must stand still
    sidecar: str = ""  # NAME + this says that NAME is whole
    largest: int = 200_000_000  # bytes; larger files are not even copied
    clock: Callable[[], float] = time.monotonic
    _seen: dict[str, tuple[_Mark, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        for name in ("in", "work", "done", "refused"):
            (self.root / name).mkdir(exist_ok=True, mode=0o770 if name == "in" else 0o700)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Held while files are taken. Raises `DropTaken`. The kernel lets go of it when the process ends, however it ends."""
        lock = os.open(self.root / "work" / ".lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise DropTaken from None
            for half in (self.root / "work").glob(f"{HALF}*"):  # of a process that was killed over it
                half.unlink()
            yield
        finally:
            os.close(lock)

    def look(self) -> list[Path]:
        """Files of ours that are to be taken in, the oldest first; those that just stood still long enough are among them."""
        for name in self._still():
            self._claim(name)
        for claim in sorted(self._names("work", _CLAIM)):
            self._adopt(self.root / "work" / claim)
        found = [self.root / "work" / name for name in self._names("work") if not name.startswith((_CLAIM, "."))]
        return sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name))

    def landing(self) -> Landing:
        """For what comes another way."""
        return Landing(self.root / "work")

    def strange(self) -> int:
        """How many things lie there that are no files: they stay, and nobody reads them."""
        with os.scandir(self.root / "in") as entries:
            return sum(not _plain(one.stat(follow_symlinks=False)) for one in entries)

    def settled(self, path: Path, state: str) -> None:
        """Out of the way: to refused/ when it was, else to done/."""
        folder = self.root / ("refused" if state == "refused" else "done")
        with suppress(FileNotFoundError):  # a process that was killed here had moved it
            path.replace(folder / path.name)
        sync(folder)

    def forget(self, seconds: float) -> int:
        """Remove what was settled so long ago. Returns how many."""
        gone = 0
        for name in ("done", "refused"):
            for path in (self.root / name).iterdir():
                if path.lstat().st_ctime < time.time() - seconds:
                    path.unlink()
                    gone += 1
        return gone

    def _still(self) -> list[str]:
        """Names in `in/` that are whole as far as anybody can tell."""
        now, seen, still = self.clock(), {}, []
        with os.scandir(self.root / "in") as entries:
            there = {one.name: one.stat(follow_symlinks=False) for one in entries}
        for name, status in there.items():
            if not self.wanted(name) or not _plain(status):
                continue
            if self.sidecar:
                if self.sidecar_of(name) in there:
                    still.append(name)
                continue
            mark = _mark(status)
            before, since = self._seen.get(name, (None, now))
            seen[name] = (mark, since if before == mark else now)
            if before == mark and now - since >= self.settle:
                still.append(name)
        self._seen = seen
        return sorted(still, key=lambda name: (there[name].st_mtime_ns, name))

    def sidecar_of(self, name: str) -> str:
        return name + self.sidecar

    def wanted(self, name: str) -> bool:
        """Whether a file of this name is looked at."""
        if name.startswith(".") or name.lower().endswith(UNFINISHED) or (self.sidecar and name.endswith(self.sidecar)):
            return False
        return fnmatchcase(name, self.pattern)

    def _claim(self, name: str) -> None:
        """By renaming: of two who try, one finds it gone. The name ends here: packages put people in them."""
        with suppress(FileNotFoundError):
            (self.root / "in" / name).rename(
                self.root / "work" / f"{_CLAIM}{time.time_ns():020d}-{os.urandom(4).hex()}"
            )
        if self.sidecar:
            (self.root / "in" / self.sidecar_of(name)).unlink(missing_ok=True)

    def _adopt(self, claim: Path) -> None:
        """A copy that nobody holds open takes its place; one that still changes is looked at again the next time."""
        try:
            source = os.open(claim, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:  # it became a link since, or may not be read
            claim.replace(self.root / "refused" / claim.name)
            return
        with os.fdopen(source, "rb") as stream:
            before = os.fstat(source)
            if not _plain(before) or before.st_size > self.largest:
                claim.replace(self.root / "refused" / claim.name)
                return
            landing = Landing(self.root / "work")
            while piece := stream.read(_PIECE):
                landing.write(piece)
            if _mark(os.fstat(source)) != _mark(before):
                landing.leave()
                return
        landing.keep(before.st_mtime_ns)
        claim.unlink()

    def _names(self, folder: str, starts: str = "") -> list[str]:
        with os.scandir(self.root / folder) as entries:
            return [one.name for one in entries if one.name.startswith(starts) and one.is_file(follow_symlinks=False)]


def _plain(status: os.stat_result) -> bool:
    """A regular file with one name: another name could stand for somebody else's file."""
    return stat.S_ISREG(status.st_mode) and status.st_nlink == 1


def _mark(status: os.stat_result) -> _Mark:
    return status.st_ino, status.st_size, status.st_mtime_ns
