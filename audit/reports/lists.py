"""Lists of rows that rest on the reports' own tables, and how a list becomes a page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from audit.reports.finding import CHUNK, Found, found
from audit.reports.rows import Only, Page, Place, Row, cursor_of, fits
from audit.reports.tables import Tables
from audit.reports.tally import BLOCK, trace_number
from audit.seal import month_of

MOST = 2_000  # rows one page looks at, whatever the filters
_AHEAD = 5_000  # entries after an intent among which its outcome is looked for
_ENTRY = "h.name, e.kind, e.ref, e.body FROM "
_JOIN = " CROSS JOIN shard h CROSS JOIN entry e WHERE h.no = n.shard AND e.shard = n.shard AND e.idx = n.idx AND "
_TOPIC = (
    "SELECT n.ts, n.shard, n.idx, 0, 0, " + _ENTRY + "report_notable n" + _JOIN + "n.topic = ?"
    " AND n.ts >= ? AND n.ts <= ? AND (n.ts, n.shard, n.idx) < (?, ?, ?)"
)
_TOPIC_ORDER = " ORDER BY n.ts DESC, n.shard DESC, n.idx DESC LIMIT ?"
_TRACE = (
    "SELECT e.ts, n.shard, n.idx, 0, 0, " + _ENTRY + "report_trace n" + _JOIN + "n.trace = ? ORDER BY n.shard, n.idx"
)
_BLOCKS = (
    "SELECT shard, block FROM report_block WHERE ver = ? AND since < ? AND until >= ? AND (shard, block) <= (?, ?)"
    " ORDER BY shard DESC, block DESC LIMIT ?"
)
_BLOCK = (
    "SELECT e.ts, e.shard, e.idx, 0, 0, " + _ENTRY + "shard h CROSS JOIN entry e WHERE h.no = ? AND e.shard = h.no"
    " AND e.idx >= ? AND e.idx < ? ORDER BY e.idx DESC"
)
_CLOSING = "SELECT kind, idx FROM entry WHERE shard = ? AND idx > ? AND idx <= ? AND ref = ? LIMIT 1"
_UNKNOWN = "SELECT idx FROM report_notable WHERE shard = ? AND ref = ? AND topic = 'unknown' LIMIT 1"
_ONE = (
    "SELECT e.ts, e.shard, e.idx, 0, 0, "
    + _ENTRY
    + "shard h CROSS JOIN entry e WHERE h.name = ? AND e.shard = h.no AND e.idx = ? AND e.kind <> 'checkpoint'"
)
_RESTRICTED = "SELECT max(vis) FROM side WHERE shard = ? AND idx = ? AND month = ?"
_TAGGED = "SELECT part, vis FROM side WHERE shard = ? AND idx = ? AND month = ? AND tag = ?"


def page_of(rows: Iterator[Found], only: Only, limit: int, *, whole_exchanges: bool = False) -> Page:
    """Take rows that pass the filters until the page is full, or until `MOST` rows were looked at.

    With `whole_exchanges` a full page still takes what follows of its last exchange, so that the questions of one
    composition stand together.
    """
    taken: list[Row] = []
    last: Place | None = None
    for place, row in islice(rows, MOST):
        if len(taken) >= limit and not (
            whole_exchanges and row.trace_id == taken[-1].trace_id and len(taken) < 2 * limit
        ):
            return Page(taken, last and cursor_of(last))
        if fits(row, only):
            taken.append(row)
        last = place
    more = next(rows, None) is not None
    return Page(taken, cursor_of(last) if more and last else None, None if more else len(taken))


class Lists:
    """Rows by topic, by exchange and by policy version."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def topic(self, topic: str, since: int, after: Place, org: str | None, reason: str | None) -> Iterator[Found]:
        """Notable entries of one topic before a place, newest first."""
        query, narrow = _TOPIC, [value for value in (org, reason) if value is not None]
        query += " AND n.org = ?" if org is not None else ""
        query += " AND n.reason = ?" if reason is not None else ""
        while True:
            values = (topic, since, after.ts, *after[:3], *narrow, CHUNK)
            chunk = self._tables.rows(query + _TOPIC_ORDER, *values)
            yield from self.marked(map(found, chunk))
            if len(chunk) < CHUNK:
                return
            after = Place(*chunk[-1][:4])

    def exchange(
        self, trace_id: str, open_intents: Iterable[tuple[str, int]], tags: Sequence[bytes] | None
    ) -> Iterator[Row]:
        """Every entry of an exchange in order of writing; with tags, only those that carry one of them.

        `open_intents`: (shard, index) of intents that nothing has ended yet. An `unknown` entry carries nobody; it is
        theirs whose intent it settles.
        """
        ended = [found(row) for row in self._tables.rows(_TRACE, trace_number(trace_id))]
        begun = {(row.shard, row.ref) for _, row in ended if row.ref is not None} | set(open_intents)
        both = [*ended, *(found(row) for place in begun for row in self._tables.rows(_ONE, *place))]
        theirs: set[tuple[str, int]] = set()
        for place, row in sorted(both, key=lambda one: one[0][1:3]):
            if row.trace_id != trace_id:
                continue
            carried = self._carried(place, row, tags)
            if carried is not None:
                theirs.add((row.shard, row.index))
                yield carried
            elif row.kind == "unknown" and row.ref is not None and (row.shard, row.ref) in theirs:
                yield row

    def one(self, shard: str, index: int, tags: Sequence[bytes] | None) -> Row | None:
        """One entry; with tags, only when it carries one of them."""
        for place, row in map(found, self._tables.rows(_ONE, shard, index)):
            return self._carried(place, row, tags)
        return None

    def marked(self, rows: Iterator[Found]) -> Iterator[Found]:
        """The same rows, saying which of them are kept from somebody: whoever reads them must not tell."""
        for place, row in rows:
            yield place, self._carried(place, row, None) or row

    def _carried(self, place: Place, row: Row, tags: Sequence[bytes] | None) -> Row | None:
        """The row as the part that carries a tag; None when none does. Without tags: as it stands for any of its parts."""
        month = month_of(place.ts)
        if tags is None:
            [(vis,)] = self._tables.rows(_RESTRICTED, place.shard, place.idx, month)
            return replace(row, vis=vis or 0)
        side = [hit for tag in tags for hit in self._tables.rows(_TAGGED, place.shard, place.idx, month, tag)]
        return replace(row, part=side[0][0], vis=side[0][1]) if side else None

    def under_policy(self, version: str, since: int, until: int, after: Place) -> Iterator[Found]:
        """Entries in which a policy version was applied: backwards through the blocks that hold some."""
        at, told = (after.shard, min(after.idx, 2**62) // BLOCK), after
        while True:
            blocks = self._tables.rows(_BLOCKS, version, until, since, *at, 16)
            for shard, block in blocks:
                for place, row in map(found, self._tables.rows(_BLOCK, shard, block * BLOCK, (block + 1) * BLOCK)):
                    if (
                        (place.shard, place.idx) < told[1:3]
                        and since <= place.ts < until
                        and row.policy.get("ver") == version
                    ):
                        yield place, row
            if len(blocks) < 16:
                return
            shard, block = blocks[-1]
            at = (shard, block - 1)

    def ended(self, rows: Iterator[Found]) -> Iterator[Found]:
        """The same rows without intents whose outcome is told elsewhere; settled ones become `unknown`."""
        closed: set[tuple[int, int]] = set()
        for place, row in rows:
            if row.ref is not None and row.kind != "close":
                closed.add((place.shard, row.ref))
            if row.kind != "intent":
                yield place, row
            elif (place.shard, place.idx) not in closed:
                ending = self._ending(place)
                if ending is None:
                    yield place, row
                elif ending[0] == "unknown":
                    yield place, replace(row, kind="unknown", reason="OUTCOME_NOT_RECORDED", settled_by=ending[1])
                else:
                    closed.add((place.shard, place.idx))

    def _ending(self, intent: Place) -> tuple[str, int] | None:
        """(kind, index) of the entry that ended an intent: mostly just after it, a settled one minutes later."""
        near = self._tables.rows(_CLOSING, intent.shard, intent.idx, intent.idx + _AHEAD, intent.idx)
        if near:
            return near[0][0], near[0][1]
        late = self._tables.rows(_UNKNOWN, intent.shard, intent.idx)
        return ("unknown", late[0][0]) if late else None
