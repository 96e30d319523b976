"""What comes back from the hub: an answer, a problem, or nothing at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx


class HubUnreachable(Exception):
    """No answer from the hub at all: the network, or the hub is down. Nothing is known about the question."""


class Problem(Exception):
    """The hub refused or could not answer (RFC 9457): `type` is stable, `detail` says what to do."""

    def __init__(self, status: int, body: Mapping[str, Any], trace_id: str | None, retry_after: int | None) -> None:
        super().__init__(f"{status} {body.get('title', '')}: {body.get('detail', '')}")
        self.status = status
        self.type: str = body.get("type", "about:blank")
        self.title: str = body.get("title", "")
        self.detail: str = body.get("detail", "")
        self.issues: list[Mapping[str, Any]] = body.get("issues", [])
        self.body = body
        self.trace_id = trace_id  # name this one when you ask for help
        self.retry_after = retry_after  # seconds; None = asking again unchanged gives the same
        self.receipt: str | None = None  # a refusal is recorded as well


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; reads like the JSON object it is."""

    body: Mapping[str, Any]
    trace_id: str  # of the hub's record of this exchange
    entries: str | None = None  # where in the ledger it was recorded before it was sent
    retry_after: int | None = None  # seconds; set when part of the answer is unknown
    receipt: str | None = None  # the ledger's signed promise: keep it beside the case, `Hub.check_receipt` reads it

    def __getitem__(self, name: str) -> Any:
        return self.body[name]

    def get(self, name: str, default: Any = None) -> Any:
        return self.body.get(name, default)


def problem_of(reply: httpx.Response) -> Problem:
    """The problem of an error reply, whichever way it is written."""
    try:
        body = reply.json()
    except ValueError:
        body = {}
    if not isinstance(body, dict):
        body = {}
    if "error" in body:  # the token endpoint speaks RFC 6749
        body = {"type": f"oauth:{body['error']}", "title": body["error"], "detail": body.get("error_description", "")}
    problem = Problem(reply.status_code, body, reply.headers.get("BelGov-Trace-Id"), seconds_of(reply))
    problem.receipt = reply.headers.get("Audit-Receipt")
    return problem


def seconds_of(reply: httpx.Response) -> int | None:
    """Retry-After, where it is a number of seconds."""
    value = reply.headers.get("Retry-After", "")
    return int(value) if value.isdigit() else None
