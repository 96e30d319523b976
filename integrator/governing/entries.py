"""Each step about a text as an entry of the ledger: which purpose, the digest of its exact text, and what was done.

    {"type": "policy", "name": "policy.approve", "trace_id": <the proposal's id>,
     "policy": {"id": "school_bonus", "ver": "sha256:…", "decision": "approved"}, …}

All entries of one proposal share its id as their trace. Who and why are sealed, as in every entry.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Protocol

from audit import Draft as Entry
from audit import LedgerError, Record
from audit.errors import EntryRefused
from integrator.errors import Issue, LedgerUnwritable, MalformedRequest
from integrator.governing.tables import Proposal, Suspension
from integrator.governing.words import ACTIVITY, RETENTION


class Ledger(Protocol):
    async def append(self, drafts: Sequence[Entry]) -> list[Record]: ...


class Scribe:
    """Writes steps; durable when a method returns. Raises `LedgerUnwritable`: then the step was not taken."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def step(self, one: Proposal, verb: str, done: str, who: str | None, role: str, words: str = "") -> None:
        """One entry for each text. `who` None: the hub itself, at the day that was agreed."""
        await self._write(
            [
                _entry(
                    one.id, f"policy.{verb}", {"id": draft.purpose, "ver": f"sha256:{draft.digest}", "decision": done},
                    who, role, words, {"start_time": one.effective * 1_000_000},
                )
                for draft in one.drafts
            ]
        )  # fmt: skip

    async def suspension(self, one: Suspension, verb: str, done: str, who: str, role: str, words: str) -> None:
        consumer = {"org": one.org} if one.org else {}
        policy = {"id": one.authorisation, "decision": done}
        await self._write([_entry(one.id, f"policy.{verb}", policy, who, role, words, {}, consumer)])

    async def _write(self, entries: list[Entry]) -> None:
        try:
            await self._ledger.append(entries)
        except EntryRefused as error:
            raise MalformedRequest(Issue("rejectedInput", "body", "/reason", "write it in plain text")) from error
        except LedgerError as error:
            raise LedgerUnwritable("the step could not be written in the ledger, so it was not taken") from error


def _entry(
    trace: str,
    name: str,
    policy: dict[str, str],
    who: str | None,
    role: str,
    words: str,
    more: dict[str, Any],
    consumer: dict[str, str] | None = None,
) -> Entry:
    clear = {
        "status": "Ok", "initiator": "official" if who else "system", "dpl.core.processing_activity_id": ACTIVITY,
        "consumer": {"app": "policy", **(consumer or {})}, "policy": policy, **more,
    }  # fmt: skip
    return Entry(
        type="policy", trace_id=trace, span_id=os.urandom(8).hex(), name=name, retention=RETENTION, clear=clear,
        committed={"justification": words} if words else {}, agent={"id": who, "role": role} if who else None,
    )  # fmt: skip
