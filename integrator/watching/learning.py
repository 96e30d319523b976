"""What answers tell in passing: remembered where alerts need it, and never in the way of an answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from integrator.logs import log
from integrator.watching.happenings import Happenings


def learning(happenings: Happenings, home: Callable[[str], str | None]) -> Callable[[Any, Any], Awaitable[None]]:
    """For `Recorder.learn`: takes a call and its outcome (integrator.recording). Never raises."""

    async def learn(call: Any, outcome: Any) -> None:
        kind, number = call.subject
        if kind != "nrn":
            return
        try:
            await happenings.learn(number, home(call.request.caller.organisation), outcome.values, outcome.facts)
        except SQLAlchemyError as error:  # an alert less is no reason to refuse an answer
            log.warning("happening_not_kept", error=type(error).__name__)

    return learn
