"""Effects at a source: register, declare, correct, erase, hand over. Done once, though replies get lost.

    first attempt            ─► do     done · refused · surely not done (again, later) · ReplyLost: unknown
    after anything unknown   ─► ask    done · not done: only then do again · no answer: still unknown

The delivery's own id goes along at every attempt: a source that knows such a key does the same thing once even then; one
that does not is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from integrator.delivery.terms import Held, Sent
from integrator.errors import IntegratorError, SourceError, SourceRefused, SourceUnavailable


class ReplyLost(SourceError):
    """The request may have arrived; no reply came that says what became of it. Never for a connection that was not made."""

    code, where, retryable = "REPLY_LOST", "D1", True


class Effect(Protocol):
    """One operation of one source that changes something. Personal data in keys and content are the connector's to protect.

    `do` raises ReplyLost when it may have happened, SourceUnavailable when it surely did not, SourceRefused when the source
    said no for good. `ask` answers whether it happened, and raises as any question. `content`: what is granted now.
    """

    async def do(self, held: Held, content: Mapping[str, Any]) -> None: ...

    async def ask(self, held: Held, content: Mapping[str, Any]) -> bool: ...


class Effects:
    """Implements Sender over the effects there are, by the name that a message's recipient gives."""

    def __init__(self, effects: Mapping[str, Effect]) -> None:
        self._effects = effects

    async def send(self, held: Held, content: Mapping[str, Any]) -> Sent:
        """See Sender.send."""
        effect = self._effects.get(held.recipient)
        if effect is None:  # taken away since: what may have been done is not called undone
            return Sent("unknown" if held.lost else "again", "NOT_CONNECTED")
        if held.lost:
            try:
                if await effect.ask(held, content):
                    return Sent("delivered")
            except IntegratorError as error:
                return Sent("unknown", error.code, float(getattr(error, "retry_after", None) or 0))
        return await _do(effect, held, content)


async def _do(effect: Effect, held: Held, content: Mapping[str, Any]) -> Sent:
    try:
        await effect.do(held, content)
    except ReplyLost as error:
        return Sent("unknown", error.code)
    except SourceUnavailable as error:
        return Sent("again", error.code, float(error.retry_after))
    except SourceRefused as error:
        return Sent("never", error.reason)
    return Sent("delivered")
