"""One time stamping authority as settings name it, asked over HTTP (RFC 3161 §3.4)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from audit.posting import Send, send
from audit.timestamps.stamp import StampInvalid, ask, check_answer, load_roots

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")
_QUERY, _REPLY = "application/timestamp-query", "application/timestamp-reply"


@dataclass(frozen=True, slots=True)
class Stamp:
    """A checked response, as it came, and the moment (UTC) that it states."""

    response: bytes
    at: datetime


class Tsa:
    """Asks and checks; holds nothing but its settings. The file of roots is read at each stamp: it may be renewed."""

    def __init__(self, name: str, url: str, roots: str | Path, *, timeout: float = 10.0, send: Send = send) -> None:
        """`name` becomes part of a file name. `roots`: PEM file with every root that may vouch for this authority."""
        if not _NAME.fullmatch(name):
            raise ValueError("the name of an authority has small letters, digits and hyphens only")
        self.name, self.url, self.roots = name, url, Path(roots)
        self._timeout, self._send = timeout, send

    def stamp(self, text: bytes) -> Stamp:
        """A good stamp of this text. Raises StampInvalid, RootsMissing or posting.Unreachable."""
        roots, question = load_roots(self.roots), ask(text)
        answer = self._send(self.url, question.body, _QUERY, timeout=self._timeout, limit=65_536)
        if answer.status != 200 or answer.content_type != _REPLY:
            raise StampInvalid(f"the authority answered {answer.status} and no time stamp reply")
        return Stamp(answer.body, check_answer(answer.body, question, text, roots))
