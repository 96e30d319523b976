"""The target of a question: path and query, as they stand in a request line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

_PATH: Final = re.compile(r"/[!\"$->@-~]*").fullmatch
_ITSELF: Final = re.compile(r"[A-Za-z0-9_.~-]*").fullmatch  # unreserved (RFC 3986 §2.3)


def written(path: str, query: Mapping[str, str] | None) -> str:
    """`path` is percent-encoded already, `query` is not. Raises ValueError for what is no path of a source.

    >>> written("/v1/registrations", {"plateNr": "1-ABC-123", "name": "é b"})
    '/v1/registrations?plateNr=1-ABC-123&name=%C3%A9%20b'
    """
    if not _PATH(path) or "/../" in path + "/":
        raise ValueError("path: absolute, percent-encoded, without query, fragment or climbing")
    if not query:
        return path
    return f"{path}?{'&'.join([f'{_quoted(name)}={_quoted(value)}' for name, value in query.items()])}"


def _quoted(text: str) -> str:
    """Percent-encoded, unless every character stands for itself, as in nearly every key."""
    return text if _ITSELF(text) else quote(text, safe="")
