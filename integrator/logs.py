"""Logs: one JSON object per line, of known fields with known shapes. What is not known to be harmless is not written.

Three nets, each enough alone for what it is meant for:
  1. events are constants (`exchange_failed`), fields are on a list, values have the shape of their field;
  2. whatever gets through is masked where it looks like a national number, an enterprise number, a plate or a VIN;
  3. other libraries' lines are cut to their first line's template: never their arguments, never an exception's words.
Bodies, headers, exception messages and tracebacks are not logged at all; the ledger is where exchanges are recorded.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

_EVENT = re.compile(r"[a-z][a-z0-9_]{0,63}")
_WORD = re.compile(r"[A-Za-z0-9_.:@/+-]{0,100}")
_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_NAME = re.compile(r"[a-z][a-zA-Z0-9._-]{0,63}")
_TYPE = re.compile(r"[A-Z][A-Za-z0-9_]{0,63}")
_HEX = re.compile(r"[0-9a-f-]{16,36}")
_ADDRESS = re.compile(r"[A-Za-z0-9.:\[\]-]{1,80}")
_TEMPLATE = re.compile(r"[\w %.,:;'\"()\[\]{}/=+*!?<>|@#&-]{0,200}")

_SHAPES: dict[str, re.Pattern[str] | type] = {
    "timestamp": _WORD, "level": _NAME, "logger": _NAME,
    "trace": _HEX, "error": _TYPE, "code": _CODE, "reason": _CODE, "where": re.compile(r"[A-Z][0-9]"),
    "service": _NAME, "purpose": _NAME, "application": _NAME, "source": _NAME, "operation": _NAME, "outcome": _NAME,
    "connector": _NAME, "world": _NAME, "state": _NAME, "kind": _NAME, "setting": _NAME, "shard": _NAME, "file": _NAME,
    "host": _ADDRESS, "version": _WORD, "method": re.compile(r"[A-Z]{3,7}"),
    "status": int, "port": int, "count": int, "attempt": int, "entries": int, "index": int, "pid": int,
    "ms": float, "seconds": float,
}  # fmt: skip

_MASKS = (
    (re.compile(r"(?<!\d)\d{2}[-. /]?\d{2}[-. /]?\d{2}[-. /]?\d{3}[-. /]?\d{2}(?!\d)"), "[number]"),
    (re.compile(r"(?<!\d)[0-1]\d{3}[. ]?\d{3}[. ]?\d{3}(?!\d)"), "[enterprise]"),
    (re.compile(r"(?<![A-Z0-9])[A-HJ-NPR-Z0-9]{17}(?![A-Z0-9])"), "[vin]"),
    (re.compile(r"(?<![A-Z0-9])(?:[1-9OTGUXZ][-. ]?[A-Z]{3}[-. ]?\d{3}|[A-Z]{3}[-. ]?\d{3}|\d{3}[-. ]?[A-Z]{3})(?![A-Z0-9])"), "[plate]"),
)  # fmt: skip


def mask(words: str) -> str:
    """Anything that looks like an identifier, taken out.

    >>> mask("asked 85.66.08-123.41 about 1-ABC-123")
    'asked [number] about [plate]'
    """
    for pattern, replacement in _MASKS:
        words = pattern.sub(replacement, words)
    return words


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Keep what is known to be harmless; say how many fields were not."""
    kept: dict[str, Any] = {}
    withheld = 0
    for name, value in event.items():
        if name == "event":
            kept["event"] = value if isinstance(value, str) and _EVENT.fullmatch(value) else "(withheld)"
        elif name == "organisation" and isinstance(value, str) and re.fullmatch(r"[01]\d{9}", value):
            kept[name] = value  # a public body: who asks, never who is asked about
        elif (clean := _shaped(name, value)) is not None:
            kept[name] = clean
        else:
            withheld += 1
    if withheld:
        kept["withheld"] = withheld
    return kept


def _shaped(name: str, value: Any) -> Any:
    shape = _SHAPES.get(name)
    if shape is None or isinstance(value, bool):
        return None
    if isinstance(shape, re.Pattern):
        if not isinstance(value, str) or not shape.fullmatch(value):
            return None
        return value if name in ("trace", "timestamp") else mask(value)
    if not isinstance(value, int | float) or abs(value) > 9_999_999_999:  # eleven digits are no count of ours
        return None
    return value


class ForeignFormatter(logging.Formatter):
    """Lines of libraries (uvicorn, asyncio, aiohttp, zeep): the template's first line, never arguments or tracebacks."""

    def format(self, record: logging.LogRecord) -> str:
        event: dict[str, Any] = {"event": "library", "level": record.levelname.lower(), "logger": record.name}
        if record.exc_info and record.exc_info[0] is not None:
            event["error"] = record.exc_info[0].__name__
        stamped = structlog.processors.TimeStamper(fmt="iso", utc=True)(None, "", event)
        kept = redact(None, "", stamped)
        kept["message"] = _template(record)
        return str(structlog.processors.JSONRenderer()(None, "", kept))


def _template(record: logging.LogRecord) -> str:
    """The words a programmer wrote. Without arguments they may have been put together: then only those known to us."""
    words = record.msg.splitlines()[0] if isinstance(record.msg, str) and record.msg else ""
    if not record.args:
        return words if words in _CONSTANT_LINES else "(withheld)"
    return mask(words) if _TEMPLATE.fullmatch(words) else "(withheld)"


_CONSTANT_LINES = frozenset({
    "Shutting down", "Waiting for connections to close. (CTRL+C to force quit)", "Invalid HTTP request received.",
    "Waiting for background tasks to complete. (CTRL+C to force quit)", "Unsupported upgrade request.", "Unclosed client session",
    "Exception in ASGI application", "Task exception was never retrieved", "Unclosed connection",
})  # fmt: skip


def configure(stream: TextIO | None = None, *, level: int = logging.INFO) -> None:
    """Set up once at start: ours through structlog, everyone else's through the cutter; both to `stream` (stderr)."""
    _ours(stream, level)
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(ForeignFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers[:] = []
        logging.getLogger(name).propagate = name != "uvicorn.access"
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    logging.getLogger("zeep").setLevel(logging.WARNING)  # at DEBUG it prints whole envelopes


def _ours(stream: TextIO | None, level: int) -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redact,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.WriteLogger(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )


_ours(None, logging.INFO)  # also before `configure`: there is no moment at which a line goes out unredacted
log: Any = structlog.get_logger()
