"""What Estonia's data tracker (Andmejälgija, e-gov/AJ, OpenAPI 2.0.0) asks of a register: findUsage, usagePeriod, heartbeat.

Rows are newest first. Its `offset` would skip rows while a list grows (it did there): the list is therefore read as it
stood at `periodEnd`, which every answer names, and every answer also carries a cursor for the next page.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from audit.draft import Subject
from audit.reports import CursorInvalid, Page, Reports, Row

LIMIT = 1_000  # rows in one answer when nothing else is asked
MOST = 10_000
_COUNTED = 10_000  # rows counted for `totalUsages`; nobody's list is longer than a reader can use
_PAGE = 500
# What used somebody's data, or may have: refused attempts gave nothing.
USED = frozenset(("outcome", "unknown", "audit.read"))


@dataclass(frozen=True, slots=True)
class Words:
    """How codes are said to people, in their language."""

    action: Callable[[Row], str]  # why: the title of the consumer's registered activity
    organisation: Callable[[str], str | None]  # name of an enterprise number


def find(
    reports: Reports,
    subject: Subject,
    since: int,
    until: int,
    words: Words,
    *,
    offset: int = 0,
    limit: int = LIMIT,
    cursor: str | None = None,
    seen: Callable[[Row], bool] = lambda row: True,
) -> dict[str, Any]:
    """The answer of findUsage about one person, without what is kept from them for now and what `seen` says no to.

    Raises CursorInvalid; KeyMissing when a year cannot be searched: not reachable is not the same as nothing.
    """

    def pages(until: int, at: str | None) -> Page:
        return reports.about(
            subject, since, until, cursor=at, limit=_PAGE, shown=True, keep=lambda row: _used(row) and seen(row)
        )

    until, at, skip = _begin(cursor) if cursor else (until, None, offset)
    rows: list[Row] = []
    more = True
    while more and len(rows) < limit:
        page = pages(until, at)
        taken = page.rows[skip : skip + limit - len(rows)]
        rows += taken
        if skip + len(taken) < len(page.rows):
            skip += len(taken)
        else:
            at, skip, more = page.next, max(0, skip - len(page.rows)), page.next is not None
    answer: dict[str, Any] = {
        "totalUsages": _total(lambda at: pages(until, at)),
        "usages": [_usage(row, words) for row in rows],
        "periodEnd": _time(until),
    }
    return answer | ({"nextCursor": _end(until, at, skip)} if more else {})


def period(months: list[int]) -> dict[str, str]:
    """The answer of usagePeriod: from when rows are kept; until now, so there is no end. `months`: Store.months()."""
    if not months:
        return {"periodStart": _time(int(datetime.now(UTC).timestamp() * 1_000_000))}
    return {"periodStart": f"{months[0] // 100:04d}-{months[0] % 100:02d}-01T00:00:00Z"}


def heartbeat(healthy: bool) -> dict[str, str]:
    """The answer of heartbeat.

    >>> heartbeat(True)["status"], heartbeat(False)["status"]
    ('OK', 'FAIL')
    """
    if healthy:
        return {"status": "OK", "message": "The ledger can be read."}
    return {
        "status": "FAIL",
        "message": "The ledger cannot be read now. Show that it is out of reach, not an empty list.",
    }


def _end(until: int, at: str | None, skip: int) -> str:
    """A page of the list may end within a page of the reports: the cursor says where that began, and how far we were."""
    text = json.dumps([until, at or "", skip], separators=(",", ":"))
    return urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def _begin(cursor: str) -> tuple[int, str | None, int]:
    """The inverse of `_end`. Raises CursorInvalid."""
    try:
        until, at, skip = json.loads(urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
    except (ValueError, TypeError, UnicodeEncodeError) as error:
        raise CursorInvalid("the cursor is not one of ours; start from the first page") from error
    if type(until) is not int or type(at) is not str or type(skip) is not int or not 0 <= skip < MOST:
        raise CursorInvalid("the cursor is not one of ours; start from the first page")
    return until, at or None, skip


def _used(row: Row) -> bool:
    return row.kind in USED and row.status != "Error" and not (row.kind == "audit.read" and row.initiator == "self")


def _total(pages: Callable[[str | None], Page]) -> int:
    total = 0
    cursor: str | None = None
    while total < _COUNTED:
        page = pages(cursor)
        total, cursor = total + len(page.rows), page.next
        if cursor is None:
            break
    return total


def _usage(row: Row, words: Words) -> Mapping[str, str]:
    name = words.organisation(row.org) if row.org else None
    usage = {
        "logtime": _time(row.ts),
        "action": words.action(row),
        "receiverCode": row.org or "",
        "receiverSystem": row.app or "",
    }
    return usage | ({"receiverName": name} if name else {})


def _time(ts: int) -> str:
    """µs since 1970 as RFC 3339.

    >>> _time(1_795_440_600_123_456)
    '2026-11-23T13:30:00.123456Z'
    """
    return (
        datetime.fromtimestamp(ts // 1_000_000, UTC).replace(microsecond=ts % 1_000_000, tzinfo=None).isoformat() + "Z"
    )
