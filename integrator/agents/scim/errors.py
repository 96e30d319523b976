"""SCIM's own way to refuse (RFC 7644 §3.12): a status, a keyword, and words that repeat nothing of what was sent."""

from __future__ import annotations

from typing import Any

ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


class ScimRefused(Exception):
    """`kind` is a scimType of RFC 7644 table 9, where the status has one."""

    def __init__(self, status: int, kind: str | None, words: str) -> None:
        super().__init__(kind or str(status))
        self.status, self.kind, self.words = status, kind, words

    def json(self) -> dict[str, Any]:
        told = {"schemas": [ERROR], "status": str(self.status), "detail": self.words}
        return told | ({"scimType": self.kind} if self.kind else {})


def invalid(kind: str, words: str) -> ScimRefused:
    """400 with a keyword."""
    return ScimRefused(400, kind, words)


def missing() -> ScimRefused:
    """Not there, or another organisation's: one answer for both."""
    return ScimRefused(404, None, "There is no such resource in your organisation.")
