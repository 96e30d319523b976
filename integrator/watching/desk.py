"""Cases opened and closed by whoever keeps them: on record first, then kept.

state = await desk.opened(Teller("0207373429", "counter"), "IX-2026-17", number)
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from audit import Draft
from integrator.errors import Issue, LedgerUnwritable, MalformedRequest
from integrator.watching.cases import Cases, State

RETENTION = "Y10"
T = TypeVar("T")
_REFERENCE = re.compile(r"[\w./:-]{1,64}", re.ASCII)


class Writes(Protocol):
    async def write(self, draft: Draft) -> Any:
        """Durable when it returns. Raises `LedgerUnwritable`."""


@dataclass(frozen=True, slots=True)
class Teller:
    """Who says that a case is open or closed: an application, or the operator (`app` = command-line)."""

    organisation: str
    application: str
    agent: str | None = None


class CaseDesk:
    """Each statement is an `admin` entry: who explains looks by a case can be asked about that later."""

    def __init__(self, cases: Cases, ledger: Writes, now: Callable[[], float]) -> None:
        self._cases, self._ledger, self._now = cases, ledger, now

    async def opened(self, teller: Teller, reference: str, number: str | None = None) -> State:
        """Open, or open again. `number`: canonical, of the one person it is about. Raises `MalformedRequest`, `LedgerUnwritable`."""
        _check(reference)
        await self._record(teller, "case.opened", reference, number)
        org = teller.organisation
        return await _kept(lambda: self._cases.open(org, reference, self._micros(), number))

    async def closed(self, teller: Teller, reference: str) -> State | None:
        """Closed; None when this organisation never said it was open. Raises as `opened`."""
        _check(reference)
        org = teller.organisation
        if await _kept(lambda: self._cases.state(org, reference)) is None:
            return None
        await self._record(teller, "case.closed", reference, None)
        return await _kept(lambda: self._cases.close(org, reference, self._micros()))

    async def _record(self, teller: Teller, name: str, reference: str, number: str | None) -> None:
        await self._ledger.write(
            Draft(
                type="admin", trace_id=os.urandom(16).hex(), span_id=os.urandom(8).hex(), name=name, retention=RETENTION,
                clear={"consumer": {"org": teller.organisation, "app": teller.application}, "initiator": "official" if teller.agent else "system"},
                committed={"case_ref": reference}, subjects=[("nrn", number, "data-subject")] if number else (),
                agent=teller.agent,
            )
        )  # fmt: skip

    def _micros(self) -> int:
        return round(self._now() * 1_000_000)


def _check(reference: str) -> None:
    if not _REFERENCE.fullmatch(reference) or re.search(r"\d{11}", re.sub(r"[./:-]", "", reference)):
        advice = "1 to 64 letters, digits or . _ / : -, and no national number"
        raise MalformedRequest(Issue("schemaViolation", "body", "/dossierReference", advice))


async def _kept(work: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(work)
    except SQLAlchemyError as error:
        raise LedgerUnwritable("the register of cases cannot be reached; say it again") from error
