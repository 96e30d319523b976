"""The only way out of the house: one HTTP question to one source, bounded in time, size, number and patience.

    call ─► breaker ─► bulkhead (waiting counts) ─► lines.py, pooled ─► capped read ─► HttpAnswer
                 └──────────── NoAnswer, fast and repeatable ─► retry.py (tenacity, within deadline and budget)

Nothing of the question may reach a log through an exception: sources such as the DIV want a national number in the URL.
So what fails below is named by its kind and not kept as a cause.
"""

from __future__ import annotations

import asyncio
import math
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Final, Protocol

import aiohttp
from yarl import URL

from integrator.contract import HttpAnswer
from integrator.errors import ConfigurationError, SourceFault, SourceThrottled, SourceUnavailable
from integrator.fixed import fixed
from integrator.patience import Patience
from integrator.transport.breaker import Breaker
from integrator.transport.lines import Lines
from integrator.transport.plain import Plain
from integrator.transport.pool import open_session
from integrator.transport.reading import Reader
from integrator.transport.retry import NoAnswer, RetryBudget, RetryPlan
from integrator.transport.target import written

__all__ = ["Channel", "Limits", "Lines", "Observe", "Wire", "Wires", "open_session"]

Observe = Callable[[str, str, float], None]  # source, outcome, seconds; outcomes: see Channel


class Wire(Protocol):
    """The connections to one source: lines.Line, or plain.PlainLine as its reference."""

    async def ask(
        self,
        method: str,
        target: str,
        fields: Mapping[str, str],
        write: Callable[[], bytes | None],
        reader: Reader,
        *,
        repeatable: bool,
    ) -> HttpAnswer:
        """Raises NoAnswer, a SourceError, or ValueError for what must not be sent."""


class Wires(Protocol):
    """The connections of a process: lines.Lines, or plain.Plain."""

    def to(self, base: URL, source: str, *, connect: float, tls: ssl.SSLContext | None) -> Wire: ...


class Limits(Protocol):
    """What one source may cost us (`limits` of its manifest); any object with these names will do."""

    @property
    def timeout(self) -> float: ...  # seconds for one question: waiting, every attempt and every byte of them
    @property
    def connect(self) -> float: ...  # seconds, name lookup and TLS included
    @property
    def concurrency(self) -> int: ...  # questions under way at once
    @property
    def answer_bytes(self) -> int: ...  # as read, and again once unpacked
    @property
    def attempts(self) -> int: ...  # of repeatable questions, the first included
    @property
    def breaker_failures(self) -> float: ...  # share of …
    @property
    def breaker_of(self) -> int: ...  # … at least so many calls
    @property
    def open_seconds(self) -> float: ...


class Channel:
    """`Send` for one source. `observe` gets each call's outcome:

    ok · unavailable · timeout · busy (no free place in time) · open (breaker) · throttled · fault · cancelled
    """

    def __init__(
        self,
        source: str,
        url: str,
        wires: Wires | aiohttp.ClientSession,
        limits: Limits,
        *,
        observe: Observe | None = None,
        tls: ssl.SSLContext | None = None,  # client certificate and authorities for this source; None = the machine's
        gzip: bool = False,  # ask for packed answers, and unpack them within the size limit
        conditional: bool = False,  # questions may be conditional, so that 304 is an answer
    ) -> None:
        base = URL(url)
        if base.scheme not in ("http", "https") or not base.host or base.query_string or base.user:
            raise ConfigurationError(f"sources.{source}.url: http(s)://host[:port][/prefix], nothing else")
        self.source, self.limits = source, limits
        self.breaker = Breaker(
            clock=time.monotonic, share=limits.breaker_failures, of=limits.breaker_of, open_seconds=limits.open_seconds
        )
        self._prefix, self._observe = base.raw_path.rstrip("/"), observe
        through = Plain(wires) if isinstance(wires, aiohttp.ClientSession) else wires
        self._wire: Wire = through.to(base, source, connect=limits.connect, tls=tls)
        self._reader = Reader(source, limits.answer_bytes, gzip=gzip, conditional=conditional)
        self._places = asyncio.Semaphore(limits.concurrency)
        self._budget = RetryBudget()
        self._plan = RetryPlan(limits.attempts)
        self._packing = {"Accept": "*/*", "Accept-Encoding": "gzip" if gzip else "identity"}

    async def __call__(
        self,
        method: str,
        path: str,
        *,
        body: bytes | Callable[[], bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        deadline: float,
        query: Mapping[str, str] | None = None,
        repeatable: bool = True,
    ) -> HttpAnswer:
        """Ask. `path` is already percent-encoded, `query` is not; `deadline` is a `time.monotonic()` value.

        A `body` that is a function is called for every attempt: a source refuses to see one signature twice.

        Raises SourceUnavailable (no whole answer; 502, 503, 504), SourceThrottled (429), SourceFault (reason TOO_LARGE,
        REDIRECT, HTTP, TLS, ENCODING). Every other status is returned: what it means is the connector's to say.
        """
        started = time.monotonic()
        until = min(deadline, started + self.limits.timeout)
        call = _Call(
            method, self._prefix + written(path, query), body, {**self._packing, **(headers or {})}, until, repeatable
        )
        outcome = "cancelled"
        self._budget.earn()
        try:
            try:
                answer = await self._attempt(call)
            except NoAnswer as failure:
                if not (failure.again and repeatable and self._plan.attempts > 1):
                    raise
                answer = await self._plan.again(
                    failure, lambda: self._attempt(call), until=until, budget=self._budget, clock=time.monotonic
                )
            outcome = "ok"
            return answer
        except NoAnswer as failure:
            outcome = failure.what if failure.what in ("timeout", "busy", "open") else "unavailable"
            raise self._unavailable(failure) from None
        except SourceThrottled:
            outcome = "throttled"
            raise
        except SourceFault:
            outcome = "fault"
            raise
        finally:
            if self._observe is not None:
                self._observe(self.source, outcome, time.monotonic() - started)

    async def _attempt(self, call: _Call) -> HttpAnswer:
        """One attempt, from the breaker to the last byte. Raises `NoAnswer` or a SourceError."""
        self._refuse_when_open()
        given = call.until - time.monotonic()
        if given <= 0:
            raise NoAnswer("timeout", again=False)
        sent: float | None = None
        probe, well = False, None
        try:
            with Patience(given):
                async with self._places:
                    self._refuse_when_open()  # it may have opened while we waited for a place
                    probe, sent = self.breaker.enter(), time.monotonic()
                    try:
                        answer = await self._wire.ask(
                            call.method,
                            call.target,
                            call.headers,
                            call.written,
                            self._reader,
                            repeatable=call.repeatable,
                        )
                        well = True
                        return answer
                    except NoAnswer:
                        well = False
                        raise
                    except SourceFault as fault:
                        # What one question brings (too large, packed, sent elsewhere) must not close the source to others.
                        well = False if fault.reason in _ILL else None
                        raise
        except TimeoutError:
            if sent is None:
                raise NoAnswer("busy", again=False) from None
            # A caller in a hurry says nothing about the source; one who waited a fair while does.
            well = False if time.monotonic() - sent >= self.limits.timeout / 4 else None
            raise NoAnswer("timeout", again=False) from None
        finally:
            if sent is not None:
                self.breaker.leave(probe, well)

    def _refuse_when_open(self) -> None:
        left = self.breaker.wait()
        if left:
            raise NoAnswer("open", again=False, retry_after=math.ceil(left))

    def _unavailable(self, failure: NoAnswer) -> SourceUnavailable:
        error = SourceUnavailable(self.source, _WORDS.get(failure.what, failure.what))
        error.sent = failure.what not in _UNSENT
        error.retry_after = failure.retry_after or (2 if failure.what == "busy" else error.retry_after)
        return error


@fixed
class _Call:
    """One question, as every attempt of it is sent."""

    method: str
    target: str
    body: bytes | Callable[[], bytes] | None
    headers: Mapping[str, str]
    until: float
    repeatable: bool

    def written(self) -> bytes | None:
        return self.body() if callable(self.body) else self.body


_ILL: Final = frozenset({"HTTP", "TLS"})  # faults of the source as a whole
_UNSENT: Final = frozenset({"busy", "open", "no connection", "late connection"})
_WORDS: Final = {
    "timeout": "no answer within the time given",
    "busy": "every place was taken until the deadline",
    "open": "it failed too often just now, so it is not asked for a moment",
    "gone": "it closed the connection without an answer",
    "no connection": "no connection",
    "late connection": "no connection in time",
    "broken off": "the answer broke off",
}
