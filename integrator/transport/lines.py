"""The hot path's own HTTP/1.1: kept-alive connections to sources, one question at a time on each, parsed by llhttp.

    Lines (one a process) ──to()──► Line (one a source) ──ask()──► Connection (one socket) ──► HttpAnswer

Does less than a client library, and that is the point: no redirect, no cookie, no proxy, no unpacking, no repeated
request, no pipelining. What differential tests compare it with is plain.py, the same thing over aiohttp.
Nothing of a question is in an exception's text, nor in an exception that is kept as a cause.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Final

from yarl import URL

from integrator.contract import HttpAnswer
from integrator.errors import SourceFault
from integrator.transport.connection import Connection, Gone
from integrator.transport.reading import Reader
from integrator.transport.retry import NoAnswer

STALE_TRIES: Final = 3  # kept-alive connections that the peer closed: how many may turn out dead in one attempt
OURS: Final = frozenset(  # framing is ours to say: a second word on it would make two requests of one
    ("host", "content-length", "transfer-encoding", "connection", "expect", "upgrade", "te", "trailer", "keep-alive")
)
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_METHODS: Final = frozenset(("GET", "POST", "PUT", "PATCH", "DELETE"))  # HEAD would need another reading of lengths


class Lines:
    """All connections of a process to its sources. Make it inside the event loop, close it at the end."""

    def __init__(self, *, keep_alive: float = 15.0) -> None:
        """`keep_alive`: seconds that a connection may wait for its next question."""
        self._keep_alive = keep_alive
        self._lines: list[Line] = []
        self._sweeper: asyncio.TimerHandle | None = None
        self._closed = False

    def to(self, base: URL, source: str, *, connect: float, tls: ssl.SSLContext | None) -> Line:
        """The connections to one address. `connect`: seconds; `tls`: None = the machine's authorities."""
        if base.scheme == "https" and tls is None:
            tls = ssl.create_default_context()
        line = Line(base, source, connect, tls if base.scheme == "https" else None, self)
        self._lines.append(line)
        return line

    @property
    def keep_alive(self) -> float:
        return self._keep_alive

    @property
    def closed(self) -> bool:
        return self._closed

    def sweep_later(self) -> None:
        """A connection was put by: it will not wait for ever."""
        if self._sweeper is None and not self._closed:
            self._sweeper = asyncio.get_running_loop().call_later(self._keep_alive, self._sweep)

    def _sweep(self) -> None:
        self._sweeper = None
        if [line for line in self._lines if line.sweep()]:
            self.sweep_later()

    async def close(self) -> None:
        """Every connection ends; one that is being asked over gives its caller no answer."""
        self._closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        for line in self._lines:
            line.close()
        await asyncio.sleep(0)  # transports end at the next turn of the loop

    async def __aenter__(self) -> Lines:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class Line:
    """The connections to one source. Used from one event loop only."""

    def __init__(self, base: URL, source: str, connect: float, tls: ssl.SSLContext | None, lines: Lines) -> None:
        self._host, self._port = base.raw_host or "", base.port or 0
        self._source, self._connect, self._tls, self._lines = source, connect, tls, lines
        self._host_field = f" HTTP/1.1\r\nHost: {base.host_port_subcomponent}\r\n"
        self._idle: list[Connection] = []  # the one used last is taken first: the others may be let go
        self._busy: set[Connection] = set()

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
        """Send and read; again at once for a kept-alive connection that its peer had closed in the meantime.

        `target`: path and query, percent-encoded. Raises NoAnswer, a SourceError, or ValueError for what must not be
        sent. A cancelled question takes its connection along: its answer would be taken for the next one's.
        """
        if method not in _METHODS:
            raise ValueError("method: GET, POST, PUT, PATCH or DELETE")
        head = f"{method} {target}{self._host_field}{_written(fields)}"
        for left in reversed(range(STALE_TRIES)):
            body = write()
            request = _request(head, method, body)
            connection = self._take()
            kept = connection is not None
            if connection is None:
                connection = await self._open()
            self._busy.add(connection)
            try:
                return await connection.ask(request, reader)
            except Gone as gone:
                if not (kept and left and repeatable):
                    raise NoAnswer(gone.what, again=True) from None
            finally:
                self._busy.discard(connection)
                self._put_by(connection)
        raise NoAnswer("gone", again=True)

    def sweep(self) -> bool:
        """Let go who waited too long; whether somebody is left."""
        until = time.monotonic() - self._lines.keep_alive
        for connection in [one for one in self._idle if one.since <= until]:
            self._idle.remove(connection)
            connection.close()
        return bool(self._idle)

    def close(self) -> None:
        for connection in (*self._idle, *self._busy):
            connection.close()
        self._idle.clear()

    def _take(self) -> Connection | None:
        until = time.monotonic() - self._lines.keep_alive
        while self._idle:
            connection = self._idle.pop()
            if connection.free and connection.since > until:
                return connection
            connection.close()
        return None

    def _put_by(self, connection: Connection) -> None:
        if connection.free and not self._lines.closed:
            connection.since = time.monotonic()
            self._idle.append(connection)
            self._lines.sweep_later()
        else:
            connection.close()

    async def _open(self) -> Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._connect):
                _, connection = await loop.create_connection(
                    Connection, self._host, self._port, ssl=self._tls, server_hostname=self._host if self._tls else None
                )
            return connection
        except TimeoutError:
            failure: Exception = NoAnswer("late connection", again=True)
        except ssl.SSLError:
            failure = SourceFault(self._source, "TLS", "its certificate or our handshake does not hold")
        except (OSError, UnicodeError):
            failure = NoAnswer("no connection", again=True)
        raise failure  # here and not in the handler: what the system says of the address must not stay attached to it


def _written(fields: Mapping[str, str]) -> str:
    """Header lines. Raises ValueError for a name or a value that could end its line, or that is ours to say."""
    lines = []
    for name, value in fields.items():
        if name not in _known and not _may_be_sent(name):
            raise ValueError("a header that is not a connector's to send")
        lines.append(f"{name}: {value}\r\n")
    written = "".join(lines)
    if written.count("\r") != len(lines) or written.count("\n") != len(lines) or "\0" in written:
        raise ValueError("a header value holds a line break")
    return written


def _may_be_sent(name: str) -> bool:
    """Whether a header of this name is a connector's to send; remembered, for connectors send few different ones."""
    if not _NAME.fullmatch(name) or name.lower() in OURS:
        return False
    if len(_known) < 256:
        _known.add(name)
    return True


_known: set[str] = set()


def _request(head: str, method: str, body: bytes | None) -> bytes:
    """The whole request; a method that has a body says its length, also when that is nothing."""
    if body is None and method == "GET":
        return f"{head}\r\n".encode("latin-1")
    content = body or b""
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode("latin-1") + content
