"""An answer as it comes in: status, size and packing are judged here, what it says is the connector's to read."""

from __future__ import annotations

import math
import time
import zlib
from email.utils import parsedate_to_datetime
from typing import Final

import aiohttp

from integrator.contract import HttpAnswer
from integrator.errors import SourceFault, SourceThrottled
from integrator.transport.retry import NoAnswer

_NOT_NOW: Final = frozenset({502, 503, 504})
_PROTOCOL: Final = ("json", "xml", "multipart/related")  # how a source tells its own faults


class Reader:
    """Reads the answers of one source, never more than `limit` bytes of them, packed or not."""

    def __init__(self, source: str, limit: int, *, gzip: bool) -> None:
        self._source, self._limit, self._gzip = source, limit, gzip

    async def read(self, response: aiohttp.ClientResponse) -> HttpAnswer:
        headers = response.headers
        if response.status in _NOT_NOW:
            raise NoAnswer(f"HTTP {response.status}", again=True, retry_after=_seconds(headers.get("Retry-After")))
        if response.status == 429:
            throttled = SourceThrottled(self._source, "too many requests")
            throttled.retry_after = _seconds(headers.get("Retry-After")) or throttled.retry_after
            raise throttled
        if 300 <= response.status < 400:
            raise SourceFault(self._source, "REDIRECT", f"HTTP {response.status}: a source does not send us elsewhere")
        content_type = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if response.status == 500 and not content_type.endswith(_PROTOCOL):
            # An error page of the machine in front; a fault that the source itself tells comes in its own protocol.
            raise NoAnswer("HTTP 500", again=False)
        body = await self._capped(response)
        packing = headers.get("Content-Encoding", "identity").strip().lower()
        if packing != "identity":
            body = self._unpack(body, packing)
        return HttpAnswer(response.status, content_type, body, headers)

    async def _capped(self, response: aiohttp.ClientResponse) -> bytes:
        limit, content = self._limit, response.content
        body = await content.readany()
        if content.at_eof() and len(body) <= limit:  # the ordinary case: it was all there
            return body
        parts, size = [body], len(body)
        while size <= limit and not content.at_eof():
            parts.append(await content.readany())
            size += len(parts[-1])
        if size > limit:
            raise SourceFault(self._source, "TOO_LARGE", f"an answer of more than {limit} bytes")
        return b"".join(parts)

    def _unpack(self, body: bytes, packing: str) -> bytes:
        if packing != "gzip" or not self._gzip:
            raise SourceFault(self._source, "ENCODING", "a packed answer that we did not ask for")
        unpacker = zlib.decompressobj(31)
        try:
            unpacked = unpacker.decompress(body, self._limit + 1)
        except zlib.error:
            raise SourceFault(self._source, "ENCODING", "not gzip, although it says so") from None
        if len(unpacked) > self._limit:
            raise SourceFault(self._source, "TOO_LARGE", f"more than {self._limit} bytes once unpacked")
        if not unpacker.eof or unpacker.unused_data:
            raise SourceFault(self._source, "ENCODING", "the packed answer is cut off or has a tail")
        return unpacked


def _seconds(retry_after: str | None) -> int | None:
    """Retry-After in its two forms, between 1 second and an hour; None when it is absent or cannot be read.

    >>> _seconds("7"), _seconds("999999"), _seconds("soon")
    (7, 3600, None)
    """
    if not retry_after:
        return None
    try:
        number = retry_after.strip().isdecimal()
        wanted = float(retry_after) if number else parsedate_to_datetime(retry_after).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    return max(1, min(3600, math.ceil(wanted)))
