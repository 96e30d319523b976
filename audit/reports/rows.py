"""What a report is made of: one row for one entry (or one subject's part of it), a page of rows, and where to go on.

A row holds only what stands in clear in the entry. Whoever needs more opens it (`Reports.details`), with a right to.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypedDict

import orjson

from audit.errors import LedgerError


class CursorInvalid(LedgerError, ValueError):
    """A cursor was not one of ours: start from the first page again."""


class Only(TypedDict, total=False):
    """What every report can be narrowed to; a filter that is None or absent lets everything through."""

    org: str | None  # enterprise number of the consumer
    app: str | None  # its application
    name: str | None  # service operation, e.g. person.get
    activity: str | None  # dpl.core.processing_activity_id
    kind: str | None  # type of entry, as in Row.kind


class Listing(Only, total=False):
    """How a list is read: where to go on, and how many rows at a time."""

    cursor: str | None
    limit: int


class Place(NamedTuple):
    """Where a row stands in any list: newest first, so "after" means smaller."""

    ts: int
    shard: int  # the store's number of the shard
    idx: int
    part: int


@dataclass(frozen=True, slots=True)
class Row:
    """One entry as a report shows it. `kind` is the entry's type; an intent that was settled shows as `unknown`."""

    shard: str
    index: int
    part: int  # which subject of the entry; 0 where the report is not about a subject
    ts: int  # µs since 1970
    kind: str  # intent (= nobody knows yet how it ended), outcome, denied, unknown, audit.read, erasure, …
    trace_id: str
    span_id: str
    parent: str | None  # span of the composition this was one question of
    name: str
    status: str | None  # Ok | Error | Unset
    reason: str | None  # reason code of a refusal or a failure
    org: str | None
    app: str | None
    source: str | None  # connector or service that was asked
    operation: str | None
    activity: str | None
    op: str | None
    initiator: str | None  # self | official | system
    policy: Mapping[str, Any] = field(default_factory=dict)  # id, ver, decision
    categories: tuple[str, ...] = ()  # what left the hub, in names
    counts: Mapping[str, int] = field(default_factory=dict)
    ref: int | None = None  # the intent this belongs to, in the same shard
    vis: int = 0  # not 0: kept from the subject until it is released
    settled_by: int | None = None  # index of the `unknown` entry, where `kind` is unknown in place of an intent
    entry: Mapping[str, Any] = field(default_factory=dict, repr=False)  # the whole clear part


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, newest first. `next` None = that was all; a page may be short and still have a next one."""

    rows: list[Row]
    next: str | None = None
    total: int | None = None  # only where it is known: a list that fits one page
    behind: int = 0  # entries the reports have not read yet; newest rows may be missing


@dataclass(frozen=True, slots=True)
class Tally:
    """How often something happened."""

    reason: str
    org: str
    app: str
    name: str
    count: int
    day: int | None = None  # yyyymmdd where counted by day


def row_of(shard: str, place: Place, kind: str, ref: int | None, body: bytes, vis: int) -> Row:
    """Make a row of an entry's stored bytes (unchecked: opening it checks)."""
    entry: dict[str, Any] = orjson.loads(body)
    consumer, source = entry.get("consumer") or {}, entry.get("source") or {}
    return Row(
        shard,place.idx, place.part, place.ts, kind, entry["trace_id"], entry["span_id"], entry.get("parent_span_id"),
        entry["name"], entry.get("status"), entry.get("reason_code"), consumer.get("org"), consumer.get("app"),
        source.get("service"), source.get("operation"), entry.get("dpl.core.processing_activity_id"), entry.get("op"),
        entry.get("initiator"), entry.get("policy") or {}, tuple(entry.get("categories") or ()), entry.get("counts") or {},
        ref, vis, None, entry,
    )  # fmt: skip


def fits(row: Row, only: Only) -> bool:
    """Whether a row passes the filters."""
    return all(value is None or getattr(row, name) == value for name, value in only.items())


def cursor_of(place: Sequence[int]) -> str:
    """Write a place as text for a link or a form. No secret: rights and filters are checked on every page anew.

    >>> place_of(cursor_of(Place(1795440600123456, 1, 42, 0)))
    Place(ts=1795440600123456, shard=1, idx=42, part=0)
    """
    return urlsafe_b64encode(json.dumps(list(place), separators=(",", ":")).encode()).rstrip(b"=").decode()


def place_of(cursor: str) -> Place:
    """The inverse. Raises CursorInvalid for anything `cursor_of` does not write."""
    try:
        numbers = json.loads(urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
    except (ValueError, UnicodeEncodeError) as error:
        raise CursorInvalid("the cursor is not one of ours; start from the first page") from error
    if (
        type(numbers) is not list
        or len(numbers) != len(Place._fields)
        or any(type(number) is not int or not 0 <= number < 2**63 for number in numbers)
    ):
        raise CursorInvalid("the cursor is not one of ours; start from the first page")
    return Place(*numbers)
