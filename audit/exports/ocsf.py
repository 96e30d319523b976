"""OCSF 1.2.0 for a security monitor (SIEM): exchanges as API Activity (6003), looks at the ledger as Datastore Activity (6005).

A SIEM is read by many. It gets blind tags, never numbers, names, case references or reasons: enough to see that one tag
is asked for from everywhere, nothing to see whose it is. A tag is the same all year, and another one the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from audit.exports.walk import Processing

VERSION = "1.2.0"
_APPLICATION, _API, _DATASTORE = 6, 6003, 6005
# DPV's words for what was done -> (activity of 6003, activity of 6005)
_CREATE, _READ, _UPDATE, _DELETE, _OTHER = 1, 2, 3, 4, 99
_ACTIVITIES = {
    "dpv:Consult": _READ, "dpv:Query": _READ, "dpv:DiscloseByTransmission": _READ, "dpv:Modify": _UPDATE,
    "dpv:Erase": _DELETE, "dpv:Store": _CREATE, "dpv:Restrict": _UPDATE,
}  # fmt: skip
_DATASTORE_READ = 1
_INFORMATIONAL, _LOW, _MEDIUM = 1, 2, 3
_SUCCESS, _FAILURE, _UNKNOWN = 1, 2, 0
_CAPTIONS = {_CREATE: "Create", _READ: "Read", _UPDATE: "Update", _DELETE: "Delete", _OTHER: "Other"}


def lines(processings: Iterable[Processing], product: Mapping[str, str]) -> Iterator[bytes]:
    """One event a line. `product` says who speaks: {"name": …, "vendor_name": …, "version": …}."""
    for processing in processings:
        yield orjson.dumps(event(processing, product)) + b"\n"


def event(processing: Processing, product: Mapping[str, str]) -> dict[str, Any]:
    """The event of one processing; times in ms since 1970."""
    return _look(processing, product) if processing.kind == "audit.read" else _exchange(processing, product)


def _exchange(processing: Processing, product: Mapping[str, str]) -> dict[str, Any]:
    entry = processing.entry
    source, policy = entry.get("source") or {}, entry.get("policy") or {}
    activity = _ACTIVITIES.get(str(entry.get("op")), _OTHER)
    return {
        **_base(processing, product, _API, activity, _CAPTIONS[activity]),
        "api": {
            "operation": entry["name"],
            "service": {"name": str(source.get("service") or entry["name"])},
            "request": {"uid": entry["trace_id"]},
        },
        "resources": [
            *({"uid": tag.hex(), "type": "data subject (blind tag)"} for _, tag in processing.tags),
            {"name": str(policy.get("id") or "none"), "type": "authorisation"},
        ],
    }


def _look(processing: Processing, product: Mapping[str, str]) -> dict[str, Any]:
    return {
        **_base(processing, product, _DATASTORE, _DATASTORE_READ, "Read"),
        "database": {"name": "audit ledger", "uid": processing.shard, "type_id": 99, "type": "ledger"},
        "type_id": 1,
        "type": "Database",
        "unmapped": {"question": processing.entry["name"], "subjects": [tag.hex() for _, tag in processing.tags]},
    }


def _base(processing: Processing, product: Mapping[str, str], kind: int, activity: int, caption: str) -> dict[str, Any]:
    entry = processing.entry
    consumer = entry.get("consumer") or {}
    status, severity = _judged(processing)
    app = str(consumer.get("app") or "unknown")
    event = {
        "activity_id": activity,
        "activity_name": caption,
        "category_uid": _APPLICATION,
        "class_uid": kind,
        "type_uid": kind * 100 + activity,
        "time": processing.ts // 1000,
        "start_time": entry.get("start_time", processing.began) // 1000,
        "end_time": entry.get("end_time", processing.ts) // 1000,
        "severity_id": severity,
        "status_id": status,
        "message": f"{entry['name']}: {processing.kind}",
        "metadata": {
            "version": VERSION,
            "product": dict(product),
            "uid": f"{processing.shard}/{processing.index}",
            "correlation_uid": entry["trace_id"],
            "log_name": "audit",
        },
        "actor": _actor(processing, app),
        "src_endpoint": {"name": app, "uid": f"{consumer.get('org') or 'hub'}/{app}"},
    }
    return event | ({"status_code": str(entry["reason_code"])} if "reason_code" in entry else {})


def _actor(processing: Processing, app: str) -> dict[str, Any]:
    """The application; and the agent behind it by blind tag, as a user of unknown name."""
    actor: dict[str, Any] = {"app_name": app}
    if processing.agent_tag is not None:
        actor["user"] = {"uid": processing.agent_tag.hex(), "type_id": 99, "type": "agent (blind tag)"}
    return actor


def _judged(processing: Processing) -> tuple[int, int]:
    """(status, severity): a refusal is worth a look, an exchange of which nobody knows the end more so."""
    if processing.kind == "unknown":
        return _UNKNOWN, _MEDIUM
    if processing.kind == "denied" or processing.entry.get("status") == "Error":
        return _FAILURE, _LOW
    return _SUCCESS, _INFORMATIONAL
