"""The questions themselves. Pure reading: who may ask, and that asking is recorded, is the business of whoever calls.

    reports = Reports(store, keyring)
    page = reports.about(Subject("nrn", "85610100147"), since, until, org="0207446759")
    page = reports.about(Subject("nrn", "85610100147"), since, until, cursor=page.next)

Times are µs since 1970; since ≤ ts < until. Lists are newest first and go on by cursor, never by number: what is added
meanwhile moves nothing. A page looks at a bounded number of rows, so it may come back short, and still have a next one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from typing import Unpack

from audit.draft import Subject
from audit.keeping.holds import holds
from audit.keys import KeyRing
from audit.recovery import OLDER_THAN
from audit.reports.finding import OFTEN, Finder, found
from audit.reports.lists import Lists, page_of
from audit.reports.opening import Details, details_of
from audit.reports.rows import Listing, Only, Page, Place, Row, Tally, fits, place_of
from audit.reports.tables import Tables, open_tables
from audit.reports.tally import SCHEMA, Follower, day_of
from audit.reports.use import FieldUse, Granted, field_use
from audit.seal import SUBJECT, Sealer, month_of
from audit.store import Store

FRESH = 1_000  # entries counted at once before a report that rests on the counts
_DENIED = (
    "SELECT {day}, reason, org, app, name, sum(n) FROM report_day WHERE topic = 'denied' AND day >= ? AND day <= ?"
)


@dataclass(frozen=True, slots=True)
class Health:
    """How the ledger stands, as far as the store knows; publishing and witnesses tell their own."""

    shards: tuple[tuple[str, int], ...]  # name, number of entries
    newest: int | None  # ts of the newest entry, µs
    dangling: int  # intents that should have ended by now
    oldest_dangling: int | None  # ts
    behind: int  # entries the reports have not counted yet
    months: tuple[int, ...]  # yyyymm of which values are still kept


@dataclass(frozen=True, slots=True)
class Retained:
    """One month of one retention class."""

    retention: str
    month: int  # yyyymm
    due: int | None  # yyyymm, the last month in which its values may be kept; None when the class names no term
    held: bool  # somebody ordered to keep it longer
    overdue: bool  # should have been forgotten by now


def due_month(retention: str, month: int) -> int | None:
    """The last month in which values of a class may be kept.

    >>> due_month("Y10", 202611), due_month("M6", 202611), due_month("KEEP", 202611)
    (203611, 202705, None)
    """
    unit, number = retention[:1], retention[1:]
    if unit not in "YM" or not number.isdigit():
        return None
    months = month // 100 * 12 + month % 100 - 1 + int(number) * (12 if unit == "Y" else 1)
    return months // 12 * 100 + months % 12 + 1


def _now() -> int:
    return time.time_ns() // 1000


class Reports:
    """Answers over one store. Safe for several threads; blocks, so call it from one that may wait."""

    def __init__(
        self,
        store: Store,
        keyring: KeyRing,
        clock: Callable[[], int] = _now,
        *,
        late_refusals: Collection[str] = (),
        tables: Tables | None = None,
    ) -> None:
        self._store = store
        self._keyring = keyring
        self._clock = clock
        self._tables = tables or open_tables(store, SCHEMA, OFTEN)
        self._finder = Finder(store, self._tables, Sealer(keyring))
        self._lists = Lists(self._tables)
        self.follower = Follower(self._tables, late_refusals)

    def close(self) -> None:
        """Close the reports' own connections; the store stays open."""
        self._tables.close()

    # --- about somebody -----------------------------------------------------------------------------------------------

    def about(
        self,
        subject: Subject,
        since: int,
        until: int,
        *,
        cursor: str | None = None,
        limit: int = 50,
        shown: bool = False,
        keep: Callable[[Row], bool] | None = None,
        **only: Unpack[Only],
    ) -> Page:
        """What happened with one person's data. An intent shows only while nobody knows how it ended.

        `shown`: without what is kept from the subject for now; `keep`: only rows of which it says yes. Ask so when the
        subject is who reads it: what is left out leaves no hole in a page.
        """
        after = place_of(cursor) if cursor else None
        found_rows = self._finder.about(subject, since, until, org=only.get("org"), after=after, shown=shown)
        ended = self._lists.ended(found_rows)
        kept = ended if keep is None else (one for one in ended if keep(one[1]))
        return page_of(kept, only, limit, whole_exchanges=True)

    def by_agent(
        self, agent: str, since: int, until: int, *, cursor: str | None = None, limit: int = 50, **only: Unpack[Only]
    ) -> Page:
        """Everything one agent did. Raises KeyMissing without the agents' index keys, which are kept apart."""
        after = place_of(cursor) if cursor else None
        found_rows = self._finder.by_agent(agent, since, until, org=only.get("org"), after=after)
        return page_of(self._lists.ended(found_rows), only, limit, whole_exchanges=True)

    def exchange(self, trace_id: str, *, about: Subject | None = None, **only: Unpack[Only]) -> Page:
        """Every entry of one exchange in order of writing; with `about`, only those that carry this subject."""
        behind = self.follower.follow(FRESH)
        tags = None if about is None else self._finder.tags(about)
        hanging = [
            (shard, stored.index)
            for shard in self._store.shards()
            for stored in self._store.dangling(shard, self._clock() + 1)
            if trace_id.encode() in stored.body
        ]
        mine = [row for row in self._lists.exchange(trace_id, hanging, tags) if fits(row, only)]
        return Page(mine, None, len(mine), behind)

    def row(self, shard: str, index: int, *, about: Subject | None = None) -> Row | None:
        """One entry as a row; with `about`, None unless it carries this subject."""
        tags = None if about is None else self._finder.tags(about)
        return self._lists.one(shard, index, tags)

    def row_by_tags(self, shard: str, index: int, tags: Collection[bytes]) -> Row | None:
        """One entry as a row of whoever bears one of these blind tags; None unless it carries one."""
        return self._lists.one(shard, index, list(tags))

    def details(self, row: Row, audiences: Collection[str] = (SUBJECT,)) -> Details:
        """Open a row for some audiences (`subject`, `agent`)."""
        return details_of(self._store, self._keyring, row, audiences)

    # --- what went wrong ----------------------------------------------------------------------------------------------

    def dangling(
        self, since: int, until: int, *, cursor: str | None = None, limit: int = 50, **only: Unpack[Only]
    ) -> Page:
        """Intents that should have ended by now, and of which nothing is known."""
        after = place_of(cursor) if cursor else Place(until, 0, 0, 0)
        before = min(until, self._clock() - OLDER_THAN.seconds * 1_000_000)
        rows = []
        for number, shard in enumerate(self._store.shards()):
            for stored in self._store.dangling(shard, before):
                place = Place(stored.ts, number, stored.index, 0)
                if stored.ts >= since and place < after:
                    rows.append(found((*place, 0, shard, stored.kind, stored.ref, stored.body)))
        return page_of(iter(sorted(rows, key=lambda one: one[0], reverse=True)), only, limit)

    def unknown(self, since: int, until: int, **how: Unpack[Listing]) -> Page:
        """Exchanges of which the outcome was never recorded: the source has to be asked what it did."""
        return self._topic("unknown", since, until, **how)

    def failed(self, since: int, until: int, **how: Unpack[Listing]) -> Page:
        """Exchanges that ended in an error of a source or of the hub."""
        return self._topic("failed", since, until, **how)

    def denied(self, since: int, until: int, *, reason: str | None = None, **how: Unpack[Listing]) -> Page:
        """Refused attempts, by reason if given."""
        return self._topic("denied", since, until, reason, **how)

    def denied_by_reason(
        self, since: int, until: int, *, by_day: bool = False, org: str | None = None, app: str | None = None
    ) -> list[Tally]:
        """Refusals counted by reason, organisation, application and service; also by day where asked. Whole days."""
        self.follower.follow(FRESH)
        query, values = _DENIED.format(day="day" if by_day else "0"), [day_of(since), day_of(until - 1)]
        for column, value in (("org", org), ("app", app)):
            if value is not None:
                query, values = f"{query} AND {column} = ?", [*values, value]  # type: ignore[list-item]
        group = " GROUP BY " + ("day, " if by_day else "") + "reason, org, app, name ORDER BY 6 DESC, 1, 2, 3, 4, 5"
        rows = self._tables.rows(query + group, *values)
        return [Tally(reason, of, by, name, int(n), day or None) for day, reason, of, by, name, n in rows]

    def reads(self, since: int, until: int, **how: Unpack[Listing]) -> Page:
        """Who looked at the ledger itself."""
        return self._topic("audit.read", since, until, **how)

    def erasures(self, since: int, until: int, **how: Unpack[Listing]) -> Page:
        """What was forgotten, and why."""
        return self._topic("erasure", since, until, **how)

    # --- use against authorisation --------------------------------------------------------------------------------------

    def unused_fields(
        self, granted: Iterable[Granted], since: int, until: int, *, org: str | None = None
    ) -> list[FieldUse]:
        """Granted fields that were given in no exchange of the period, those of busy services first."""
        used = self.field_use(granted, since, until, org=org)
        return sorted((one for one in used if not one.delivered), key=lambda one: (-one.answered, one.authorisation))

    def field_use(
        self, granted: Iterable[Granted], since: int, until: int, *, org: str | None = None
    ) -> list[FieldUse]:
        """How often each granted field was given."""
        self.follower.follow(FRESH)
        return field_use(self._tables, granted, day_of(since), day_of(until - 1), org)

    def under_policy(
        self, version: str, since: int, until: int, *, cursor: str | None = None, limit: int = 50, **only: Unpack[Only]
    ) -> Page:
        """What ended, or was refused, under one exact text of an authorisation (`sha256:…`), newest first in each shard."""
        behind = self.follower.follow(FRESH)
        after = place_of(cursor) if cursor else Place(until, 2**31 - 1, 2**62, 0)
        page = page_of(self._lists.marked(self._lists.under_policy(version, since, until, after)), only, limit)
        return replace(page, behind=behind)

    def affected_subjects(
        self, version: str, since: int, until: int, *, cursor: str | None = None, limit: int = 50, **only: Unpack[Only]
    ) -> tuple[dict[Subject, list[Row]], str | None]:
        """Whose data were given under one text of an authorisation: one page's worth, with their rows, and the cursor.

        The same person may come back on a later page: whoever collects the whole list adds them up.
        """
        page = self.under_policy(version, since, until, cursor=cursor, limit=limit, **(only | {"kind": "outcome"}))
        people: dict[Subject, list[Row]] = {}
        for row in page.rows:
            if row.status == "Ok" and row.categories:
                for subject in self.details(row).subjects:
                    people.setdefault(Subject(subject.type, subject.id), []).append(row)
        return people, page.next

    def retention(self) -> list[Retained]:
        """Which months of which class still have values, and until when they may; oldest first."""
        today, standing = month_of(self._clock()), holds(self._store)
        found_months = []
        for ret, month in self._store.kept():
            due, held = due_month(ret, month), any(one.covers(ret, month) for one in standing)
            found_months.append(Retained(ret, month, due, held, due is not None and due < today and not held))
        return found_months

    def _topic(self, topic: str, since: int, until: int, reason: str | None = None, **how: Unpack[Listing]) -> Page:
        behind = self.follower.follow(FRESH)
        cursor, limit = how.pop("cursor", None), how.pop("limit", 50)
        after = place_of(cursor) if cursor else Place(until, 0, 0, 0)
        rows = self._lists.topic(topic, since, after, how.get("org"), reason)
        return replace(page_of(rows, how, limit), behind=behind)

    def health(self) -> Health:
        """How the ledger stands."""
        shards = [(shard, self._store.size(shard)) for shard in self._store.shards()]
        last = [self._store.read(shard, size - 1, size) for shard, size in shards if size]
        newest = [stored.ts for one in last for stored in one]
        before = self._clock() - OLDER_THAN.seconds * 1_000_000
        dangling = [stored.ts for shard, _ in shards for stored in self._store.dangling(shard, before)]
        return Health(
            tuple(shards), max(newest, default=None), len(dangling), min(dangling, default=None),
            self.follower.behind(), tuple(self._store.months()),
        )  # fmt: skip
