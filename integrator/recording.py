"""What an exchange writes in the ledger: the words of audit-ledger's entry schema, filled from a call and its outcome.

The only place that knows both the hub's words and the ledger's. Personal data go into `committed` (salted digests in
the entry, values encrypted beside it); `clear` holds none.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import field
from types import MappingProxyType
from typing import Any, Protocol

import orjson

from audit import Draft, Ledger, LedgerError, Statement
from audit.log.years import Book, OneBook, Shelf
from integrator import clock
from integrator.errors import IntegratorError, LedgerUnwritable, PolicyDenied, SubjectNotFound, SubjectReplaced
from integrator.fixed import fixed
from integrator.logs import log
from integrator.metrics import Metrics
from integrator.model import Caller, Request
from integrator.policy import Denial, Permit, expand, tops
from integrator.services import Service

SUBJECT = "data-subject"  # the role of whom a question is about; said where there are others, for it costs a commitment
_NONE: frozenset[str] = frozenset()


@fixed
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
    body: str | None = None  # which of its bodies is asked, of a source that is several


@fixed
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


class Closeness(Protocol):
    """How near the agent is to whom they ask about, in codes (integrator.watching.closeness). What it raises is no code."""

    async def know(self, caller: Caller) -> None: ...  # first; never raises
    def of_question(self, caller: Caller, subject: tuple[str, str] | None) -> frozenset[str]: ...
    def of_answer(
        self,
        caller: Caller,
        subject: tuple[str, str] | None,
        people: Sequence[tuple[str, str]],
        values: Mapping[str, Any],
    ) -> frozenset[str]: ...


People = tuple[tuple[str, str, str], ...]  # type, number, role
Learn = Callable[[Call, Outcome], Awaitable[None]]  # what an answer tells that alerts may need; never raises
BREAK_GLASS = "BREAK_GLASS"  # the flag of an emergency; config/alerts.yaml knows it
Replaced = Callable[[tuple[str, str], str, str], None]  # subject asked, its new number, source; blocks, never raises


class Recorder:
    """Turns calls and outcomes into ledger entries, and waits until they are durable."""

    def __init__(self, shelf: Shelf | Ledger, metrics: Metrics, *, admit: Callable[[], object] = lambda: None) -> None:
        """`admit` raises when no new exchange may begin, though the ledger could be written."""
        self._admit = admit
        self._shelf = OneBook(shelf) if isinstance(shelf, Ledger) else shelf
        self._metrics = metrics
        self.on_replaced: Replaced | None = None  # set by whoever keeps the ledger
        self.closeness: Closeness | None = None  # set by whoever knows the agents
        self.learn: Learn | None = None  # set by whoever watches

    async def begin(self) -> Recording:
        """The record of one exchange; all of it stands in one shard. MUST be ended."""
        self._admit()
        return Recording(await self._shelf.begin(), self._metrics, self.closeness, self.learn)

    def call(
        self, service: Service, request: Request, permit: Permit, keys: Mapping[str, Any], *, parent: str | None = None,
        broken: str | None = None, body: str | None = None,
    ) -> Call:  # fmt: skip
        """`broken`: the reason that would have refused it, had it not been an emergency."""
        span_id = request.trace.span_id if parent is None else os.urandom(8).hex()
        source = service.recorded_as if body is None else service.source or service.name
        clear = _clear(service, request, permit, source, parent, body)
        if broken is not None or permit.grant.notify:
            clear["flags"] = _raised(permit, broken)
        return Call(service, request, permit, keys, span_id, source, service.subject(keys), clear, body)

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

    __slots__ = ("_book", "_closeness", "_learn", "_metrics", "receipt", "shard")

    def __init__(
        self, book: Book, metrics: Metrics, closeness: Closeness | None = None, learn: Learn | None = None
    ) -> None:
        self._book, self._metrics, self._closeness, self._learn = book, metrics, closeness, learn
        self.shard: str = book.ledger.shard
        self.receipt: bytes | None = (
            None  # signed, for the last entry: the outcome that names its intent, or the refusal
        )

    def end(self) -> None:
        """The exchange is over; a shard whose year is over waits for this."""
        self._book.end()

    async def intents(self, calls: Sequence[Call], now: float) -> tuple[int, ...]:
        """Durable when this returns, all of them in one commit."""
        if self._closeness is not None:
            await self._closeness.know(calls[0].request.caller)
        return await self._append([_intent(call, now, self._asked(call)) for call in calls], last=False)

    async def outcomes(
        self,
        done: Sequence[tuple[Call, Outcome, bytes]],
        intents: Mapping[str, int],
        beside: Sequence[Statement] = (),
    ) -> tuple[int, ...]:
        """Durable when this returns, rows `beside` it too. `intents`: ledger index of each call's intent, by span id."""
        if self._learn is not None:
            for call, outcome, _ in done:
                if outcome.error is None and call.subject is not None:
                    await self._learn(call, outcome)
        drafts, seen = [], _NONE
        for call, outcome, payload in done:  # the whole of a composition comes last
            people = _people(call, outcome) if outcome.error is None and outcome.released else ()
            seen |= self._seen(call, outcome)
            flags = _NONE if "parent_span_id" in call.clear else seen
            drafts.append(_outcome(call, outcome, payload, intents[call.span_id], people, flags))
        return await self._append(drafts, beside)

    async def denied(
        self, service: Service, request: Request, denial: Denial, beside: Sequence[Statement] = ()
    ) -> tuple[int, ...]:
        if self._closeness is not None:
            await self._closeness.know(request.caller)
        flags = self._near_asked(request.caller, service.subject(request.keys))
        return await self._append([_denied(service, request, denial, flags)], beside)

    def _asked(self, call: Call) -> frozenset[str]:
        """What is plain before the source is asked; said once, by the question of the agent, not by its parts."""
        return _NONE if "parent_span_id" in call.clear else self._near_asked(call.request.caller, call.subject)

    def _near_asked(self, caller: Caller, subject: tuple[str, str] | None) -> frozenset[str]:
        try:
            return self._closeness.of_question(caller, subject) if self._closeness else _NONE
        except Exception as surprise:
            return _unknown(surprise)

    def _seen(self, call: Call, outcome: Outcome) -> frozenset[str]:
        caller = call.request.caller
        if self._closeness is None or caller.agent is None:
            return _NONE
        if outcome.error is not None:
            return self._near_asked(caller, call.subject)
        # A part of a composition discloses nobody; whom it found is at hand all the same, and only compared.
        named = tuple(_found(call, outcome).items())
        try:
            return self._closeness.of_answer(caller, call.subject, named, outcome.values)
        except Exception as surprise:
            return _unknown(surprise)

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


def _unknown(surprise: Exception) -> frozenset[str]:
    """A code less in an entry is no reason to lose the entry; the text of a surprise may hold data."""
    log.error("closeness_unknown", error=type(surprise).__name__)
    return _NONE


def _clear(
    service: Service, request: Request, permit: Permit, source: str, parent: str | None, body: str | None
) -> dict[str, Any]:
    clear: dict[str, Any] = {
        "op": "dpv:Query" if service.is_composition or permit.grant.answers_only else service.op,
        "dpl.core.processing_activity_id": permit.purpose.activity,
        "consumer": {"org": request.caller.organisation, "app": request.caller.application},
        "source": {"service": source, "operation": service.operation or "composition"},
        "policy": {"id": permit.grant.authorisation, "ver": "sha256:" + permit.grant.digest, "decision": "permit"},
        "initiator": "official" if request.caller.agent else "system",
    }
    if body is not None:
        clear["source"]["org"] = body
    if parent is not None:
        clear["parent_span_id"] = parent
    if request.trace.related is not None:
        clear["dpl.core.foreign_operation"] = {"trace_id": request.trace.related}
    return clear


def _agent(request: Request) -> Mapping[str, Any] | None:
    """Who asked, sealed: as his issuer and his organisation say (then an assurance stands there), or as the application says."""
    caller = request.caller
    if caller.agent is None:
        return None
    if caller.assurance is None:
        return {"id": caller.agent, "said_by": "application"}
    told = {
        "id": caller.agent, "unit": caller.unit, "role": " ".join(sorted(caller.roles)) or None,
        "assurance": caller.assurance, "mandate": caller.mandate, "on_behalf_of": caller.on_behalf_of,
    }  # fmt: skip
    return {name: value for name, value in told.items() if value is not None}


def _raised(permit: Permit, broken: str | None) -> list[str]:
    """What somebody has to look at or be told of: an emergency with what it broke, and whom the purpose has told."""
    flags = [BREAK_GLASS, broken] if broken is not None else []
    return flags + [f"NOTIFY_{kind.upper()}" for kind in sorted(permit.grant.notify)]


def _committed(fields: Sequence[str], request: Request, **more: Any) -> dict[str, Any]:
    committed: dict[str, Any] = {"fields": list(fields), **more}
    if request.dossier is not None:
        committed["case_ref"] = request.dossier
    return committed


def _intent(call: Call, now: float, flags: frozenset[str]) -> Draft:
    return Draft(
        type="intent", trace_id=call.request.trace.trace_id, span_id=call.span_id, name=call.service.name,
        clear={
            **call.clear, **_flags(flags, call.clear), "status": "Unset", "start_time": clock.micros(now), "asked": _asked_of(call),
        },
        committed=_committed(call.permit.categories, call.request, **_question(call), **_justification(call)),
        subjects=_asked_about(call.subject), agent=_agent(call.request), retention=call.permit.purpose.retention,
    )  # fmt: skip


def _asked_of(call: Call) -> dict[str, Any]:
    """How a call was put. A part of a composition is granted whole: what it was given is what it asked."""
    if "parent_span_id" in call.clear:
        return {"keys": sorted(call.keys), "fields": list(call.permit.categories)}
    return asked(call.service, call.request)


def asked(service: Service, request: Request) -> dict[str, Any]:
    """The names of keys and fields in a question, for the clear part: enough to judge it again under another text.

    Values never, and of what a caller invented as a field nothing: only names that the service offers.
    """
    said: dict[str, Any] = {"keys": sorted(request.keys)}
    if request.fields is not None:
        said["fields"] = list(tops(expand(request.fields, service.offers)))
    if request.history or service.past is not None:
        said["past"] = True
    if request.direction:
        said["as"] = request.direction
    return said


def _justification(call: Call) -> dict[str, str]:
    """Why conditions had to give way, once for the whole exchange."""
    broken = BREAK_GLASS in call.clear.get("flags", ())
    return {"justification": call.request.emergency} if broken and call.request.emergency else {}


def _question(call: Call) -> dict[str, str]:
    """The digest of what was asked, where that is more than the subject, who is committed anyway."""
    if call.subject is not None and len(call.keys) == 1 and call.subject[1] in call.keys.values():
        return {}
    return {"query_digest": _digest(orjson.dumps(call.keys, option=orjson.OPT_SORT_KEYS))}


def _outcome(call: Call, outcome: Outcome, payload: bytes, intent: int, people: People, flags: frozenset[str]) -> Draft:
    error = outcome.error
    answered = error is None
    clear = {
        **call.clear,
        **_flags(flags, call.clear),
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
        subjects=people or _asked_about(call.subject),
        agent=_agent(call.request), retention=call.permit.purpose.retention,
    )  # fmt: skip


def _denied(service: Service, request: Request, denial: Denial, flags: frozenset[str]) -> Draft:
    subject = service.subject(request.keys)
    purpose = denial.purpose
    clear = {
        "op": "dpv:Query", "status": "Error", "reason_code": denial.reason,
        "consumer": {"org": request.caller.organisation, "app": request.caller.application},
        "source": {"service": service.recorded_as, "operation": service.operation or "composition"},
        "policy": {"id": denial.rule or "none", "decision": "deny"},
        "dpl.core.processing_activity_id": purpose.activity if purpose else "unknown", **_flags(flags),
        "asked": asked(service, request),
    }  # fmt: skip
    return Draft(
        type="denied", trace_id=request.trace.trace_id, span_id=request.trace.span_id, name=service.name, clear=clear,
        committed=_committed(sorted(request.fields or ()), request), subjects=_asked_about(subject),
        agent=_agent(request), retention=purpose.retention if purpose else "Y10",
    )  # fmt: skip


def _people(call: Call, outcome: Outcome) -> People:
    """The persons actually disclosed (R5): the subject, and whoever else the answer is about, each as what they stand in it."""
    asked = call.subject[1] if call.subject and call.subject[0] == "nrn" else None
    if call.service.is_composition or "parent_span_id" in call.clear:
        return (("nrn", asked, ""),) if asked else ()
    found: dict[str, str] = {asked: SUBJECT} if asked and outcome.values else {}
    for number, role in _found(call, outcome).items():
        found.setdefault(number, role)
    if len(found) == 1 and asked in found:
        return (("nrn", asked, ""),)
    return tuple([("nrn", number, role) for number, role in found.items()])


def _found(call: Call, outcome: Outcome) -> dict[str, str]:
    """Number and role of everybody of whom the answer gives something; who stands in it twice, as what comes first."""
    facts = call.service.sheet.facts if call.service.sheet else {}
    found: dict[str, str] = {}
    for name, value in outcome.facts.items():
        if name.startswith("people") and value and _gives(call, facts[name].get("with", "")):
            role = facts[name].get("role", "")
            for one in value:
                found.setdefault(one, role)
    return found


def _asked_about(subject: tuple[str, str] | None) -> tuple[tuple[str, str], ...]:
    return (subject,) if subject else ()


def _flags(flags: frozenset[str], clear: Mapping[str, Any] = MappingProxyType({})) -> dict[str, list[str]]:
    """Those of the call itself (an emergency, who has to be told) with those of how near the agent is."""
    if not flags and "flags" not in clear:
        return {}
    every = flags.union(clear.get("flags", ()))
    return {"flags": sorted(every)} if every else {}


def _gives(call: Call, field: str) -> bool:
    """Whether the permit lets something of this field out ("" = anything at all)."""
    return not field or field in call.permit.fields or any(name.startswith(field + ".") for name in call.permit.fields)


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
