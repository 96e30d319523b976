"""Pushes messages to subscribers: signed, bounded in time and size, never redirected; a receiver that fails is left alone.

2xx delivered · 410 and other 4xx never again · 408, 409, 425, 429 and 5xx, no answer, a redirect: again, later
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from integrator import clock
from integrator.delivery.terms import Held, Sent
from integrator.delivery.webhooks.cloudevents import KIND, event
from integrator.delivery.webhooks.guard import may_connect
from integrator.delivery.webhooks.signing import Signer
from integrator.transport.breaker import Breaker

_LATER = frozenset((408, 409, 425, 429))
_PATIENCE = 10.0  # seconds for one attempt, connecting included
_LONGEST_WAIT = 3_600.0
_FRESH = 1.0  # seconds that a target is believed
_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Target:
    """Where the messages of one subscription go now; `url` None: nowhere any more, and `why`."""

    url: str | None
    why: str = ""


Find = Callable[[str], Awaitable[Target]]  # a subscription's uid


class Push:
    """Implements Sender. `types`: CloudEvents type of each service."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        signer: Signer,
        find: Find,
        types: Mapping[str, str],
        *,
        issuer: str,
        sandbox: bool,
        now: clock.Now,
        rest: float = 5.0,
    ) -> None:
        """`rest`: seconds that a receiver which keeps failing is left alone."""
        self._session, self._signer, self._find, self._types = session, signer, find, types
        self._issuer, self._sandbox, self._now, self._rest = issuer, sandbox, now, rest
        self._circuits: dict[str, Breaker] = {}
        self._targets: dict[str, tuple[Target, float]] = {}  # … and until when (monotonic)

    def closed(self) -> list[str]:
        """Recipients that fail too often: they are left alone until their circuit tries one again."""
        return [recipient for recipient, circuit in self._circuits.items() if circuit.wait() > 0]

    def circuits(self) -> dict[str, str]:
        """recipient -> closed | half_open | open"""
        return {recipient: circuit.state for recipient, circuit in self._circuits.items()}

    async def send(self, held: Held, content: Mapping[str, Any]) -> Sent:
        """See Sender.send."""
        target = await self._target(held.recipient)
        if target.url is None:
            return Sent("never", target.why)
        if not may_connect(target.url, sandbox=self._sandbox):
            return Sent("never", "ADDRESS_FORBIDDEN")
        circuit = self._circuit(held.recipient)
        if (wait := circuit.wait()) > 0:
            return Sent("again", "CIRCUIT_OPEN", wait)
        probe, well = circuit.enter(), None
        try:
            sent = await self._post(target.url, held, content)
            well = sent.verdict != "again"
            return sent
        finally:
            circuit.leave(probe, well)

    async def _post(self, url: str, held: Held, content: Mapping[str, Any]) -> Sent:
        told = event(held, content, issuer=self._issuer, type_=self._types.get(held.service, held.service))
        body = orjson.dumps(told)
        headers = self._signer.headers(held.uid, int(self._now()), body) | {"Content-Type": KIND}
        try:
            async with (
                asyncio.timeout(_PATIENCE),
                self._session.post(url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                return _judged(answer.status, answer.headers.get("Retry-After", ""))
        except TimeoutError:
            return Sent("again", "TIMEOUT")
        except (aiohttp.ClientError, OSError):  # its words hold the address: only the kind is kept
            return Sent("again", "NO_CONNECTION")

    async def _target(self, recipient: str) -> Target:
        """Looked up at most once a second: a subscription that ends is over within that."""
        known = self._targets.get(recipient)
        if known is None or known[1] <= time.monotonic():
            if len(self._targets) > _REMEMBERED:
                self._targets.clear()
            known = self._targets[recipient] = (await self._find(recipient), time.monotonic() + _FRESH)
        return known[0]

    def _circuit(self, recipient: str) -> Breaker:
        found = self._circuits.get(recipient)
        if found is None:
            found = self._circuits[recipient] = Breaker(clock=time.monotonic, of=10, open_seconds=self._rest)
        return found


def _judged(status: int, retry_after: str) -> Sent:
    """
    >>> _judged(204, "").verdict, _judged(410, "").verdict, _judged(503, "30"), _judged(302, "").reason
    ('delivered', 'never', Sent(verdict='again', reason='HTTP_503', wait=30.0), 'REDIRECT')
    """
    if 200 <= status < 300:
        return Sent("delivered")
    if 300 <= status < 400:
        return Sent("again", "REDIRECT")
    wait = min(float(retry_after), _LONGEST_WAIT) if retry_after.isdigit() else 0.0
    return Sent("again" if status >= 500 or status in _LATER else "never", f"HTTP_{status}", wait)
