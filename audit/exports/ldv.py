"""Logboek Dataverwerkingen (LDV), the Dutch standard for logs of processings: as OTLP spans and for its read API.

Sources: LDV 1.0 (component "Logboek", component "Applicatie"), extension "lezen" 1.1.0 (OpenAPI), OTLP/JSON of
OpenTelemetry protocol 1.x. One line refers to at most one subject: a processing about several becomes an action of its
own for each of them, under the first. Attributes outside LDV stand under `dpl.hub.`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from audit.draft import Subject
from audit.exports.view import Seen, View
from audit.exports.walk import Processing

VERSION = "ldv-1.0+lezen-1.1.0/1"  # of this mapping
_STATUS = {"Unset": 0, "Ok": 1, "Error": 2}
_SERVER, _CLIENT = 2, 3
_BATCH = 100  # spans in one line
_CLEAR = {
    "reason_code": "dpl.hub.reason_code",
    "op": "dpl.hub.op",
    "legal_basis": "dpl.hub.legal_basis",
    "categories": "dpl.hub.categories",
    "initiator": "dpl.hub.initiator",
    "dpl.read.externalReadAPI_id": "dpl.read.externalReadAPI_id",
}
_SEALED = {
    "case_ref": "dpl.hub.case_ref",
    "fields": "dpl.hub.fields",
    "justification": "dpl.hub.justification",
}


def lines(processings: Iterable[Processing], view: View, resource: Mapping[str, str]) -> Iterator[bytes]:
    """OTLP/JSON, a line at a time; each is a whole `TracesData` that a collector accepts by itself.

    `resource` says which system speaks: {"service.name": …, "service.version": …}.
    """
    batch: list[dict[str, Any]] = []
    for processing in processings:
        batch += [_span(action) for action in actions(processing, view.see(processing))]
        if len(batch) >= _BATCH:
            yield _traces(batch, resource)
            batch = []
    if batch:
        yield _traces(batch, resource)


def activities(processings: Iterable[Processing], view: View) -> Iterator[dict[str, Any]]:
    """Items of `processingActivities`, as the read API gives them. Times in ms since 1970."""
    for processing in processings:
        yield from actions(processing, view.see(processing))


def actions(processing: Processing, seen: Seen) -> Iterator[dict[str, Any]]:
    """The actions of one processing: one, or one for each subject under it."""
    subjects = seen.subjects
    if len(subjects) <= 1:
        yield _action(processing, seen, *subjects)
        return
    first = _action(processing, seen)
    yield first
    for number, subject in enumerate(subjects):
        child = _action(processing, seen, subject)
        place = f"{processing.shard}\n{processing.index}\n{number}".encode()
        span = hashlib.sha256(place).hexdigest()[:16]  # the same in every export
        yield {**child, "spanId": span, "parentSpanId": first["spanId"]}


def _action(processing: Processing, seen: Seen, subject: Subject | None = None) -> dict[str, Any]:
    entry = processing.entry
    action = {
        "traceId": entry["trace_id"],
        "spanId": entry["span_id"],
        "status": entry.get("status", "Unset"),
        "name": entry["name"],
        "startTime": entry.get("start_time", processing.began) // 1000,
        "endTime": entry.get("end_time", processing.ts) // 1000,
        "attributes": _attributes(processing, seen, subject),
    }
    return action | ({"parentSpanId": entry["parent_span_id"]} if "parent_span_id" in entry else {})


def _attributes(processing: Processing, seen: Seen, subject: Subject | None) -> dict[str, Any]:
    entry = processing.entry
    found: dict[str, Any] = {"dpl.core.processing_activity_id": entry.get("dpl.core.processing_activity_id", "unknown")}
    if subject is not None:
        found["dpl.core.data_subject_id"] = subject.id
        found["dpl.core.data_subject_id_type"] = subject.type
        if subject.role:
            found["dpl.hub.subject_role"] = subject.role
    found |= {f"dpl.core.foreign_operation.{name}": value for name, value in _foreign(entry).items()}
    found |= {name: entry[field] for field, name in _CLEAR.items() if field in entry}
    found |= {f"dpl.hub.consumer.{name}": value for name, value in (entry.get("consumer") or {}).items()}
    found |= {f"dpl.hub.source.{name}": value for name, value in (entry.get("source") or {}).items()}
    found |= {f"dpl.hub.policy.{name}": value for name, value in (entry.get("policy") or {}).items()}
    found |= {f"dpl.hub.counts.{name}": value for name, value in (entry.get("counts") or {}).items()}
    found |= {name: seen.values[field] for field, name in _SEALED.items() if field in seen.values}
    found |= {f"dpl.hub.agent.{name}": value for name, value in (seen.values.get("agent") or {}).items()}
    found |= {"dpl.hub.entry.type": processing.kind, "dpl.hub.entry.shard": processing.shard}
    found |= {"dpl.hub.entry.index": processing.index, "dpl.hub.mapping": VERSION}
    return found | ({"dpl.hub.erased": True} if seen.erased else {})


def _foreign(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    return entry.get("dpl.core.foreign_operation") or {}


# --- OTLP ---------------------------------------------------------------------------------------------------------


def _span(action: Mapping[str, Any]) -> dict[str, Any]:
    attributes = action["attributes"]
    span = {
        "traceId": action["traceId"],
        "spanId": action["spanId"],
        "name": action["name"],
        # Whoever asked us is served; a part of it was asked by us.
        "kind": _CLIENT if "parentSpanId" in action else _SERVER,
        "startTimeUnixNano": str(action["startTime"] * 1_000_000),
        "endTimeUnixNano": str(action["endTime"] * 1_000_000),
        "attributes": [{"key": key, "value": _value(value)} for key, value in attributes.items()],
        "status": {"code": _STATUS[action["status"]]},
    }
    if "parentSpanId" in action:
        span["parentSpanId"] = action["parentSpanId"]
    foreign = {name: attributes.get(f"dpl.core.foreign_operation.{name}") for name in ("trace_id", "span_id")}
    if all(foreign.values()):  # a link needs both
        span["links"] = [{"traceId": foreign["trace_id"], "spanId": foreign["span_id"]}]
    return span


def _value(value: Any) -> dict[str, Any]:
    """AnyValue in protobuf's JSON: 64-bit numbers are text there."""
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, list | tuple):
        return {"arrayValue": {"values": [_value(one) for one in value]}}
    if isinstance(value, Mapping):
        return {"kvlistValue": {"values": [{"key": key, "value": _value(one)} for key, one in value.items()]}}
    return {"stringValue": str(value)}


def _traces(spans: list[dict[str, Any]], resource: Mapping[str, str]) -> bytes:
    described = {"attributes": [{"key": key, "value": _value(value)} for key, value in resource.items()]}
    scope = {"name": "audit.exports.ldv", "version": VERSION}
    return orjson.dumps({"resourceSpans": [{"resource": described, "scopeSpans": [{"scope": scope, "spans": spans}]}]})
