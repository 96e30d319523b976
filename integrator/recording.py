"""What an exchange writes in the ledger: the words of audit-ledger's entry schema, filled from a call and its outcome.

The only place that knows both the hub's words and the ledger's. Personal data go into `committed` (salted digests in
the entry, values encrypted beside it); `clear` holds none.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from audit import Draft, Ledger, LedgerError, Statement
from audit.log.years import Book, OneBook, Shelf
from integrator import clock
from integrator.errors import IntegratorError, LedgerUnwritable, PolicyDenied, SubjectNotFound, SubjectReplaced
from integrator.logs import log
from integrator.metrics import Metrics
from integrator.model import Request
from integrator.policy import Denial, Permit
from integrator.services import Service


@dataclass(frozen=True, slots=True)
class Call:
    """One question to one source (or one composition), decided and about to be recorded."""

    service: Service
    request: Request
    permit: Permit
    keys: Mapping[str, Any]
    span_id: str  # 16 hex; intent and outcome share it
    source: str  # connector id; the service's own name for a composition
    subject: tuple[str, str] | None
    clear: Mapping[str, Any]  # what both of its entries say in clear


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one call ended: values for the caller, facts for the hub, or the error that is raised once recorded."""

    values: dict[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    guarded: tuple[str, ...] = ()
    filtered: tuple[str, ...] = ()
    error: IntegratorError | None = None
    milliseconds: float = 0.0
    ended: float = 0.0  # epoch seconds
    incomplete: bool = False
    released: bool = True  # False: something was taken in, nothing was given


Replaced = Callable[[tuple[str, str], str, str], None]  # subject asked, its new number, source; blocks, never raises


class Recorder:
    """Turns calls and outcomes into ledger entries, and waits until they are durable."""

    def __init__(self, shelf: Shelf | Ledger, metrics: Metrics, *, admit: Callable[[], object] = lambda: None) -> None:
        """`admit` raises when no new exchange may begin, though the ledger could be written."""
        self._admit = admit
        self._shelf = OneBook(shelf) if isinstance(shelf, Ledger) else shelf
        self._metrics = metrics
        self.on_replaced: Replaced | None = None  # set by whoever keeps the ledger

    async def begin(self) -> Recording:
        """The record of one exchange; all of it stands in one shard. MUST be ended."""
        self._admit()
        return Recording(await self._shelf.begin(), self._metrics)

    def call(
        self, service: Service, request: Request, permit: Permit, keys: Mapping[str, Any], *, parent: str | None = None
    ) -> Call:
        span_id = request.trace.span_id if parent is None else os.urandom(8).hex()
        source = service.source or service.name
        clear = _clear(service, request, permit, source, parent)
        return Call(service, request, permit, keys, span_id, source, service.subject(keys), clear)

    def failure(self, call: Call, error: IntegratorError) -> None:
        """A source failed or refused: one line for the operator, in codes only. What a source does not know is no failure."""
        if not isinstance(error, SubjectNotFound | SubjectReplaced):
            reason = getattr(error, "reason", error.code)
            log.warning(
                "source_failed", source=call.source, code=error.code, reason=reason, trace=call.request.trace.trace_id
            )

    def replaced(self, call: Call, number: str) -> None:
        """A source said that the number asked about was replaced: its history goes along. Nobody waits for it."""
        if self.on_replaced is not None and call.subject is not None:
            asyncio.get_running_loop().run_in_executor(None, self.on_replaced, call.subject, number, call.source)

    def surprise(self, call: Call, error: Exception) -> None:
        """A connector failed in a way nobody named: the type is for us, the text stays unsaid."""
        log.error(
            "connector_surprise", source=call.source, error=type(error).__name__, trace=call.request.trace.trace_id
        )


class Recording:
    """What is written of one exchange, and the receipt for it."""

    __slots__ = ("_book", "_metrics", "receipt", "shard")

    def __init__(self, book: Book, metrics: Metrics) -> None:
        self._book, self._metrics = book, metrics
        self.shard: str = book.ledger.shard
        self.receipt: bytes | None = (
            None  # signed, for the last entry: the outcome that names its intent, or the refusal
        )

    def end(self) -> None:
        """The exchange is over; a shard whose year is over waits for this."""
        self._book.end()

    async def intents(self, calls: Sequence[Call], now: float) -> tuple[int, ...]:
        """Durable when this returns, all of them in one commit."""
        return await self._append([_intent(call, now) for call in calls], last=False)

    async def outcomes(
        self,
        done: Sequence[tuple[Call, Outcome, bytes]],
        intents: Mapping[str, int],
        beside: Sequence[Statement] = (),
    ) -> tuple[int, ...]:
        """Durable when this returns, rows `beside` it too. `intents`: ledger index of each call's intent, by span id."""
        return await self._append(
            [_outcome(call, outcome, payload, intents[call.span_id]) for call, outcome, payload in done], beside
        )

    async def denied(
        self, service: Service, request: Request, denial: Denial, beside: Sequence[Statement] = ()
    ) -> tuple[int, ...]:
        return await self._append([_denied(service, request, denial)], beside)

    def reference(self, entries: Sequence[int]) -> str:
        """How an answer names its entries: SHARD/INDEX,INDEX…"""
        return f"{self.shard}/{','.join(map(str, entries))}"

    def refuses(self, error: IntegratorError, entries: Sequence[int]) -> None:
        """A refusal or failure takes its entries and receipt along."""
        error.recorded, error.receipt = self.reference(entries), self.receipt

    async def _append(
        self, drafts: list[Draft], beside: Sequence[Statement] = (), *, last: bool = True
    ) -> tuple[int, ...]:
        try:
            started = time.perf_counter()
            records = await self._book.ledger.append(drafts, beside=beside)
            self._metrics.ledger_append(time.perf_counter() - started)
        except LedgerError as error:
            raise LedgerUnwritable("the ledger could not be written") from error
        if last:
            self.receipt = self._book.receipt(records[-1])
        return tuple([record.index for record in records])


def _clear(service: Service, request: Request, permit: Permit, source: str, parent: str | None) -> dict[str, Any]:
    clear: dict[str, Any] = {
        "op": "dpv:Query" if service.is_composition or permit.grant.answers_only else service.op,
        "dpl.core.processing_activity_id": permit.purpose.activity,
        "consumer": {"org": request.caller.organisation, "app": request.caller.application},
        "source": {"service": source, "operation": service.operation or "composition"},
        "policy": {"id": permit.grant.authorisation, "ver": "sha256:" + permit.grant.digest, "decision": "permit"},
        "initiator": "official" if request.caller.agent else "system",
    }
    if parent is not None:
        clear["parent_span_id"] = parent
    if request.trace.related is not None:
        clear["dpl.core.foreign_operation"] = {"trace_id": request.trace.related}
    return clear


def _committed(fields: Sequence[str], request: Request, **more: Any) -> dict[str, Any]:
    committed: dict[str, Any] = {"fields": list(fields), **more}
    if request.dossier is not None:
        committed["case_ref"] = request.dossier
    return committed


def _intent(call: Call, now: float) -> Draft:
    return Draft(
        type="intent", trace_id=call.request.trace.trace_id, span_id=call.span_id, name=call.service.name,
        clear={**call.clear, "status": "Unset", "start_time": clock.micros(now)},
        committed=_committed(call.permit.categories, call.request, **_question(call)),
        subjects=(call.subject,) if call.subject else (), agent=call.request.caller.agent, retention=call.permit.purpose.retention,
    )  # fmt: skip


def _question(call: Call) -> dict[str, str]:
    """The digest of what was asked, where that is more than the subject, who is committed anyway."""
    if call.subject is not None and len(call.keys) == 1 and call.subject[1] in call.keys.values():
        return {}
    return {"query_digest": _digest(orjson.dumps(call.keys, option=orjson.OPT_SORT_KEYS))}


def _outcome(call: Call, outcome: Outcome, payload: bytes, intent: int) -> Draft:
    error = outcome.error
    answered = error is None
    people = _people(call, outcome) if answered and outcome.released else ()
    clear = {
        **call.clear,
        "status": "Ok" if answered or isinstance(error, SubjectNotFound) else "Error",
        "categories": _released(call) if answered and outcome.released else [],
        "counts": {"subjects": len(people), "records": _records(call, outcome)},
        "intent_ref": intent,
        "start_time": clock.micros(outcome.ended - outcome.milliseconds / 1000),
        "end_time": clock.micros(outcome.ended),
    }
    if error is not None:
        clear["reason_code"] = error.reason if isinstance(error, PolicyDenied) else error.code
    # Fields asked and case stand in the intent, which this names: what was committed once is not committed again.
    return Draft(
        type="outcome", trace_id=call.request.trace.trace_id, span_id=call.span_id, name=call.service.name, clear=clear,
        committed={"response_digest": _digest(payload)} if payload else {},
        subjects=tuple(("nrn", one) for one in people) or ((call.subject,) if call.subject else ()),
        agent=call.request.caller.agent, retention=call.permit.purpose.retention,
    )  # fmt: skip


def _denied(service: Service, request: Request, denial: Denial) -> Draft:
    subject = service.subject(request.keys)
    purpose = denial.purpose
    clear = {
        "op": "dpv:Query", "status": "Error", "reason_code": denial.reason,
        "consumer": {"org": request.caller.organisation, "app": request.caller.application},
        "source": {"service": service.source or service.name, "operation": service.operation or "composition"},
        "policy": {"id": denial.rule or "none", "decision": "deny"},
        "dpl.core.processing_activity_id": purpose.activity if purpose else "unknown",
    }  # fmt: skip
    return Draft(
        type="denied", trace_id=request.trace.trace_id, span_id=request.trace.span_id, name=service.name, clear=clear,
        committed=_committed(sorted(request.fields or ()), request), subjects=(subject,) if subject else (),
        agent=request.caller.agent, retention=purpose.retention if purpose else "Y10",
    )  # fmt: skip


def _people(call: Call, outcome: Outcome) -> tuple[str, ...]:
    """National numbers of the persons actually disclosed (R5): the subject, and whoever else the answer is about."""
    if call.service.is_composition or "parent_span_id" in call.clear:
        return (call.subject[1],) if call.subject and call.subject[0] == "nrn" else ()
    facts = call.service.sheet.facts if call.service.sheet else {}
    found: dict[str, None] = {}
    for name, value in outcome.facts.items():
        if name.startswith("people") and value and _gives(call, facts[name].get("with", "")):
            found |= dict.fromkeys(value)
    if call.subject is not None and call.subject[0] == "nrn" and outcome.values:
        found = {call.subject[1]: None} | found
    return tuple(found)


def _gives(call: Call, field: str) -> bool:
    """Whether the permit lets something of this field out ("" = anything at all)."""
    return not field or any(name == field or name.startswith(field + ".") for name in call.permit.fields)


def _released(call: Call) -> list[str]:
    """What left the hub, in names: fields, or which yes/no answers; a part of a composition releases nothing."""
    if call.service.is_composition:
        return [f"answer:{code}" for code in call.permit.categories]
    return [] if "parent_span_id" in call.clear else list(call.permit.categories)


def _records(call: Call, outcome: Outcome) -> int:
    if outcome.error is not None or not outcome.released:
        return 0
    return len(outcome.values.get(call.service.list_name, ())) if call.service.list_name else 1


def _digest(payload: bytes) -> str:
    return hashlib.sha256(payload).hexdigest()
