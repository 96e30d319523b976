"""The forms in which open data leave: JSON as it was recorded, JSON-LD, CSV; and what caches need to know of each.

Every form has a strong entity tag, made from its own bytes. JSON is the recorded answer byte for byte; a `Link` beside it
says how to read it as JSON-LD (JSON-LD 1.1 §6.1).
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

import orjson
from fastapi import Response

from integrator.api.problems import EdgeRefusal

CONTEXT = "/open/v1/context.jsonld"
KINDS = {"json": "application/json", "jsonld": "application/ld+json", "csv": "text/csv; charset=utf-8; header=present"}
OPEN_HEADERS = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "ETag, Last-Modified, Link, Age, Retry-After, BelGov-Trace-Id, Integrator-Ledger-Entries",
    "cross-origin-resource-policy": "cross-origin",
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run


def form_of(asked: str | None, accept: str) -> str:
    """json, jsonld or csv: `?format=` first, then the first kind of Accept that we have; JSON when nothing was said.

    Raises `EdgeRefusal` for a `format` that there is not.
    """
    if asked is not None:
        if asked not in KINDS:
            raise EdgeRefusal("badRequest", f"format: one of {', '.join(KINDS)}.")
        return asked
    for part in accept.lower().split(","):
        kind = part.partition(";")[0].strip()
        for form, full in KINDS.items():
            if kind == full.partition(";")[0]:
                return form
    return "json"


def render(form: str, body: Mapping[str, Any], payload: bytes, list_name: str | None) -> bytes:
    """The bytes of a form. `payload`: the body as JSON, as it was recorded."""
    if form == "csv":
        return as_csv(body[list_name] if list_name else [body])
    return payload if form == "json" else orjson.dumps({"@context": CONTEXT, **body})


def as_csv(rows: list[Mapping[str, Any]]) -> bytes:
    """RFC 4180 with a header: one column for each name that some row has, `a.b` for what stands inside.

    >>> as_csv([{"name": {"nl": "Straat"}, "n": 1}, {"n": -2, "name": {"nl": "=1+1"}}])
    b"n,name.nl\\r\\n1,Straat\\r\\n-2,'=1+1\\r\\n"
    """
    flat = [dict(_flat(row)) for row in rows]
    columns = sorted({name for row in flat for name in row})
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\r\n")
    if columns:
        writer.writeheader()
    writer.writerows(flat)
    return text.getvalue().encode()


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        for at, inner in enumerate(value, start=1):
            yield from _flat(inner, f"{name}.{at}")
    elif isinstance(value, str):
        yield name, "'" + value if value.startswith(_FORMULA) else value
    elif isinstance(value, bool):
        yield name, "true" if value else "false"
    else:
        yield name, value


def respond(
    asked: Mapping[str, str], form: str, data: bytes, *, changed: float, seconds: int, age: int = 0, more: Mapping[str, str] | None = None
) -> Response:  # fmt: skip
    """200 with the bytes, or 304 when the caller has them. `asked`: its headers; `changed`: epoch seconds."""
    tag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    headers = {
        **OPEN_HEADERS,
        "etag": tag,
        "last-modified": format_datetime(datetime.fromtimestamp(int(changed), UTC), usegmt=True),
        "cache-control": f"public, max-age={seconds}",
        "vary": "Accept, Accept-Language",
        **({"age": str(age)} if age else {}),
        **(more or {}),
    }
    if _has(asked, tag, int(changed)):
        return Response(status_code=304, headers=headers)
    return Response(data, headers={**headers, "content-type": KINDS[form]})


def _has(asked: Mapping[str, str], tag: str, changed: int) -> bool:
    """RFC 9110 §13.2.2: the tag decides where one was sent; the date only without."""
    tags = asked.get("if-none-match")
    if tags is not None:
        return tags.strip() == "*" or tag in [one.strip().removeprefix("W/") for one in tags.split(",")]
    try:
        return changed <= parsedate_to_datetime(asked.get("if-modified-since", "")).timestamp()
    except ValueError:
        return False
