"""One log from end to end: stored rows against tiles, tiles against what was signed, and the difference by its name.

First a pass over everything, quick, that says whether all is as it must be. Only where it is not, a second look from the
first tile that differs, to say what was done: see alignment.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from audit.canonical import leaf_hash
from audit.errors import CheckpointInvalid, NoteInvalid, ProofInvalid
from audit.log.publication import Publication
from audit.store import Store
from audit.tree.checkpoint import Checkpoint
from audit.tree.merkle import CompactRange, parents
from audit.tree.note import open_note
from audit.tree.tiles import WIDTH, read_tile, tile_path
from audit.tree.trust import Trust
from audit.verify.alignment import Wound, align
from audit.verify.model import Report
from audit.verify.rows import CHUNK, Rows

PROBE = 1_000_000  # entries compared in detail after the first difference


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody said that a log of this size has this root."""

    size: int
    root: bytes
    source: str  # the checkpoint, the memory of what was signed, an anchor …


@dataclass(slots=True)
class OneLog:
    """The check of one log. `claims` come from outside; what is found goes to `report`."""

    origin: str
    store: Store
    publication: Publication
    trust: Trust
    report: Report
    rows: Rows
    claims: list[Claim]
    stored: int = 0  # entries in the store, read after the checkpoint: a living hub is never behind what it signed
    patience: float = 0.0  # seconds to wait for a checkpoint that was signed, and is just being published
    sizes: set[int] = field(default_factory=set)  # more sizes whose roots are wanted
    start: int = 0  # where an earlier verification left off: a multiple of a tile's width …
    base: CompactRange = field(default_factory=CompactRange)  # … and the roots of the full tiles before it
    checkpoint: Checkpoint | None = None
    wounded: set[int] = field(default_factory=set)
    shifted: int | None = None  # from here on stored entries stand at other indices than they were published under
    roots: dict[int, bytes] = field(default_factory=dict)  # of the rebuilt tree, at every claimed size
    bodies: Callable[[int, bytes], None] | None = None  # told every entry (of an anchor)
    _tile_roots: dict[int, bytes] = field(default_factory=dict)  # of full tiles, by number, as rebuilt

    def run(self, progress: Callable[[int], None]) -> None:
        """Check everything; findings at L2 (what was signed) and L6 (what is stored)."""
        self.checkpoint = self._newest_checkpoint()
        self.stored = self.store.size(self.origin)
        if self.checkpoint is not None:
            self.claims.append(Claim(self.checkpoint.size, self.checkpoint.root, "the published checkpoint"))
        size = min(self.checkpoint.size if self.checkpoint else 0, max(self.stored, 0))
        first_bad = self._stream(size, progress)
        published = self.checkpoint.size if self.checkpoint else 0
        if first_bad is None and self.stored < published:
            first_bad = self.stored // WIDTH * WIDTH
        if first_bad is not None:
            self._diagnose(first_bad, published)
        self._judge_claims()
        self._upper_tiles()

    # --- the quick pass

    def _stream(self, published: int, progress: Callable[[int], None]) -> int | None:
        """Rebuild the tree and compare each tile; the first index of a tile that differs, None when none does."""
        asked = {claim.size for claim in self.claims} | self.sizes
        wanted = sorted(size for size in asked if self.start <= size <= self.stored)
        tiles, first_bad = self.base, None
        if wanted and wanted[0] == self.start:
            self.roots[wanted.pop(0)] = tiles_root(tiles, [])
        position = self.start
        for start in range(self.start, self.stored, CHUNK):
            rows = self.store.scan(self.origin, start, min(start + CHUNK, self.stored))
            if self.bodies is not None:
                for row in rows:
                    self.bodies(row[0], row[5])
            leaves = self.rows.take(rows)
            for at in range(0, len(leaves), WIDTH):
                tile = leaves[at : at + WIDTH]
                while wanted and wanted[0] <= position + len(tile):
                    size = wanted.pop(0)
                    self.roots[size] = tiles_root(tiles, tile[: size - position])
                width = min(len(tile), published - position)
                if width > 0 and first_bad is None and not self._tile_is(position // WIDTH, tile[:width], published):
                    first_bad = position
                position += len(tile)
                if len(tile) == WIDTH:
                    root = _root_of_tile(tile)
                    self._tile_roots[position // WIDTH - 1] = root
                    tiles.append(root)
            progress(len(rows))
        self.report.checked["L6"] += position - self.start
        return first_bad

    def _tile_is(self, number: int, leaves: Sequence[bytes], published: int) -> bool:
        try:
            tile = read_tile(self._read, 0, number, min(WIDTH, published - number * WIDTH))
        except (FileNotFoundError, ProofInvalid):
            return False
        return tile[: 32 * len(leaves)] == b"".join(leaves)

    # --- the second look

    def _diagnose(self, first: int, published: int) -> None:
        """Say what differs from index `first` on (a multiple of a tile's width)."""
        said, absent = self._published_leaves(first, min(published, first + PROBE))
        stored = [
            (row[0], leaf_hash(row[5]))
            for at in range(first, min(self.stored, first + PROBE + WIDTH), CHUNK)
            for row in self.store.scan(self.origin, at, min(at + CHUNK, self.stored, first + PROBE + WIDTH))
        ]
        for number in absent:
            path = tile_path(0, number, min(WIDTH, published - number * WIDTH))
            self.report.add(
                "L2", "TILE_MISSING", f"{self.origin}/{path}", "a tile of the size signed for", "none, or cut"
            )
        if absent:
            return
        if self.checkpoint and self.roots.get(self.checkpoint.size) == self.checkpoint.root:
            wounds = align(stored, said, first)
            for number in sorted({wound.place // WIDTH for wound in wounds}):
                path = tile_path(0, number, min(WIDTH, published - number * WIDTH))
                self.report.add("L2", "TILE_ALTERED", f"{self.origin}/{path}", "the hashes of the entries", "others")
            return
        for wound in align(stored, said, first):
            self._report(wound)

    def _report(self, wound: Wound) -> None:
        code, where = wound.code, f"{self.origin} entry {wound.place}"
        if wound.stored is not None:
            self.wounded |= {wound.stored}
            code = self._sharper(code, wound.stored)
        self.wounded |= {wound.place} if wound.also is None else {wound.place, wound.also}
        if wound.shifts:
            self.shifted = min(wound.place, self.shifted if self.shifted is not None else wound.place)
        expected = wound.expected.hex() if wound.expected else "nothing here"
        found = wound.found.hex() if wound.found else f"nothing ({self.stored} entries are stored)"
        self.report.add("L6", code, where, expected, found)

    def _sharper(self, code: str, index: int) -> str:
        """An altered entry whose time goes back was back-dated; one that says `erasure` is a forged one."""
        noted = {note.code for note in self.rows.notes if note.index == index}
        if code == "ENTRY_ALTERED" and "BACKDATED" in noted:
            return "BACKDATED"
        if code in ("ENTRY_ALTERED", "ENTRY_INSERTED") and self._kind(index) == "erasure":
            return "ERASURE_FORGED"
        return code

    def _kind(self, index: int) -> str:
        rows = self.store.scan(self.origin, index, index + 1)
        return str(rows[0][2]) if rows else ""

    def _published_leaves(self, start: int, stop: int) -> tuple[list[bytes], list[int]]:
        leaves: list[bytes] = []
        absent: list[int] = []
        for number in range(start // WIDTH, -(-stop // WIDTH)):
            try:
                published = self.checkpoint.size if self.checkpoint else 0
                tile = read_tile(self._read, 0, number, min(WIDTH, published - number * WIDTH))
            except (FileNotFoundError, ProofInvalid):
                absent.append(number)
                continue
            leaves += [tile[at : at + 32] for at in range(0, len(tile), 32)]
        return leaves, absent

    # --- what was said about it

    def _newest_checkpoint(self) -> Checkpoint | None:
        """The checkpoint; asked for twice when more was signed, since signing is remembered just before publishing."""
        found = self._read_checkpoint()
        size = found.size if found else 0
        if self.patience and size < max((claim.size for claim in self.claims), default=0):
            time.sleep(self.patience)
            return self._read_checkpoint(again=True)
        return found

    def _read_checkpoint(self, *, again: bool = False) -> Checkpoint | None:
        path = f"{self.origin}/checkpoint"
        try:
            note = self.publication.read(path)
        except FileNotFoundError:
            return None
        keys = [key for key in self.trust.logs if key.name == self.origin]
        self.report.checked["L2"] += 0 if again else 1
        known = {finding.where for finding in self.report.findings}
        if again and {self.origin, path} & known:
            return None
        try:
            if not keys:
                self.report.add("L2", "LOG_UNKNOWN", self.origin, "a log that the policy names", "no key for it")
                return Checkpoint.parse(note.decode().partition("\n\n")[0] + "\n")
            checkpoint = Checkpoint.parse(open_note(note, keys).text)
        except (NoteInvalid, CheckpointInvalid, UnicodeDecodeError) as error:
            self.report.add("L2", "CHECKPOINT_INVALID", path, "a checkpoint that this log signed", error)
            return None
        if checkpoint.origin != self.origin:
            self.report.add("L2", "CHECKPOINT_INVALID", path, self.origin, checkpoint.origin)
            return None
        return checkpoint

    def _judge_claims(self) -> None:
        """Every root that was ever said for this log is that of the rebuilt tree, and no size was said to have two."""
        by_size: dict[int, Claim] = {}
        forked = False
        for claim in self.claims:
            other = by_size.setdefault(claim.size, claim)
            if other.root != claim.root:
                self._fork(claim.size, f"{other.source}: {other.root.hex()}", f"{claim.source}: {claim.root.hex()}")
                forked = True
        largest = max(self.claims, key=lambda one: one.size, default=None)
        if self.checkpoint and largest and largest.size > self.checkpoint.size:
            self.report.add(
                "L2", "CHECKPOINT_ROLLED_BACK", f"{self.origin}/checkpoint",
                f"{largest.size} entries, as {largest.source} says", f"{self.checkpoint.size} entries",
            )  # fmt: skip
        if largest and largest.size > self.stored and (self.checkpoint is None or self.checkpoint.size <= self.stored):
            where = f"{self.origin} entry {self.stored}"
            self.report.add("L6", "TAIL_CUT", where, f"{largest.size} entries, as {largest.source} says", self.stored)
        if not self.wounded and not forked:
            self._contradicted(by_size)

    def _contradicted(self, by_size: dict[int, Claim]) -> None:
        """Stored entries equal their tiles, yet not what was signed: a fork under our key, or entries and tiles changed."""
        wrong = [claim for size, claim in sorted(by_size.items()) if self.roots.get(size, claim.root) != claim.root]
        if not wrong:
            return
        last_right = max((size for size in by_size if size < wrong[0].size and size in self.roots), default=0)
        claim = wrong[0]
        signed = self.checkpoint
        if signed is not None and self.roots.get(signed.size) == signed.root:
            self._fork(
                claim.size,
                f"{claim.source}: {claim.root.hex()}",
                f"entries as signed now: {self.roots[claim.size].hex()}",
            )
            return
        where = f"{self.origin} entries {last_right} to {claim.size - 1}"
        self.report.add(
            "L6", "ENTRY_ALTERED", where, f"root {claim.root.hex()} ({claim.source})", self.roots[claim.size].hex()
        )
        self.wounded |= set(range(last_right, min(claim.size, last_right + PROBE)))

    def _fork(self, size: int, expected: str, found: str) -> None:
        self.report.add("L2", "FORKED", f"{self.origin} at {size} entries", expected, found)

    def _upper_tiles(self) -> None:
        """Tiles above level 0 say what the tiles below them hash to."""
        below = self.checkpoint.size if self.checkpoint else 0
        for level in range(1, 8):
            above = below // WIDTH
            if not above:
                return
            for number in range(-(-above // WIDTH)):
                width = min(WIDTH, above - number * WIDTH)
                path = tile_path(level, number, width)
                try:
                    said = read_tile(self._read, level, number, width)
                    right = b"".join(self._hashed_below(level - 1, number * WIDTH, width))
                except (FileNotFoundError, ProofInvalid) as error:
                    self.report.add(
                        "L2", "TILE_MISSING", f"{self.origin}/{path}", "a tile of the size signed for", error
                    )
                    continue
                if said != right:
                    self.report.add(
                        "L2", "TILE_ALTERED", f"{self.origin}/{path}", "the roots of the tiles below", "others"
                    )
            below = above

    def _hashed_below(self, level: int, first: int, count: int) -> Iterator[bytes]:
        for number in range(first, first + count):
            if level == 0 and number in self._tile_roots and not self.wounded:
                yield self._tile_roots[number]
                continue
            tile = read_tile(self._read, level, number, WIDTH)
            yield _root_of_tile([tile[at : at + 32] for at in range(0, len(tile), 32)])

    def _read(self, path: str) -> bytes:
        return self.publication.read(f"{self.origin}/{path}")


def tiles_root(tiles: CompactRange, rest: Sequence[bytes]) -> bytes:
    """The root over full tiles (a range over their roots) and the leaves after them."""
    partial = CompactRange()
    partial.extend(rest)
    return CompactRange(tiles.size * WIDTH + len(rest), (*tiles.nodes, *partial.nodes)).root()


def _root_of_tile(leaves: Sequence[bytes]) -> bytes:
    row = list(leaves)
    while len(row) > 1:
        row = parents(row)
    return row[0]
