"""The only way out of the house: one HTTP question to one source, bounded in time, size, number and patience.

    call ─► breaker ─► bulkhead (waiting counts) ─► aiohttp, pooled ─► capped read ─► HttpAnswer
                 └──────────── NoAnswer, fast and repeatable ─► retry.py (tenacity, within deadline and budget)

Nothing of the question may reach a log through an exception: aiohttp puts URLs in its messages, and sources such as the
DIV want a national number there. So its errors are named here by their kind and not kept as a cause.
"""

from __future__ import annotations

import asyncio
import math
import re
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import quote, urlencode

import aiohttp
from yarl import URL

from integrator.contract import HttpAnswer
from integrator.errors import ConfigurationError, SourceFault, SourceThrottled, SourceUnavailable
from integrator.transport.breaker import Breaker
from integrator.transport.pool import FRESH, open_session
from integrator.transport.reading import Reader
from integrator.transport.retry import NoAnswer, RetryBudget, RetryPlan

__all__ = ["Channel", "Limits", "Observe", "open_session"]

Observe = Callable[[str, str, float], None]  # source, outcome, seconds; outcomes: see Channel

STALE_TRIES: Final = 3  # kept-alive connections that the peer closed: how many may turn out dead in one attempt


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
        session: aiohttp.ClientSession,
        limits: Limits,
        *,
        observe: Observe | None = None,
        tls: ssl.SSLContext | None = None,  # client certificate and authorities for this source; None = the machine's
        gzip: bool = False,  # ask for packed answers, and unpack them within the size limit
    ) -> None:
        base = URL(url)
        if base.scheme not in ("http", "https") or not base.host or base.query_string or base.user:
            raise ConfigurationError(f"sources.{source}.url: http(s)://host[:port][/prefix], nothing else")
        self.source, self.limits = source, limits
        self.breaker = Breaker(
            clock=time.monotonic, share=limits.breaker_failures, of=limits.breaker_of, open_seconds=limits.open_seconds
        )
        self._scheme, self._authority, self._prefix = base.scheme, base.authority, base.raw_path.rstrip("/")
        self._session, self._observe = session, observe
        self._reader = Reader(source, limits.answer_bytes, gzip=gzip)
        self._places = asyncio.Semaphore(limits.concurrency)
        self._budget = RetryBudget()
        self._plan = RetryPlan(limits.attempts)
        self._options: dict[str, Any] = {
            "allow_redirects": False,
            "timeout": aiohttp.ClientTimeout(total=None, connect=limits.connect, sock_connect=limits.connect),
            "ssl": tls if tls is not None else True,
        }
        self._packing = {"Accept-Encoding": "gzip" if gzip else "identity"}

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
        call = _Call(method, self._url(path, query), body, {**self._packing, **(headers or {})}, until, repeatable)
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
            async with asyncio.timeout(given), self._places:
                self._refuse_when_open()  # it may have opened while we waited for a place
                probe, sent = self.breaker.enter(), time.monotonic()
                try:
                    answer = await self._exchange(call)
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

    async def _exchange(self, call: _Call) -> HttpAnswer:
        """Send and read; again at once for a kept-alive connection that its peer had closed in the meantime."""
        for left in reversed(range(STALE_TRIES)):
            FRESH.set(False)
            response: aiohttp.ClientResponse | None = None
            failure: Exception
            try:
                response = await self._session.request(
                    call.method, call.url, data=call.written(), headers=call.headers, **self._options
                )
                return await self._reader.read(response)
            except aiohttp.ClientError as error:
                stale = response is None and not FRESH.get() and isinstance(error, _GONE)
                if stale and left and call.repeatable:
                    continue
                failure = self._named(error)
            finally:
                if response is not None and not response.closed:
                    response.close()  # not read to its end: this connection cannot be used again
            break
        raise failure  # here and not in the handler: aiohttp's own error, with its URL, must not stay attached to it

    def _named(self, error: aiohttp.ClientError) -> Exception:
        if isinstance(error, aiohttp.ClientSSLError):
            return SourceFault(self.source, "TLS", "its certificate or our handshake does not hold")
        if isinstance(error, aiohttp.ClientResponseError):
            return SourceFault(self.source, "HTTP", "what came is not HTTP")
        return NoAnswer(type(error).__name__, again=isinstance(error, (*_GONE, *_CUT)))

    def _refuse_when_open(self) -> None:
        left = self.breaker.wait()
        if left:
            raise NoAnswer("open", again=False, retry_after=math.ceil(left))

    def _unavailable(self, failure: NoAnswer) -> SourceUnavailable:
        error = SourceUnavailable(self.source, _WORDS.get(failure.what, failure.what))
        error.retry_after = failure.retry_after or (2 if failure.what == "busy" else error.retry_after)
        return error

    def _url(self, path: str, query: Mapping[str, str] | None) -> URL:
        if not _PATH.fullmatch(path) or "/../" in path + "/":
            raise ValueError("path: absolute, percent-encoded, without query, fragment or climbing")
        return URL.build(
            scheme=self._scheme,
            authority=self._authority,
            path=self._prefix + path,
            query_string=urlencode(query, safe="", quote_via=quote) if query else "",
            encoded=True,
        )


@dataclass(frozen=True, slots=True)
class _Call:
    """One question, as every attempt of it is sent."""

    method: str
    url: URL
    body: bytes | Callable[[], bytes] | None
    headers: Mapping[str, str]
    until: float
    repeatable: bool

    def written(self) -> bytes | None:
        return self.body() if callable(self.body) else self.body


_PATH: Final = re.compile(r"/[!\"$->@-~]*")
_ILL: Final = frozenset({"HTTP", "TLS"})  # faults of the source as a whole
_GONE: Final = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)
_CUT: Final = (aiohttp.ClientPayloadError, aiohttp.ServerTimeoutError)
_WORDS: Final = {
    "timeout": "no answer within the time given",
    "busy": "every place was taken until the deadline",
    "open": "it failed too often just now, so it is not asked for a moment",
    "ServerDisconnectedError": "it closed the connection without an answer",
    "ClientConnectorError": "no connection",
    "ConnectionTimeoutError": "no connection in time",
    "ClientPayloadError": "the answer broke off",
}
