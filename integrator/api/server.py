"""Running the API: uvicorn (on uvloop, which the program starts) with our protocol, and a clean end. `run` returns when the last answer is out.

SIGTERM or SIGINT: /readyz says no, after `noticeSeconds` no connection is accepted any more, requests that were
accepted are answered (up to `drainSeconds`), then `run` returns and the caller closes the hub.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import uvicorn

from integrator.api import tls
from integrator.api.app import Api, build
from integrator.api.hub import Hub
from integrator.api.protocol import edge_protocol
from integrator.logs import log


async def run(
    hub: Hub,
    host: str,
    port: int,
    *,
    sock: socket.socket | None = None,
    started: Callable[[int], None] | None = None,
    stop: asyncio.Event | None = None,
    secured: socket.socket | None = None,
) -> None:
    """Serve until a signal (or `stop`). `started` gets the port once connections are accepted; port 0 = any free one.

    `sock`: a bound socket, for several processes on one port (`listening_socket(..., shared=True)`). Where the settings
    have `tls`, a second listener speaks TLS (on `secured`, or on a socket of our own).
    """
    api = build(hub)
    safe = tls.context(hub.settings.tls) if hub.settings.tls else None
    listener = sock or listening_socket(host, port)
    if safe is not None and secured is None:
        secured = listening_socket(host, int(hub.settings.tls["port"]))
    server = _Server(
        _config(api), api, started=lambda: started(listener.getsockname()[1]) if started else None, stop=stop
    )
    if safe is not None and secured is not None:
        server.secure(secured, safe)
        log.info("listening", port=secured.getsockname()[1], kind="tls")
    log.info("listening", port=listener.getsockname()[1])
    await server.serve(sockets=[listener])
    log.info("stopped")


def listening_socket(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A bound TCP socket; `shared` lets several processes of one hub listen on the same port (SO_REUSEPORT)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind((host, port))
    return listener


def _config(api: Api) -> uvicorn.Config:
    limits = api.limits
    return uvicorn.Config(
        api.front,
        http=edge_protocol(limits, api.problems),
        ws="none",
        lifespan="off",
        log_config=None,  # integrator.logs has set logging up
        access_log=False,  # addresses may hold what callers should not have put there
        server_header=False,
        proxy_headers=False,  # X-Forwarded-For is anybody's word
        timeout_keep_alive=max(1, round(limits.idle_seconds)),
        timeout_graceful_shutdown=max(1, round(limits.drain_seconds)),
        backlog=4096,
    )


class _Server(uvicorn.Server):
    """uvicorn's server with our ending: it returns instead of raising the signal again, and gives notice first."""

    def __init__(
        self, config: uvicorn.Config, api: Api, *, started: Callable[[], None], stop: asyncio.Event | None
    ) -> None:
        super().__init__(config)
        self._api, self._started_callback, self._stop = api, started, stop
        self._secured: tuple[socket.socket, ssl.SSLContext] | None = None

    def secure(self, listener: socket.socket, context: ssl.SSLContext) -> None:
        """Speak TLS on this socket too."""
        self._secured = listener, context

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self._secured is not None:
            listener, context = self._secured
            self.servers.append(
                await asyncio.get_running_loop().create_server(
                    self._protocol, sock=listener, ssl=context, ssl_handshake_timeout=tls.HANDSHAKE,
                    backlog=self.config.backlog,
                )
            )  # fmt: skip
        gc.collect()
        gc.freeze()  # what was made at start lives as long as the process: the collector need not walk it again
        self._api.life.accepting = True
        self._started_callback()

    def _protocol(self) -> asyncio.Protocol:
        """As uvicorn makes them for its own sockets."""
        made: Any = self.config.http_protocol_class
        protocol: asyncio.Protocol = made(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state, _loop=None
        )
        return protocol

    async def on_tick(self, counter: int) -> bool:
        if self._stop is not None and self._stop.is_set():
            self.should_exit = True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._api.life.accepting = False
        log.info("stopping", count=self._api.front.in_flight)
        await asyncio.sleep(self._api.limits.notice_seconds)
        await super().shutdown(sockets=sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn's, but the signal is not raised a second time: the hub behind us must still be closed."""
        try:
            before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        except ValueError:  # not the main thread: whoever started us stops us by `stop`
            yield
            return
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._api.life.accepting = False  # at once, not at the next tick
        super().handle_exit(sig, frame)
