"""What the hub exports: the library's forms, filled from the hub's own words, no further than a right reaches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from audit import KeyRing, Store, Subject
from audit.exports import Processing, View, Walk, csvtext, fsc, ldv, ocsf, processing_at, usage
from audit.exports.walk import ENDINGS
from audit.reports import Reports, Row
from audit.reports.tables import Tables, open_tables
from audit.seal import SUBJECT
from integrator.consoles.book import Book
from integrator.consoles.rights import Right
from integrator.errors import Issue, MalformedRequest

FORMS = {"ldv": "application/x-ndjson", "csv": "text/csv; charset=utf-8", "ocsf": "application/x-ndjson"}
MOST = 1_000  # processings in one answer that names people
_LOOKED = 20_000  # processings one page of a peer's log looks at
Seen = Callable[[Row], bool]


@dataclass(frozen=True, slots=True)
class Part:
    """Some lines of an export, and where the next part begins (None = that was all)."""

    lines: Iterator[bytes]
    next: str | None = None


class Exporter:
    """Reads one ledger. `hub` is our peer id, `words(language)` say codes to people, `version` is of this program."""

    def __init__(
        self,
        store: Store,
        keyring: KeyRing,
        reports: Reports,
        hub: str,
        words: Callable[[str], usage.Words],
        version: str,
    ) -> None:
        self._store, self._keyring, self._reports = store, keyring, reports
        self._hub, self._words, self._version = hub, words, version
        self._tables: Tables = open_tables(store, ())

    def close(self) -> None:
        self._tables.close()

    def export(self, right: Right, form: str, asked: Mapping[str, Any]) -> tuple[Part, Sequence[Subject]]:
        """A period. Whole and as a stream where it names nobody; a part at a time, and who is named, where it does."""
        names, limit = bool(asked.get("names")), asked.get("limit")
        if names and form == "ocsf":
            raise MalformedRequest(Issue("rejectedInput", "body", "/names", "a SIEM gets blind tags, never people"))
        walk = Walk(
            self._tables, asked.get("since", 0), asked.get("until", 2**52),
            cursor=asked.get("cursor"), org=right.org, restricted=names and right.scope == "all",
        )  # fmt: skip
        view = View(self._store, self._keyring, (SUBJECT,) if names else ())
        if not names and limit is None:
            return Part(self._lines(form, walk, view, asked)), ()
        taken = list(islice(walk, limit or MOST))
        lines = list(self._lines(form, taken, view, asked))
        named = [one for processing in taken for one in view.see(processing).subjects] if names else []
        return Part(iter(lines), walk.cursor if len(taken) == (limit or MOST) else None), _people(named)

    def _lines(self, form: str, processings: Any, view: View, asked: Mapping[str, Any]) -> Iterator[bytes]:
        if form == "csv":
            how = {name: asked[name] for name in ("language", "bom", "delimiter") if name in asked}
            return csvtext.lines(processings, view, header=not asked.get("cursor"), **how)
        if form == "ocsf":
            return ocsf.lines(
                processings, {"name": "service integrator", "vendor_name": "hub", "version": self._version}
            )
        spans = ldv.lines(processings, view, {"service.name": "service-integrator", "service.version": self._version})
        return (line + b"\n" for line in spans)

    def activities(
        self, right: Right, seen: Seen, asked: Mapping[str, Any]
    ) -> tuple[list[dict[str, Any]], Sequence[Subject]]:
        """Items of LDV's read API about one person or one exchange. Raises `MalformedRequest` when there are too many:
        the API has no pages, and a list that was cut would look complete."""
        since, until = asked.get("since", 0), asked.get("until", 2**52)
        view = View(self._store, self._keyring, (SUBJECT,), only=right.subject)
        found = [one for row in self._rows(right, since, until, asked) if seen(row) if (one := self._ended(row))]
        activity = asked.get("activity")
        items = [
            item
            for one in found
            if since <= one.ts < until and activity in (None, one.entry.get("dpl.core.processing_activity_id"))
            for item in ldv.activities([one], view)
        ]
        return items, _people([subject for one in found for subject in view.see(one).subjects])

    def _rows(self, right: Right, since: int, until: int, asked: Mapping[str, Any]) -> list[Row]:
        only: dict[str, Any] = {"org": right.org} if right.org else {}
        if "trace_id" in asked:
            page = self._reports.exchange(asked["trace_id"], about=right.subject, **only)
        elif right.subject is not None:
            page = self._reports.about(right.subject, since, until, limit=MOST, shown=right.scope == "own", **only)
        else:
            raise MalformedRequest(
                Issue("requiredInput", "body", "/traceId", "name an exchange, or a person in attributes")
            )
        if page.next is not None:
            advice = f"more than {MOST} processings: ask for a shorter period"
            raise MalformedRequest(Issue("rejectedInput", "body", "/startTime", advice))
        return page.rows

    def _ended(self, row: Row) -> Processing | None:
        index = row.index if row.settled_by is None else row.settled_by
        if row.kind not in ENDINGS:
            return None
        return processing_at(self._tables, row.shard, index)

    def usage(
        self, right: Right, seen: Seen, asked: Mapping[str, Any], now: int, language: str
    ) -> tuple[dict[str, Any], Sequence[Subject]]:
        """The answer of findUsage."""
        if right.subject is None:
            raise MalformedRequest(Issue("requiredInput", "body", "/userCode", "say whom you ask about"))
        how = {name: asked[name] for name in ("offset", "limit", "cursor") if name in asked}
        until = min(asked.get("until", now), now)
        answer = usage.find(
            self._reports, right.subject, asked.get("since", 0), until, self._words(language), seen=seen, **how
        )
        return answer, [right.subject]

    def period(self) -> dict[str, str]:
        return usage.period(self._store.months())

    def logs(self, right: Right, asked: Mapping[str, Any]) -> tuple[dict[str, Any], Sequence[Subject]]:
        """A page of a peer's transaction log; a page may be short and still have a next one."""
        assert right.org is not None  # noqa: S101 (the right is an organisation's own)
        if "transaction_ids" in asked:
            rows = [row for trace in asked["transaction_ids"] for row in self._reports.exchange(trace).rows]
            processings = [ended for row in rows if (ended := self._ended(row)) and not ended.restricted]
            records = [one for one in fsc.records(processings, right.org, self._hub) if one]
            return {"records": records, "pagination": {"next_cursor": ""}}, ()
        walk = Walk(
            self._tables, (asked.get("after") or 0) * 1_000_000, cursor=asked.get("cursor"),
            kinds=("outcome", "denied", "unknown"), newest_first=asked.get("newest_first", True),
        )  # fmt: skip
        how = {name: asked[name] for name in ("after", "before", "grant_hashes", "service_names") if name in asked}
        limit, whole = asked.get("limit", 25), True
        found: list[dict[str, Any]] = []
        for one in fsc.records(walk, right.org, self._hub, **how):
            found += [one] if one else []
            if len(found) == limit or walk.looked >= _LOOKED:
                whole = False
                break
        return {"records": found, "pagination": {"next_cursor": "" if whole else walk.cursor}}, ()


def words_of(book: Book) -> Callable[[str], usage.Words]:
    """Codes in people's words: why = the title of the consumer's purpose, never what the source calls it."""

    def words(language: str) -> usage.Words:
        def action(row: Row) -> str:
            aim = book.aims.get(row.activity or "")
            return aim.title.in_(language) if aim else row.name

        return usage.Words(action, lambda org: book.organisation(org, language))

    return words


def _people(named: Sequence[Subject]) -> list[Subject]:
    """Those who are named; a tag is nobody."""
    return list(dict.fromkeys(Subject(one.type, one.id) for one in named if one.type != "blind-tag"))
