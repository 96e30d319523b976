"""How many requests a network sent within this minute, without knowing any network.

An address is mixed with a key that lives for one minute in this process's memory, and what comes out counts up two cells
of a table. Neither the address nor the mix is kept; when the minute is over, key and table are gone. Two networks that
share both cells count together: with 65 536 cells that refuses almost nobody, and never lets one through.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import Any

CELLS = 65_536
MINUTE = 60.0  # seconds


class Turnstile:
    """Of one process and one event loop."""

    def __init__(self, per_minute: int, now: Callable[[], float]) -> None:
        """`now`: epoch seconds."""
        self._limit, self._now = per_minute, now
        self._began, self._key, self._cells = 0.0, b"", array("L")

    def wait(self, network: bytes) -> int | None:
        """None = come in; else in how many seconds to come again."""
        now = self._now()
        if not 0 <= now - self._began < MINUTE or not self._key:
            self._began, self._key = now, os.urandom(16)
            self._cells = array("L", bytes(2 * CELLS * array("L").itemsize))
        mixed = hashlib.blake2b(network, key=self._key, digest_size=4).digest()
        first, second = int.from_bytes(mixed[:2]), CELLS + int.from_bytes(mixed[2:])
        self._cells[first] += 1
        self._cells[second] += 1
        if min(self._cells[first], self._cells[second]) <= self._limit:
            return None
        return max(1, round(self._began + MINUTE - now))


def network_of(scope: Mapping[str, Any], headers: Mapping[bytes, bytes], proxies: Sequence[Mapping[str, Any]]) -> bytes:
    """The network a request came from: an IPv4 address, or the first 64 bits of an IPv6 one (one customer has them all).

    Of a proxy of the setting `proxies` (by `address`) the last one in X-Forwarded-For is taken, which it wrote itself.
    """
    address = str((scope.get("client") or ("",))[0])
    if any(address == one.get("address") for one in proxies):
        address = headers.get(b"x-forwarded-for", b"").decode("latin-1").rpartition(",")[2].strip() or address
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return b"?"  # a local socket, or a proxy's word that is no address: all of those together
    found = getattr(found, "ipv4_mapped", None) or found
    return found.packed[:8] if found.version == 6 else found.packed
