"""One connection to a source, with one question on it at a time: bytes out, one whole answer in, or why there is none.

An answer is framed one way only: by one Content-Length, by chunks, or by the end of the connection. llhttp refuses two
of these at once; whatever comes beside or after an answer costs the connection, so that it never becomes the next one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from integrator.contract import HttpAnswer
from integrator.errors import SourceError, SourceFault
from integrator.transport.reading import Reader
from integrator.transport.retry import NoAnswer

HEAD_BYTES: Final = 32_768  # status line, fields and trailers of one answer, interim ones included
HEAD_FIELDS: Final = 128
_NO_BODY: Final = frozenset((204, 304))


class Gone(Exception):
    """The connection ended before a single byte of the answer: a kept one may simply have gone stale."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class Fields(Mapping[str, str]):
    """The header fields of an answer, found whatever their case; of two of one name, the first."""

    __slots__ = ("_found",)

    def __init__(self, found: dict[str, str]) -> None:
        self._found = found  # by lower-case name

    def __getitem__(self, name: str) -> str:
        return self._found[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


class Connection(asyncio.Protocol):
    """One socket. `ask` MUST NOT be called while another question is on it, nor when it is not `free`."""

    def __init__(self) -> None:
        self.since = 0.0  # when it was put by, on the monotonic clock
        self._parser = HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[HttpAnswer] | None = None  # whom somebody waits for
        self._reader: Reader | None = None
        self._fresh()

    def _fresh(self) -> None:
        """Nothing of the next answer is known yet."""
        self._received = 0  # bytes of it, head and framing included
        self._head = 0  # bytes of fields
        self._fields: dict[str, str] = {}
        self._count = 0  # fields, trailers too
        self._status = 0
        self._parts: list[bytes] = []
        self._size = 0
        self._in_body = self._whole = self._until_end = self._keep = False
        self._failure: Exception | None = None

    # --- asking

    @property
    def free(self) -> bool:
        """Whether the next question may go this way: the last answer is whole, and nothing came after it."""
        return self._transport is not None and self._answer is None and not self._transport.is_closing()

    async def ask(self, request: bytes, reader: Reader) -> HttpAnswer:
        """Raises Gone, NoAnswer, or a SourceError."""
        transport = self._transport
        if transport is None or transport.is_closing():
            raise Gone("gone")
        self._fresh()
        self._reader = reader
        answer: asyncio.Future[HttpAnswer] = asyncio.get_running_loop().create_future()
        self._answer = answer
        transport.write(request)
        try:
            return await answer
        finally:
            if self._answer is not None:  # cancelled, or out of time: what still comes belongs to nobody
                self._answer = None
                self.close()

    def close(self) -> None:
        """At once; what is written and not sent yet is dropped."""
        if self._transport is not None:
            self._transport.abort()

    def _told(self, answer: HttpAnswer | Exception, *, keep: bool) -> None:
        waiting, self._answer, self._reader = self._answer, None, None
        if not keep:
            self.close()
        if waiting is None or waiting.done():
            return
        if isinstance(answer, Exception):
            waiting.set_exception(answer)
        else:
            waiting.set_result(answer)

    # --- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        reader = self._reader
        if (
            self._answer is None or reader is None
        ):  # nobody asked: it would be taken for the answer to the next question
            self.close()
            return
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            if not self._whole:  # after a whole answer only the connection is spoilt
                self._failure = self._failure or _no_http(reader)
            self._keep = False
        if self._failure is None and not self._whole:
            self._failure = self._too_much(reader)
        if self._failure is not None:
            self._told(self._failure, keep=self._whole and self._keep)
        elif self._whole:
            self._told(self._read(reader), keep=self._keep)

    def connection_lost(self, exc: Exception | None) -> None:
        reader, self._transport = self._reader, None
        if self._answer is None or reader is None:
            return
        if not self._received:
            self._told(Gone("reset" if exc is not None else "gone"), keep=False)
        elif self._until_end and exc is None:
            self._told(self._read(reader), keep=False)
        else:
            self._told(NoAnswer("broken off" if self._in_body else "gone", again=True), keep=False)

    # --- llhttp's callbacks: they only note, so that no exception of ours is wrapped in one of theirs

    def on_message_begin(self) -> None:
        if self._whole:
            self._keep = False  # a second answer that nobody asked for

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._whole:
            return
        self._count += 1
        self._head += len(name) + len(value)
        if not self._in_body:  # a trailer comes too late to say anything
            self._fields.setdefault(name.decode("latin-1").lower(), value.decode("latin-1").strip(" \t"))

    def on_headers_complete(self) -> None:
        if self._whole or self._reader is None:
            return
        self._status = status = self._parser.get_status_code()
        self._in_body = status >= 200
        if not self._in_body:
            return
        fields = self._fields
        coding = fields.get("transfer-encoding")
        if coding is not None and (coding.lower() != "chunked" or self._parser.get_http_version() != "1.1"):
            self._failure = _no_http(self._reader)
        elif coding is None and "content-length" not in fields and status not in _NO_BODY:
            self._until_end = True
        try:
            self._reader.judge(status, Fields(fields))
        except (NoAnswer, SourceError) as refused:
            self._failure = self._failure or refused.with_traceback(None)
        else:
            announced = fields.get("content-length", "")
            if announced.isdecimal() and len(announced) < 19 and int(announced) > self._reader.limit:
                self._failure = self._failure or self._reader.too_large()

    def on_body(self, body: bytes) -> None:
        if self._whole or self._failure is not None:
            return
        self._size += len(body)
        if self._reader is not None and self._size > self._reader.limit:
            self._failure = self._reader.too_large()
            return
        self._parts.append(body)

    def on_message_complete(self) -> None:
        if self._whole:
            return
        if not self._in_body:  # 1xx: the answer is still to come
            self._fields.clear()
            return
        self._whole, self._keep = True, self._parser.should_keep_alive()

    # --- judging

    def _too_much(self, reader: Reader) -> Exception | None:
        """Fields without end are no HTTP; framing that costs far more than what it frames is a body too large."""
        framed = self._received if not self._in_body else self._head
        if framed > HEAD_BYTES or self._count > HEAD_FIELDS:
            return _no_http(reader)
        return reader.too_large() if self._received > HEAD_BYTES + 16 * reader.limit else None

    def _read(self, reader: Reader) -> HttpAnswer | Exception:
        if self._count > HEAD_FIELDS or self._head > HEAD_BYTES:
            self._keep = False
            return _no_http(reader)
        parts: Any = self._parts
        try:
            return reader.answer(self._status, Fields(self._fields), parts[0] if len(parts) == 1 else b"".join(parts))
        except SourceFault as fault:
            return fault.with_traceback(None)


def _no_http(reader: Reader) -> SourceFault:
    return SourceFault(reader.source, "HTTP", "what came is not HTTP")
