"""One pool of connections for all sources of a process; it knows which connections are new, and remembers nothing else."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Final

import aiohttp

FRESH: Final[ContextVar[bool]] = ContextVar(
    "fresh", default=False
)  # whether this attempt opened a connection of its own


class _Pool(aiohttp.TCPConnector):
    """Remembers, for the task that asks, whether its connection is a new one: only an old one can have gone stale."""

    async def _create_connection(self, req: Any, traces: Any, timeout: Any) -> Any:  # noqa: ASYNC109 (aiohttp's)
        FRESH.set(True)
        return await super()._create_connection(req, traces, timeout)


def open_session(*, keep_alive: float = 15.0) -> aiohttp.ClientSession:
    """One session for all channels of a process; call it inside the event loop and close it at the end.

    It stores no cookies, reads no proxies or .netrc from the environment and unpacks nothing.
    """
    session = aiohttp.ClientSession(
        connector=_Pool(limit=0, keepalive_timeout=keep_alive),  # the bulkheads limit, per source
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=False,
        skip_auto_headers=("User-Agent", "Accept-Encoding"),
        timeout=aiohttp.ClientTimeout(total=None),
    )
    # aiohttp would repeat a failed GET by itself, beside our budget and our count (its own test client does the same).
    session._retry_connection = False
    return session
