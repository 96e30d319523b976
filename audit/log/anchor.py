"""The log over all logs: its leaves are the texts of shard checkpoints. It alone is witnessed and time-stamped.

It lies in the store as one more shard, so one writer holds its lease: any process may be it, the next one takes over when
that one ends. Shard checkpoints are found where they are published, whichever process signed them.
"""

from __future__ import annotations

from collections.abc import Callable

from audit.canonical import leaf_hash
from audit.entry import Part, Prepared
from audit.log.publication import Publication
from audit.log.shard import ShardLog
from audit.log.state import SignedState
from audit.seal import month_of
from audit.store import Store, Writer
from audit.tree.checkpoint import Checkpoint
from audit.tree.note import NoteSigner, split_note

KIND = "checkpoint"  # of the entries in an anchor; their body is the text of a checkpoint, no JSON
RETENTION = "Y10"
_NOTHING = (None, None, None)


class AnchorLog:
    """The anchor, as long as this process holds its lease. Used from one thread.

    Raises ShardTaken when another process does, RollbackRefused as ShardLog.
    """

    def __init__(
        self,
        origin: str,
        store: Store,
        publication: Publication,
        state: SignedState,
        signer: NoteSigner,
        *,
        clock: Callable[[], int],
    ) -> None:
        self.origin = origin
        self._publication, self._store, self._clock = publication, store, clock
        self._done: dict[str, str] = {}  # text of the last checkpoint of each log that is known to be in the anchor
        self._writer: Writer = store.writer(origin, wait=0.0)
        try:
            self.log = ShardLog(origin, store, publication, state, signer)
            self._head = self._writer.size()
        except BaseException:
            self._writer.close()
            raise

    def collect(self) -> int:
        """Append every shard checkpoint that is not in the anchor yet; return how many. Raises StoreFailed."""
        new = {origin: text for origin, text in self._published().items() if not self._is_in(origin, text)}
        if new:
            now = self._clock()
            try:
                self._writer.append([_entry(text, now) for text in new.values()], self._head)
            except Exception:
                self._head = self._writer.reopen()
                raise
            for index, origin in enumerate(new, self._head):
                self._publication.write(f"{origin}/anchored", f"{self.origin} {index}\n".encode())
            self._head += len(new)
            self._done |= new
        return len(new)

    def close(self) -> None:
        """Give the lease back."""
        self._writer.close()

    def _is_in(self, origin: str, text: str) -> bool:
        if self._done.get(origin) != text:
            if anchored(self._publication, self._store, self.origin, text) is None:
                return False
            self._done[origin] = text
        return True

    def _published(self) -> dict[str, str]:
        """Text of the newest checkpoint of every shard of this hub."""
        world = self.origin.rpartition("/")[0] + "/"
        found = {}
        for origin in self._publication.origins():
            if not origin.startswith(world) or is_anchor(origin):
                continue
            try:
                text, _ = split_note(self._publication.read(f"{origin}/checkpoint"))
            except FileNotFoundError:  # a log that has a key and nothing else yet
                continue
            if Checkpoint.parse(text).origin == origin:
                found[origin] = text
        return found


def is_anchor(origin: str) -> bool:
    """Whether a log is an anchor, by its name.

    >>> is_anchor("audit.hub.example/test/anchor-2"), is_anchor("audit.hub.example/test/hub-1/2026")
    (True, False)
    """
    last = origin.rpartition("/")[2]
    return last == "anchor" or last.startswith("anchor-")


def anchored(publication: Publication, store: Store, anchor: str, text: str) -> int | None:
    """Index in the anchor of a shard checkpoint, as noted when it was anchored; believed only when it stands there."""
    origin = text.partition("\n")[0]
    try:
        name, _, index = publication.read(f"{origin}/anchored").decode().strip().rpartition(" ")
    except FileNotFoundError:
        return None
    if name != anchor:
        return None
    for stored in store.read(anchor, int(index), int(index) + 1):
        return int(index) if stored.body == text.encode() else None
    return None


def find(store: Store, anchor: str, text: str) -> int | None:
    """Index in the anchor of any shard checkpoint, an old one too: from the newest back."""
    body, stop = text.encode(), store.size(anchor)
    while stop > 0:
        start = max(0, stop - 1000)
        for stored in store.read(anchor, start, stop):
            if stored.body == body:
                return stored.index
        stop = start
    return None


def _entry(text: str, ts: int) -> Prepared:
    body = text.encode()
    return Prepared(
        kind=KIND, ts=ts, month=month_of(ts), ref=None, leaf=leaf_hash(body), body=body, org=None, activity=None,
        op=None, agent_tag=None, ret=RETENTION, parts=(Part(0, None, _NOTHING, _NOTHING),),
    )  # fmt: skip
