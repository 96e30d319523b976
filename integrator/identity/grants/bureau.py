"""Where a caller asks about its own rights: grants, a question weighed beforehand, evaluations, and exchanges that are over.

Every look is an entry of the ledger (`decision`) before it is answered: asking what one may do is harmless, asking it a
million times is not, and a data protection officer sees who does. A trace of somebody else is a trace that does not exist.
"""

from __future__ import annotations

import asyncio
import base64
import os
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from audit import Draft, LedgerError
from audit.errors import ProofInvalid
from audit.log.receipts import FIRST_LINE, SHARED_LINE, Receipt
from integrator.errors import Issue, LedgerUnwritable, MalformedRequest, RequestRefused
from integrator.identity.applications import Application, Applications
from integrator.identity.grants import authzen, mine, recorded, would
from integrator.model import Caller
from integrator.policy.telling import Naming, as_written
from integrator.services import Service

Json = dict[str, Any]
Write = Callable[[Sequence[Draft]], Awaitable[Any]]
ACTIVITY, RETENTION = "https://ropa.integrator.example/own_rights/v1", "Y10"
_TRACE = re.compile(r"[0-9a-f]{32}").fullmatch
_ENTRIES = re.compile(r"([A-Za-z0-9./_-]{1,200})/(\d{1,15})(?:,\d{1,15}){0,200}").fullmatch


class ExchangeUnknown(RequestRefused):
    """No such exchange of this organisation: it does not exist, or is another's. Nobody is told which."""

    code, where = "EXCHANGE_UNKNOWN", "C1"
    advice = "Copy BelGov-Trace-Id, Integrator-Ledger-Entries or Audit-Receipt whole; an exchange is found a few seconds after its answer."


class Reports(Protocol):
    """As audit.reports.Reports. Both block."""

    def exchange(self, trace_id: str, *, org: str | None = None) -> Any: ...
    def row(self, shard: str, index: int) -> Any: ...


class Bureau:
    """One for each hub."""

    def __init__(
        self, exchange: would.Exchange, services: Mapping[str, Service], applications: Applications, laws: Callable[[], Mapping[str, mine.Law]],
        reports: Reports | None, write: Write, now: Callable[[], float], naming: Naming = as_written,
    ) -> None:  # fmt: skip
        self.exchange, self.services, self.now = exchange, services, now
        self._applications, self._laws, self._reports, self._write, self._naming = (
            applications,
            laws,
            reports,
            write,
            naming,
        )

    # --- what is held -----------------------------------------------------------------------------------------------

    async def mine(self, caller: Caller, *, every: bool, trace: str) -> Json:
        """For the token's purpose, or for every purpose the application is enrolled for."""
        await self._record("authorisation.grants", caller, trace)
        return self.held(self._own(caller), [caller.purpose] if not every else None)

    def held(self, application: Application, purposes: Sequence[str] | None = None) -> Json:
        """The same without a look being recorded, for who shows it to its owner (the page)."""
        chosen = sorted(application.purposes) if purposes is None else purposes
        return mine.mine(
            self.exchange.policies,
            self.services,
            self._laws(),
            application.organisation,
            application.id,
            chosen,
            self.now(),
        )

    # --- what would be ----------------------------------------------------------------------------------------------

    async def preview(self, caller: Caller, body: Mapping[str, Any], *, trace: str) -> Json:
        """A question weighed without being asked. Raises `MalformedRequest`, `LedgerUnwritable`."""
        wish = would.read_wish(body, self.services)
        one = would.weigh(self.exchange, self.services[wish.service], caller, wish, self.now())
        told = would.told(one)
        await self._record(
            "authorisation.preview",
            caller,
            trace,
            source={"service": wish.service},
            policy=_policy(told),
            reason=told.get("reason"),
        )
        return told

    async def evaluation(self, caller: Caller, body: Mapping[str, Any], *, trace: str) -> Json:
        """One evaluation of AuthZEN. Raises `MalformedRequest`, `LedgerUnwritable`."""
        done = self._evaluate(authzen.read_evaluation(body), caller)
        await self._record(
            "authorisation.evaluate", caller, trace, count=1, reason=None if done.decision else done.reason
        )
        return {"decision": done.decision, "context": done.context}

    async def evaluations(self, caller: Caller, body: Mapping[str, Any], *, trace: str) -> Json:
        """Several of them, in order; one that cannot be read is a refusal of its own. Raises as `evaluation`."""
        items = body.get("evaluations")
        if items is None or items == []:
            return await self.evaluation(caller, body, trace=trace)
        if not isinstance(items, list) or len(items) > authzen.MOST:
            raise MalformedRequest(
                Issue("schemaViolation", "body", "/evaluations", f"a list of at most {authzen.MOST} objects")
            )
        semantic = authzen.read_semantic(body)
        defaults = {name: body[name] for name in ("subject", "action", "resource", "context") if name in body}
        done: list[Json] = []
        for number, item in enumerate(items):
            done.append(self._one(item, defaults, number, caller))
            decision = done[-1]["decision"]
            if (semantic == "deny_on_first_deny" and not decision) or (
                semantic == "permit_on_first_permit" and decision
            ):
                break
        await self._record("authorisation.evaluate", caller, trace, count=len(done))
        return {"evaluations": done}

    def _one(self, item: Any, defaults: Json, number: int, caller: Caller) -> Json:
        try:
            if not isinstance(item, dict):
                raise MalformedRequest(Issue("schemaViolation", "body", f"/evaluations/{number}", "an object"))
            evaluated = self._evaluate(authzen.read_evaluation({**defaults, **item}, f"/evaluations/{number}"), caller)
        except MalformedRequest as refused:
            message = "; ".join(f"{issue.name}: {issue.detail}" for issue in refused.issues)
            return {"decision": False, "context": {"error": {"status": 400, "message": message}}}
        return {"decision": evaluated.decision, "context": evaluated.context}

    def _evaluate(self, asked: authzen.Asked, caller: Caller) -> authzen.Evaluated:
        return authzen.evaluate(
            asked, caller, self._own(caller), self._applications.get, self.exchange, self.services, self.now()
        )

    # --- what was ---------------------------------------------------------------------------------------------------

    async def explain(self, caller: Caller, body: Mapping[str, Any], *, trace: str) -> Json:
        """Why an exchange of the caller's organisation ended as it did. Raises `ExchangeUnknown`, `MalformedRequest`."""
        rows = await asyncio.to_thread(self._rows, place_of(body), caller.organisation)
        found = [row for row in rows if row.kind in recorded.CONCLUDES]
        told = [
            recorded.told(one, self._naming)
            for row in found
            if (one := recorded.recorded(self.exchange.policies, self.services, {**row.entry, "type": row.kind}))
            is not None
        ]
        if not told:
            raise ExchangeUnknown
        await self._record("authorisation.explain", caller, trace, place=(found[0].shard, found[0].index))
        return {"traceId": found[0].trace_id, "decisions": told}

    def _rows(self, place: str | tuple[str, int], organisation: str) -> Sequence[Any]:
        if self._reports is None:
            return ()
        if isinstance(place, tuple):
            row = self._reports.row(*place)
            if row is None or row.org != organisation:
                return ()
            place = str(row.trace_id)
        return [row for row in self._reports.exchange(place, org=organisation).rows if row.org == organisation]

    # --- inside -----------------------------------------------------------------------------------------------------

    def _own(self, caller: Caller) -> Application:
        found = self._applications.get(caller.application)
        if found is None:  # taken back since its token was looked at
            raise ExchangeUnknown
        return found

    async def _record(
        self, name: str, caller: Caller, trace: str, *, count: int | None = None, reason: str | None = None, place: tuple[str, int] | None = None,
        **clear: Any,
    ) -> None:  # fmt: skip
        purpose = self.exchange.policies.purposes.get(caller.purpose)
        entry: Json = {
            "status": "Ok", "initiator": "official" if caller.agent else "system", "consumer": {"org": caller.organisation, "app": caller.application},
            "dpl.core.processing_activity_id": purpose.activity if purpose else ACTIVITY, **{key: one for key, one in clear.items() if one},
        }  # fmt: skip
        entry |= {"reason_code": reason} if reason else {}
        entry |= {"counts": {"records": count}} if count is not None else {}
        entry |= {"shard": place[0], "index": place[1]} if place is not None else {}
        draft = Draft(
            type="decision",
            trace_id=trace,
            span_id=os.urandom(8).hex(),
            name=name,
            retention=RETENTION,
            clear=entry,
            agent=caller.agent,
        )
        try:
            await self._write([draft])
        except LedgerError as error:
            raise LedgerUnwritable("the ledger could not be written") from error


def place_of(body: Mapping[str, Any]) -> str | tuple[str, int]:
    """A trace id, or where one of its entries stands. Raises `MalformedRequest`: exactly one way to name an exchange."""
    match dict(body):
        case {"traceId": str() as trace, **rest} if not rest and _TRACE(trace.replace("-", "")):
            return trace.replace("-", "")
        case {"entries": str() as entries, **rest} if not rest and (found := _ENTRIES(entries)):
            return found[1], int(found[2])
        case {"receipt": str() as receipt, **rest} if not rest and len(receipt) < 4_096:
            return _receipt(receipt)
    ways = "traceId (32 hexadecimal digits), entries (SHARD/INDEX,…) or receipt, exactly one of them"
    raise MalformedRequest(Issue("exactlyOneOfExpected", "body", "/", ways))


def _receipt(text: str) -> tuple[str, int]:
    """Only where it points; whether it is signed matters to who keeps it, not to who may read what it points at."""
    try:
        note = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)).decode()
        shared = note.startswith(
            SHARED_LINE + "\n"
        )  # with others of its commit: five lines, then what leads to their root
        text = "\n".join(note.split("\n")[:5]) if shared else note.partition("\n\n")[0]
        receipt = Receipt.parse(text + "\n", SHARED_LINE if shared else FIRST_LINE)
    except (ValueError, ProofInvalid):
        raise MalformedRequest(Issue("rejectedInput", "body", "/receipt", "the header Audit-Receipt, whole")) from None
    return receipt.origin, receipt.index


def _policy(told: Json) -> Json:
    return {"id": told.get("rule") or "none", "decision": told["decision"]}
