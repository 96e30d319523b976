"""An answer as it comes in: status, size and packing are judged here, what it says is the connector's to read."""

from __future__ import annotations

import math
import time
import zlib
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Final

from integrator.contract import HttpAnswer
from integrator.errors import SourceFault, SourceThrottled
from integrator.transport.retry import NoAnswer

_NOT_NOW: Final = frozenset({502, 503, 504})
_PROTOCOL: Final = ("json", "xml", "multipart/related")  # how a source tells its own faults


class Reader:
    """Reads the answers of one source, never more than `limit` bytes of them, packed or not."""

    def __init__(self, source: str, limit: int, *, gzip: bool, conditional: bool = False) -> None:
        self.source, self.limit, self._gzip, self._conditional = source, limit, gzip, conditional

    def judge(self, status: int, headers: Mapping[str, str]) -> None:
        """What the head alone decides. Raises NoAnswer, SourceThrottled or SourceFault: then no body is waited for."""
        if status in _NOT_NOW:
            raise NoAnswer(f"HTTP {status}", again=True, retry_after=_seconds(headers.get("Retry-After")))
        if status == 429:
            throttled = SourceThrottled(self.source, "too many requests")
            throttled.retry_after = _seconds(headers.get("Retry-After")) or throttled.retry_after
            raise throttled
        if 300 <= status < 400 and not (status == 304 and self._conditional):
            raise SourceFault(self.source, "REDIRECT", f"HTTP {status}: a source does not send us elsewhere")
        if status == 500 and not _bare(headers.get("Content-Type", "")).endswith(_PROTOCOL):
            # An error page of the machine in front; a fault that the source itself tells comes in its own protocol.
            raise NoAnswer("HTTP 500", again=False)

    def answer(self, status: int, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """An answer that was judged and read whole, unpacked. Raises SourceFault (ENCODING, TOO_LARGE)."""
        packing = headers.get("Content-Encoding", "identity").strip().lower()
        if packing != "identity":
            body = self._unpack(body, packing)
        return HttpAnswer(status, _bare(headers.get("Content-Type", "")), body, headers)

    def too_large(self) -> SourceFault:
        return SourceFault(self.source, "TOO_LARGE", f"an answer of more than {self.limit} bytes")

    def _unpack(self, body: bytes, packing: str) -> bytes:
        if packing != "gzip" or not self._gzip:
            raise SourceFault(self.source, "ENCODING", "a packed answer that we did not ask for")
        unpacker = zlib.decompressobj(31)
        try:
            unpacked = unpacker.decompress(body, self.limit + 1)
        except zlib.error:
            raise SourceFault(self.source, "ENCODING", "not gzip, although it says so") from None
        if len(unpacked) > self.limit:
            raise SourceFault(self.source, "TOO_LARGE", f"more than {self.limit} bytes once unpacked")
        if not unpacker.eof or unpacker.unused_data:
            raise SourceFault(self.source, "ENCODING", "the packed answer is cut off or has a tail")
        return unpacked


@lru_cache(maxsize=256)
def _bare(content_type: str) -> str:
    """A media type without its parameters.

    >>> _bare("Application/JSON; charset=utf-8")
    'application/json'
    """
    return content_type.partition(";")[0].strip().lower()


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
