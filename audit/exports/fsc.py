"""FSC-logging 1.0.0 (Federated Service Connectivity): what `GET /logs` gives a peer, and only what concerns that peer."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from audit.exports.walk import Processing


def records(
    processings: Iterable[Processing],
    peer: str,
    hub: str,
    *,
    after: int | None = None,
    before: int | None = None,
    grant_hashes: frozenset[str] = frozenset(),
    service_names: frozenset[str] = frozenset(),
) -> Iterator[dict[str, Any] | None]:
    """Log records of one peer; `hub` is our own peer id. None for each processing that is not for this peer or question,
    so that whoever reads a page can stop after so many.

    A record is one request to us; it is given once the request has ended. `after` and `before`: seconds since 1970.
    """
    for processing in processings:
        record = record_of(processing, hub)
        theirs = peer in _parties(record) and _between(record["created_at"], after, before)
        yield record if theirs and _asked(record, grant_hashes, service_names) else None


def record_of(processing: Processing, hub: str) -> dict[str, Any]:
    """The log record of one processing. No personal data: who was asked about is not part of FSC."""
    entry = processing.entry
    consumer, policy = entry.get("consumer") or {}, entry.get("policy") or {}
    record: dict[str, Any] = {
        "transaction_id": transaction_id(entry["trace_id"]),
        "direction": "DIRECTION_INCOMING",
        "grant_hash": policy.get("ver") or policy.get("id") or "none",
        "source": _party("source", "outway_peer_id", consumer.get("org") or hub, entry.get("delegator")),
        "destination": _party("destination", "service_peer_id", hub, (entry.get("source") or {}).get("org")),
        "service_name": entry["name"],
        "created_at": processing.began // 1_000_000,
        "additional_data": {
            "span": entry["span_id"],
            "status": entry.get("status", "Unset"),
            "outcome": processing.kind,
        },
    }
    foreign = entry.get("dpl.core.foreign_operation") or {}
    return record | {name: foreign[name] for name in ("trace_id", "span_id") if name in foreign}


def transaction_id(trace_id: str) -> str:
    """How an answer names its exchange in `Fsc-Transaction-Id`.

    >>> transaction_id("0192f3a47c1e7d3a9b5e2f6a8c4d1e70")
    '0192f3a4-7c1e-7d3a-9b5e-2f6a8c4d1e70'
    """
    return str(uuid.UUID(trace_id))


def _party(side: str, name: str, peer: str, delegator: Any) -> dict[str, str]:
    kind = f"{side}_TYPE_{side}".upper()
    delegator = delegator.get("org") if isinstance(delegator, Mapping) else delegator
    if not delegator or delegator == peer:
        return {"type": kind, name: peer}
    return {"type": kind.replace("TYPE_", "TYPE_DELEGATED_"), name: peer, "delegator_peer_id": delegator}


def _parties(record: Mapping[str, Any]) -> set[str]:
    sides = (record["source"], record["destination"])
    return {side[name] for side in sides for name in side if name.endswith("_peer_id")}


def _between(created: int, after: int | None, before: int | None) -> bool:
    return (after is None or created > after) and (before is None or created < before)


def _asked(record: Mapping[str, Any], grant_hashes: frozenset[str], service_names: frozenset[str]) -> bool:
    """FSC: with several filters a record is given where either is true."""
    if not grant_hashes and not service_names:
        return True
    return record["grant_hash"] in grant_hashes or record["service_name"] in service_names
