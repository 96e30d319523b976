"""Where a webhook may go: an https address that an operator registered, to a machine of the outside world.

A name is looked up once, by the connection itself, and every address it has must be outside: a name that is pointed at
our own network later (DNS rebinding) is refused at the next connection. Loopback and plain http exist in the sandbox only.
"""

from __future__ import annotations

import ipaddress
import socket
from functools import lru_cache
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from integrator.errors import ConfigurationError

_LONGEST = 300  # characters of an address
# Addresses that a translator on the way turns into others, of our own network too: NAT64 (RFC 6052, 8215), the old
# "compatible" IPv4 (after ::1, which is loopback), and site-local, which was never to leave a site.
_TRANSLATED = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "fec0::/10")))
_COMPATIBLE = ipaddress.ip_network("::/96")


class Forbidden(OSError):
    """This address is not outside. An OSError, so that a connection treats it as a name that cannot be reached."""


def check_url(text: str, *, sandbox: bool) -> str:
    """The address as it is registered. Raises `ConfigurationError`; `may_connect` looks again at every connection."""
    try:
        url = URL(text)
    except ValueError as error:
        raise ConfigurationError("this is no address: https://host/path") from error
    if not url.host or url.user or url.password or url.fragment or url.query_string or len(text) > _LONGEST:
        raise ConfigurationError("an address is https://host[:port]/path: no user, no query, no fragment")
    loopback = url.host == "localhost" or (_address(url.host) is not None and _address(url.host).is_loopback)  # type: ignore[union-attr]
    if url.scheme != "https" and not (sandbox and url.scheme == "http" and loopback):
        raise ConfigurationError("a webhook is pushed over https only")
    last = url.host.rpartition(".")[2]
    if _address(url.host) is None and (last.isdigit() or last.startswith("0x")):
        raise ConfigurationError("a number is no name: some would read an address in it")
    if _address(url.host) is not None and not allowed(url.host, sandbox=sandbox):
        raise ConfigurationError("this address is not one of the outside world")
    return str(url)


def allowed(address: str, *, sandbox: bool) -> bool:
    """Whether a connection to this IP address may be made.

    >>> [allowed(one, sandbox=False) for one in ("9.9.9.9", "10.0.0.1", "127.0.0.1", "169.254.169.254", "::ffff:10.0.0.1")]
    [True, False, False, False, False]
    """
    found = _address(address)
    if found is None:
        return False
    if any(found in network for network in _TRANSLATED if network.version == found.version):
        return False
    inner = getattr(found, "ipv4_mapped", None) or getattr(found, "sixtofour", None)
    if inner is not None:
        found = inner
    if found.is_loopback:
        return sandbox
    if found.version == 6 and found in _COMPATIBLE:
        return False
    return found.is_global and not found.is_multicast


class Guarded(AbstractResolver):
    """Looks names up as the machine does, and lets none through that has an address inside."""

    def __init__(self, *, sandbox: bool, look_up: Any = None) -> None:
        self._sandbox = sandbox
        self._look_up: AbstractResolver = look_up or aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._look_up.resolve(host, port, family)
        if not found or any(not allowed(one["host"], sandbox=self._sandbox) for one in found):
            raise Forbidden("the name leads inside")
        return found

    async def close(self) -> None:
        await self._look_up.close()


def open_way(*, sandbox: bool, per_host: int = 64) -> aiohttp.ClientSession:
    """A session for webhooks alone: guarded, without cookies, proxies or .netrc. Call it inside the event loop."""
    connector = aiohttp.TCPConnector(
        resolver=Guarded(sandbox=sandbox), limit=0, limit_per_host=per_host, use_dns_cache=False, keepalive_timeout=30.0
    )
    return aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, auto_decompress=False,
        skip_auto_headers=("User-Agent", "Accept-Encoding"), timeout=aiohttp.ClientTimeout(total=None),
    )  # fmt: skip


@lru_cache(maxsize=4096)
def may_connect(url: str, *, sandbox: bool) -> bool:
    """The same as at registration, at every attempt: aiohttp asks no resolver about an address written as numbers."""
    try:
        check_url(url, sandbox=sandbox)
    except ConfigurationError:
        return False
    return True


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None
