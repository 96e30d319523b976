"""A message as a CloudEvent 1.0 in structured JSON, the same for push and pull. Who it is about stands in `data` alone.

`id` is the delivery's: the same at every attempt, so a receiver that has seen it does nothing. `recipient` names the
subscription it is for: signed along, so that nobody passes his own on to somebody else as if it were theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from integrator.delivery.terms import Held

KIND = "application/cloudevents+json"


def event(held: Held, content: Mapping[str, Any], *, issuer: str, type_: str) -> dict[str, Any]:
    """`content`: what is granted now. Of an event only the types of fields are told, never a value."""
    told: dict[str, Any] = {**held.keys}
    if held.kind == "event":
        told["changed"] = sorted(content)
    else:
        told |= {"content": dict(content), "sender": held.sender}
    if held.dossier is not None and held.kind != "event":
        told["dossierReference"] = held.dossier
    if held.question is not None and held.kind == "answer":  # a letter does not tell where it came from
        told["questionId"] = held.question
    return {
        "specversion": "1.0", "id": held.uid, "source": issuer, "type": type_, "time": _moment(held.created),
        "datacontenttype": "application/json", "service": held.service, "purpose": held.purpose,
        "recipient": held.recipient, "data": told,
    }  # fmt: skip


def _moment(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
