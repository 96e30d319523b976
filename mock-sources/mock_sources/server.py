"""How the mocks are served: uvicorn (uvloop, httptools), loopback only, no access log, sockets within reach.

The protocol class puts a `Wire` in the scope, so that a fault can really reset or close the TCP connection;
uvicorn keeps its transport to itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from typing import cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mock_sources.asgi import App

HOST = "127.0.0.1"
TRANSPORT = "mock.transport"
"""Key under `scope["extensions"]` of the Wire; absent when an app is called without a server."""

_GRACE = 1  # seconds that a hanging answer may hold up the end
_LINGER_NONE = struct.pack("ii", 1, 0)


class Wire:
    """The TCP connection below one request."""

    __slots__ = ("_transport",)

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def reset(self) -> None:
        """Abort so that the peer sees ECONNRESET: without lingering the kernel sends RST, not FIN."""
        opened = self._transport.get_extra_info("socket")
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NONE)
        self._transport.abort()

    def close(self) -> None:
        """Send what was written, then hang up."""
        self._transport.close()


class WireProtocol(HttpToolsProtocol):
    """uvicorn's own protocol, plus the Wire in each request's scope."""

    def on_message_begin(self) -> None:
        """Called by the parser when a request starts."""
        super().on_message_begin()
        self.scope["extensions"] = cast("dict[str, dict[object, object]]", {TRANSPORT: Wire(self.transport)})


class _Announced(uvicorn.Server):
    """A server that says when it listens."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()


def bind(port: int) -> socket.socket:
    """A listening address on loopback; port 0 takes a free one. Raises OSError when the port is taken."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((HOST, port))
    except OSError:
        opened.close()
        raise
    return opened


def server(app: App, ready: Callable[[], None]) -> uvicorn.Server:
    """A server for `run(sockets=[…])`; calls `ready` once it listens."""
    config = uvicorn.Config(
        cast("uvicorn._types.ASGI3Application", app),
        loop="uvloop",
        http=WireProtocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        access_log=False,
        log_level="error",
        server_header=False,
        timeout_graceful_shutdown=_GRACE,
    )
    return _Announced(config, ready)


@contextlib.contextmanager
def running(app: App, port: int = 0) -> Iterator[str]:
    """Serve `app` from a thread of this process; yields its base address. For tests and demos.

    Raises TimeoutError when it does not listen within ten seconds.
    """
    opened, ready = bind(port), threading.Event()
    serving = server(app, ready.set)
    thread = threading.Thread(target=lambda: serving.run(sockets=[opened]), name="mock-sources", daemon=True)
    thread.start()
    try:
        if not ready.wait(10):
            raise TimeoutError("the mock sources did not start listening")
        yield f"http://{HOST}:{opened.getsockname()[1]}"
    finally:
        serving.should_exit = True
        thread.join(10)
        opened.close()
