"""Where a verification left off, so that the next one need not begin at the first entry. Trusted: keep them yourself."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audit.tree.merkle import CompactRange
from audit.tree.tiles import WIDTH

if TYPE_CHECKING:
    from audit.verify.onelog import OneLog


@dataclass(frozen=True, slots=True)
class Mark:
    """What must be remembered of one log that was right so far."""

    size: int  # entries verified: full tiles only
    nodes: tuple[bytes, ...]  # compact range over the roots of these tiles
    newest: int  # ts of the last of them, µs
    open: tuple[tuple[int, str], ...]  # intents without outcome: (index, trace id)

    @classmethod
    def of(cls, log: OneLog) -> Mark:
        """The mark after a check, at its last full tile that is signed for."""
        size = log.base.size * WIDTH
        last = log.store.scan(log.origin, size - 1, size) if size else []
        return cls(size, tuple(log.base.nodes), last[0][1] if last else 0, tuple(sorted(log.rows.open.items())))

    def root(self) -> bytes:
        """The root that the log had at this size: full tiles are complete subtrees."""
        return CompactRange(self.size // WIDTH, self.nodes).root()

    def to_json(self) -> dict[str, Any]:
        """As it is kept in a file."""
        nodes = [b64encode(node).decode() for node in self.nodes]
        return {"size": self.size, "nodes": nodes, "newest": self.newest, "open": [list(one) for one in self.open]}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Mark:
        """What `to_json` wrote. Raises KeyError or ValueError for anything else.

        >>> mark = Mark(256, (bytes(32),), 1, ((3, "ab"),))
        >>> Mark.from_json(mark.to_json()) == mark
        True
        """
        nodes = tuple(b64decode(node) for node in value["nodes"])
        return cls(int(value["size"]), nodes, int(value["newest"]), tuple((int(a), str(b)) for a, b in value["open"]))
