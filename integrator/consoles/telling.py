"""Answers of the desk as JSON: camelCase, times in ISO 8601, no nulls, every row told in the reader's language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import Any

from audit.reports import Details, Page, Row
from integrator.consoles.book import Book
from integrator.consoles.explain import Explanation, Viewer, explain


def answer_json(answer: Any, book: Book, language: str, viewer: Viewer) -> dict[str, Any]:
    """Any answer of `Desk.look` but evidence."""
    if isinstance(answer, Page):
        rows = [row_json(row, book, language, viewer) for row in answer.rows]
        return _full({"items": rows, "nextCursor": answer.next, "total": answer.total, "behind": answer.behind or None})
    if isinstance(answer, list):
        return {"items": [plain(one) for one in answer]}
    match answer:
        case (Row() as row, Details() as details):
            told = row_json(row, book, language, viewer, details)
            return told | {"details": plain(details)}
        case (dict() as people, cursor):
            items = [
                {
                    "subject": {"type": who.type, "id": who.id},
                    "times": len(rows),
                    "last": iso(max(row.ts for row in rows)),
                }
                for who, rows in people.items()
            ]
            return _full({"items": items, "nextCursor": cursor})
    told_ = plain(answer)
    return told_ if isinstance(told_, dict) else {"value": told_}


def row_json(row: Row, book: Book, language: str, viewer: Viewer, details: Details | None = None) -> dict[str, Any]:
    """One row, with its explanation."""
    return _full(
        {
            "shard": row.shard, "index": row.index, "part": row.part, "time": iso(row.ts), "kind": row.kind,
            "traceId": row.trace_id, "service": row.name, "status": row.status, "reasonCode": row.reason,
            "organisation": _full({"number": row.org, "name": book.organisation(row.org, language)}) if row.org else None,
            "application": row.app, "source": row.source, "processingActivity": row.activity, "initiator": row.initiator,
            "authorisation": row.policy.get("id"), "policyVersion": row.policy.get("ver"),
            "categories": list(row.categories) or None, "partOf": row.parent, "restricted": True if row.vis else None,
            "explanation": _told(explain(row, book, language, viewer=viewer, details=details)),
        }
    )  # fmt: skip


def _told(one: Explanation) -> dict[str, Any]:
    return _full(
        {
            "headline": one.headline, "reason": one.reason, "sentences": list(one.sentences), "purpose": one.purpose,
            "why": one.why, "fields": list(one.fields) or None, "law": one.law_text,
        }
    )  # fmt: skip


def plain(value: Any) -> Any:
    """A dataclass or mapping as JSON.

    >>> from audit.reports import Tally
    >>> plain(Tally("EXPIRED", "0207373429", "counter", "person.get", 2))
    {'reason': 'EXPIRED', 'org': '0207373429', 'app': 'counter', 'name': 'person.get', 'count': 2}
    """
    if is_dataclass(value) and not isinstance(value, type):
        return _full({_camel(one.name): _named(one.name, getattr(value, one.name)) for one in fields(value)})
    if isinstance(value, dict):
        return {_camel(str(name)): _named(str(name), one) for name, one in value.items() if one is not None}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in value]
    return value


_TIMES: Callable[[str], bool] = {"newest", "oldest_dangling", "ts", "since", "until"}.__contains__


def _named(name: str, value: Any) -> Any:
    return iso(value) if _TIMES(name) and isinstance(value, int) else plain(value)


def iso(ts: int) -> str:
    """µs since 1970 as text.

    >>> iso(1_795_440_600_123_456)
    '2026-11-23T13:30:00.123456Z'
    """
    return (
        datetime.fromtimestamp(ts // 1_000_000, UTC)
        .replace(microsecond=ts % 1_000_000)
        .isoformat()
        .replace("+00:00", "Z")
    )


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _full(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}


__all__ = ["answer_json", "iso", "plain", "row_json"]
