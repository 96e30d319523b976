"""uvicorn's HTTP/1.1 protocol with the patience of a public counter: heads and answers have deadlines, framing one reading.

uvicorn itself waits for ever for a request head, reads a header of megabytes, and keeps a connection whose peer does
not take its answer. Here each of these ends, per connection and without touching any other. Refusals are problems.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Mapping
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from integrator.api.certificates import PEER
from integrator.api.limits import Limits
from integrator.api.problems import EdgeRefusal, Problems
from integrator.model import Trace

DOOR: Final = "integrator.door"  # in the scope: what our server can do that ASGI has no words for
_CLOSE = b"connection: close\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\n"


_RESET = struct.pack("ii", 1, 0)  # linger: on, for 0 seconds


class _Refused(Exception):
    """Stops the parser; the words are in the problem."""

    def __init__(self, problem: str, advice: str) -> None:
        super().__init__(problem)
        self.problem, self.advice = problem, advice


class Door:
    """One request as our server holds it. Whoever takes it out of the scope MUST drop it there: they hold each other."""

    __slots__ = ("_cycle", "_protocol")

    def __init__(self, protocol: EdgeProtocol, cycle: RequestResponseCycle) -> None:
        self._protocol, self._cycle = protocol, cycle

    def arrived(self) -> bool:
        """Whether the whole body is here, so that `receive` gives it without waiting."""
        return not self._cycle.more_body

    def answer(self, status: int, head: bytes, body: bytes, *, close: bool) -> bool:
        """See EdgeProtocol.at_once."""
        return self._protocol.at_once(self._cycle, status, head, body, close=close)


class EdgeProtocol(HttpToolsProtocol):
    """One connection. `limits` and `problems` are set on a subclass by `edge_protocol`."""

    limits: Limits
    problems: Problems

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_head = False
        self._head_size = 0
        self._head_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._refused: _Refused | None = None
        self._deaf = False  # a refusal waits for the answer before it: nothing more is read
        self._certificate: bytes | None = None  # the peer's, where it showed one

    # --- deadlines ------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        secured = transport.get_extra_info("ssl_object")
        if secured is not None:
            self._certificate = secured.getpeercert(binary_form=True)
        self.timeout_keep_alive_task = self.loop.call_later(self.limits.idle_seconds, self.timeout_keep_alive_handler)

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_timers()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        was_in_head = self._in_head
        super().data_received(data)
        if not self._in_head:
            if self._head_timer is not None:
                self._head_timer.cancel()
                self._head_timer = None
            return
        # Only a head that did not come in one piece is counted and timed: the ordinary request pays nothing.
        self._head_size = self._head_size + len(data) if was_in_head else len(data)
        if self._head_size > self.limits.head_bytes and not self.transport.is_closing():
            self._refuse(self._too_large())
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(self.limits.head_seconds, self._head_late)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        cycle = self.cycle
        if not self.pipeline and cycle.response_complete and cycle.more_body:
            self.transport.close()  # a body nobody read: its rest must not keep this connection open
        if self._deaf:
            self.transport.close()
        if self.transport.is_closing():
            self._await_reader()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._await_reader()

    def shutdown(self) -> None:
        super().shutdown()
        if self.transport.is_closing():
            self._await_reader()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._await_reader()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _await_reader(self) -> None:
        """From now on the peer has `write_seconds` to take what is written: close() alone would wait for ever."""
        if self._write_timer is None:
            self._write_timer = self.loop.call_later(self.limits.write_seconds, self._reader_late)

    def _reader_late(self) -> None:
        self._write_timer = None
        if self.transport.get_write_buffer_size():
            # Without the reset the kernel would go on keeping megabytes for a reader who does not read.
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.transport.abort()

    def _head_late(self) -> None:
        self._head_timer = None
        if self._in_head and not self.transport.is_closing():
            words = f"Request line and headers: all within {self.limits.head_seconds:g} seconds."
            self._refuse(_Refused("requestTimeout", words))

    def _cancel_timers(self) -> None:
        for timer in (self._head_timer, self._write_timer):
            if timer is not None:
                timer.cancel()
        self._head_timer = self._write_timer = None

    # --- one reading of a head ------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        if self._certificate is not None:
            self.scope[PEER] = self._certificate  # type: ignore[literal-required]

    def on_headers_complete(self) -> None:
        self._in_head = False
        try:
            self._check_head()
        except _Refused as refused:
            self._refused = refused  # the parser raises its own error from this one; send_400_response looks here
            raise
        super().on_headers_complete()
        self.scope[DOOR] = Door(self, self.cycle)  # type: ignore[typeddict-unknown-key]

    def at_once(self, cycle: RequestResponseCycle, status: int, head: bytes, body: bytes, *, close: bool) -> bool:
        """A whole answer in one write; False when it must go the ordinary way, because its reader does not read.

        `head`: header lines, each with its line end, content-length among them; `close`: one of them says so.
        """
        if cycle.response_started or self.flow.write_paused or cycle.scope["method"] == "HEAD":
            return False
        if cycle.disconnected:
            return True
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        if close:
            cycle.keep_alive = False
        elif not cycle.keep_alive:
            head += b"connection: close\r\n"
        cycle.transport.write(b"".join((STATUS_LINE[status], head, b"\r\n", body)))
        cycle.message_event.set()
        if not cycle.keep_alive:
            cycle.transport.close()
        cycle.on_response()
        return True

    def _check_head(self) -> None:
        size = len(self.url)
        lengths = codings = 0
        for name, value in self.headers:
            size += len(name) + len(value) + 4
            if name == b"content-length":
                lengths += 1
                # llhttp reads digits only; more than ten of them is a size nobody has, and int() of a million costs.
                if len(value) > 10 or not value.isdigit():
                    raise _Refused("badRequest", "Content-Length: digits only.")
            elif name == b"transfer-encoding":
                codings += 1
                if value.strip().lower() != b"chunked":
                    raise _Refused("badRequest", "Transfer-Encoding: chunked only, or send Content-Length.")
        if lengths + codings > 1:
            raise _Refused("badRequest", "One Content-Length, or one Transfer-Encoding: never two, never both.")
        if self.parser.get_http_version() not in ("1.0", "1.1"):
            raise _Refused("badRequest", "HTTP/1.1 is spoken here.")
        if codings and self.parser.get_http_version() != "1.1":
            raise _Refused("badRequest", "Transfer-Encoding does not exist before HTTP/1.1.")
        if size > self.limits.head_bytes or len(self.headers) > self.limits.head_fields:
            raise self._too_large()

    def _too_large(self) -> _Refused:
        return _Refused("requestHeadTooLarge", f"Request line and headers: at most {self.limits.head_bytes} bytes.")

    def send_400_response(self, msg: str) -> None:
        """Called by uvicorn when the parser stopped, also when we stopped it from a callback."""
        self._in_head = False
        refused = self._refused or _Refused("badRequest", "This is not HTTP/1.1 as RFC 9112 writes it.")
        self._refuse(refused)

    def _refuse(self, refused: _Refused) -> None:
        """Say why and close. Behind an answer under way, only close: a refusal must not be taken for that answer."""
        self._in_head = False
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            if self.pipeline or cycle.response_started or not cycle.more_body:
                self._deaf = True
                cycle.keep_alive = False
                self.pipeline.clear()
                return
            # Its own body is broken: whoever waits for the rest of it is told that there is none.
            cycle.disconnected = True
            cycle.message_event.set()
        digits = os.urandom(16).hex()
        rendered = self.problems.render(EdgeRefusal(refused.problem, refused.advice), Trace(digits, digits[:16]))
        trace = f"belgov-trace-id: {digits}\r\ncontent-length: {len(rendered.body)}\r\n".encode()
        kind = b"content-type: application/problem+json\r\n"
        self.transport.write(b"".join([STATUS_LINE[rendered.status], kind, trace, _CLOSE, b"\r\n", rendered.body]))
        self.transport.close()
        self._await_reader()


def edge_protocol(limits: Limits, problems: Problems) -> type[EdgeProtocol]:
    """The protocol class for one server."""
    members: Mapping[str, Any] = {"limits": limits, "problems": problems}
    return type("BoundEdgeProtocol", (EdgeProtocol,), dict(members))
