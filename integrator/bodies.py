"""One question to every body of a source at once (ADR 25). Part of the one way through: exchange.py recorded each body's intent.

    each body ─► listed, or unknown with a reason ─► together, one document ─► trimmed to what is granted ─► covered

Nobody waits for anybody, and nobody's failure is anybody else's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from integrator import gathered
from integrator.calling import Calls, milliseconds_since
from integrator.errors import SourceFault
from integrator.gathered import Body, Told
from integrator.recording import Call, Outcome
from integrator.services import Gather


async def ask_each(
    calls: Calls, gather: Gather, whole: Call, each: Sequence[tuple[Body, Call]], deadline: float, began: float
) -> tuple[Outcome, list[Outcome], int | None]:
    """How the whole ended, how each body did, and seconds after which asking again may help. `began`: monotonic, of the whole."""
    take = partial(_listed, calls, gather)
    found = await asyncio.gather(*(calls.ask(call, deadline, take) for _, call in each))
    told = [Told(body, one.values, one.error) for (body, _), one in zip(each, found, strict=True)]
    outcome = calls.covered(whole, await calls.ask(whole, deadline, partial(_together, calls, told, began)))
    return outcome, found, gathered.retry_after(told)


async def _listed(calls: Calls, gather: Gather, call: Call, deadline: float, started: float) -> Outcome:
    """What one body lists, as the connector brings it: it is trimmed when all of it is together."""
    reply = await calls.said(call, calls.plan(call.service, call.permit), deadline)
    if reply.incomplete:
        raise SourceFault(call.source, "INCOMPLETE", "it did not tell all of it")
    listed = gathered.listed(reply.document, gather)
    return Outcome(listed, milliseconds=milliseconds_since(started), ended=calls.now())


async def _together(
    calls: Calls, told: Sequence[Told], began: float, call: Call, _deadline: float, _started: float
) -> Outcome:
    """Trimmed to what is granted; nothing is waited for, so it ends even when the time is over."""
    document = gathered.together(told, call.request.language)
    extracted = calls.plan(call.service, call.permit).extract(document, call.keys, lifts=call.permit.grant.lifts)
    return Outcome(
        extracted.values, extracted.facts, extracted.guarded, milliseconds=milliseconds_since(began), ended=calls.now()
    )
