"""The same as lines.py over aiohttp: slower by a tenth of a millisecond, and what lines.py is compared with in tests.

aiohttp puts URLs in its messages, so its errors are named here by their kind and not kept as a cause.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from typing import Any, Final

import aiohttp
from yarl import URL

from integrator.contract import HttpAnswer
from integrator.errors import SourceFault
from integrator.transport.lines import STALE_TRIES
from integrator.transport.pool import FRESH
from integrator.transport.reading import Reader
from integrator.transport.retry import NoAnswer

_GONE: Final = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)
_CUT: Final = (aiohttp.ClientPayloadError, aiohttp.ServerTimeoutError)
_KINDS: Final = {
    "ServerDisconnectedError": "gone",
    "ClientConnectorError": "no connection",
    "ConnectionTimeoutError": "late connection",
    "ClientPayloadError": "broken off",
}


class Plain:
    """Implements integrator.transport.channel.Wires with a session of pool.py."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    def to(self, base: URL, source: str, *, connect: float, tls: ssl.SSLContext | None) -> PlainLine:
        """See Lines.to."""
        return PlainLine(self._session, base, source, connect, tls)


class PlainLine:
    """Implements integrator.transport.channel.Wire."""

    def __init__(
        self, session: aiohttp.ClientSession, base: URL, source: str, connect: float, tls: ssl.SSLContext | None
    ) -> None:
        self._session, self._base, self._source = session, base, source
        self._options: dict[str, Any] = {
            "allow_redirects": False,
            "timeout": aiohttp.ClientTimeout(total=None, connect=connect, sock_connect=connect),
            "ssl": tls if tls is not None else True,
        }

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
        """See Line.ask."""
        path, _, query = target.partition("?")
        url = URL.build(
            scheme=self._base.scheme, authority=self._base.authority, path=path, query_string=query, encoded=True
        )
        for left in reversed(range(STALE_TRIES)):
            FRESH.set(False)
            response: aiohttp.ClientResponse | None = None
            failure: Exception
            try:
                response = await self._session.request(method, url, data=write(), headers=dict(fields), **self._options)
                reader.judge(response.status, response.headers)
                return reader.answer(response.status, response.headers, await _capped(response, reader))
            except aiohttp.ClientError as error:
                stale = response is None and not FRESH.get() and isinstance(error, _GONE)
                if stale and left and repeatable:
                    continue
                failure = self._named(error)
            finally:
                if response is not None and not response.closed:
                    response.close()  # not read to its end: this connection cannot be used again
            break
        raise failure  # here and not in the handler: aiohttp's own error, with its URL, must not stay attached to it

    def _named(self, error: aiohttp.ClientError) -> Exception:
        if isinstance(error, aiohttp.ClientSSLError):
            return SourceFault(self._source, "TLS", "its certificate or our handshake does not hold")
        if isinstance(error, aiohttp.ClientResponseError):
            return SourceFault(self._source, "HTTP", "what came is not HTTP")
        kind = type(error).__name__
        return NoAnswer(_KINDS.get(kind, kind), again=isinstance(error, (*_GONE, *_CUT)))


async def _capped(response: aiohttp.ClientResponse, reader: Reader) -> bytes:
    limit, content = reader.limit, response.content
    body = await content.readany()
    if content.at_eof() and len(body) <= limit:  # the ordinary case: it was all there
        return body
    parts, size = [body], len(body)
    while size <= limit and not content.at_eof():
        parts.append(await content.readany())
        size += len(parts[-1])
    if size > limit:
        raise reader.too_large()
    return b"".join(parts)
