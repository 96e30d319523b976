"""What answers tell in passing: remembered where alerts need it, and never long in the way of an answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from integrator.logs import log
from integrator.watching.happenings import Happenings

PATIENCE = 1.0  # seconds that an answer waits for this
REST = 30.0  # seconds after a failure in which nothing is learnt


def learning(happenings: Happenings, home: Callable[[str], str | None]) -> Callable[[Any, Any], Awaitable[None]]:
    """For `Recorder.learn`: takes a call and its outcome (integrator.recording). Never raises."""
    rested = 0.0

    async def learn(call: Any, outcome: Any) -> None:
        nonlocal rested
        kind, number = call.subject
        if kind != "nrn" or time.monotonic() < rested:
            return
        try:
            async with asyncio.timeout(PATIENCE):
                await happenings.learn(number, home(call.request.caller.organisation), outcome.values, outcome.facts)
        except (SQLAlchemyError, TimeoutError) as error:  # an alert less is no reason to keep an answer back
            rested = time.monotonic() + REST
            log.warning("happening_not_kept", error=type(error).__name__)

    return learn
