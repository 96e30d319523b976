"""What was signed last, remembered apart from the database: a restored backup cannot make us sign another history.

One small file for each log, written and synced before a checkpoint is published. Keep this folder out of the backups
of the database, and never restore it from one: an older answer here would be believed.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, unquote

from audit.errors import RollbackRefused
from audit.log.publication import Publication
from audit.tree.checkpoint import Checkpoint

_END = "_signed"


class SignedState:
    """The newest checkpoint signed for each origin; it only ever grows."""

    def __init__(self, folder: str | Path) -> None:
        self._files = Publication(folder)

    def last(self, origin: str) -> Checkpoint | None:
        """What was signed last for this log; None when nothing ever was. Raises RollbackRefused for a torn file."""
        try:
            text = self._files.read(_name(origin))
        except FileNotFoundError:
            return None
        try:
            checkpoint = Checkpoint.parse(text.decode())
        except ValueError as error:
            raise RollbackRefused(f"{origin}: the file of what was signed last is damaged") from error
        if checkpoint.origin != origin:
            raise RollbackRefused(f"{origin}: the file of what was signed last is another log's")
        return checkpoint

    def advance(self, checkpoint: Checkpoint) -> None:
        """Remember a checkpoint that is about to be published; on disk when this returns.

        Raises RollbackRefused for fewer entries than were signed before, or another root over as many.
        """
        with self._alone():
            last = self.last(checkpoint.origin)
            if last is not None and (checkpoint.size, checkpoint.root) != (last.size, last.root):
                if checkpoint.size < last.size:
                    raise RollbackRefused(
                        f"{checkpoint.origin}: {last.size} entries were signed for, now {checkpoint.size} are shown"
                    )
                if checkpoint.size == last.size:
                    raise RollbackRefused(f"{checkpoint.origin}: another root over the same {last.size} entries")
            self._files.write(_name(checkpoint.origin), checkpoint.text().encode())

    def origins(self) -> list[str]:
        """Every log that was ever signed here, in order of name."""
        names = [path.name for path in self._files.folder.glob(f"*{_END}")]
        return sorted(unquote(name.removesuffix(_END).replace("~", "%")) for name in names)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        descriptor = os.open(self._files.folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _name(origin: str) -> str:
    """A file name without slashes that gives the origin back.

    >>> _name("audit.hub.example/test/anchor")
    'audit.hub.example~2Ftest~2Fanchor_signed'
    """
    return quote(origin, safe="").replace("%", "~") + _END
