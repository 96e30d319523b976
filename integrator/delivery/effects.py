"""Effects at a source: register, declare, correct, erase, hand over. Done once, though replies get lost.

    first attempt            ─► do(key)    done · refused · surely not done (again, later) · ReplyLost: unknown
    after anything unknown   ─► ask(key)   done · not done: only then do(key) again · no answer: still unknown

The key is the delivery's own id, the same at every attempt: a source that knows Idempotency-Key does the same thing once
even then; one that does not is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from integrator.delivery.terms import Held, Sent
from integrator.errors import SourceError, SourceFault, SourceRefused, SourceUnavailable


class ReplyLost(SourceError):
    """The request may have arrived; no reply came. Never raise it for a connection that was not made."""

    code, where, retryable = "REPLY_LOST", "D1", True


class Effect(Protocol):
    """One operation of one source that changes something. Personal data in `keys` and `content` are the connector's to protect.

    `do` raises ReplyLost when it may have happened, SourceUnavailable when it surely did not, SourceRefused or SourceFault
    when the source said no for good. `ask` answers whether it happened under this key, and raises as any question.
    """

    async def do(self, key: str, keys: Mapping[str, Any], content: Mapping[str, Any]) -> None: ...

    async def ask(self, key: str, keys: Mapping[str, Any]) -> bool: ...


class Effects:
    """Implements Sender over the effects there are, by the name that a message's recipient gives."""

    def __init__(self, effects: Mapping[str, Effect]) -> None:
        self._effects = effects

    async def send(self, held: Held, content: Mapping[str, Any]) -> Sent:
        """See Sender.send."""
        effect = self._effects.get(held.recipient)
        if effect is None:
            return Sent("again", "NOT_CONNECTED")
        if held.lost:
            try:
                if await effect.ask(held.uid, held.keys):
                    return Sent("delivered")
            except SourceError as error:
                return Sent("unknown", error.code, float(getattr(error, "retry_after", 0)))
        return await _do(effect, held, content)


async def _do(effect: Effect, held: Held, content: Mapping[str, Any]) -> Sent:
    try:
        await effect.do(held.uid, held.keys, content)
    except ReplyLost as error:
        return Sent("unknown", error.code)
    except SourceUnavailable as error:
        return Sent("again", error.code, float(error.retry_after))
    except (SourceRefused, SourceFault) as error:
        return Sent("never", error.reason)
    return Sent("delivered")


class Everywhere:
    """One effect made of several, for what must happen wherever data are (erase, hand over): done when all are done.

    Each part has a key of its own, so what is done in one place is not done again because another place was down.
    """

    def __init__(self, parts: Mapping[str, Effect]) -> None:
        if not parts:
            raise ValueError("an effect without parts would be done at once, and nothing with it")
        self._parts = dict(sorted(parts.items()))

    async def do(self, key: str, keys: Mapping[str, Any], content: Mapping[str, Any]) -> None:
        """In order; a part that fails stops it, and those before it are found done the next time."""
        for name, part in self._parts.items():
            if not await part.ask(f"{key}:{name}", keys):
                await part.do(f"{key}:{name}", keys, content)

    async def ask(self, key: str, keys: Mapping[str, Any]) -> bool:
        for name, part in self._parts.items():
            if not await part.ask(f"{key}:{name}", keys):
                return False
        return True
