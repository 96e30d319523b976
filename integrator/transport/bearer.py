"""A bearer token as a token endpoint hands it out (RFC 6749 §5.1, §5.2), believed only when it is one."""

from __future__ import annotations

from typing import Final

from integrator.contract import HttpAnswer
from integrator.errors import SourceFault
from integrator.transport.jsonbody import NotJson, Shape, ShapeError, read

_USUAL: Final = 300.0  # seconds of a token whose end is not told
_ANSWER: Final = Shape(
    {
        "type": "object",
        "required": ["access_token", "token_type"],
        "properties": {
            "access_token": {"type": "string", "pattern": r"^[A-Za-z0-9._~+/=-]{1,8000}\Z"},
            "token_type": {"type": "string", "pattern": r"^[Bb][Ee][Aa][Rr][Ee][Rr]\Z"},
            "expires_in": {"type": "number"},
        },
    }
)


def bought(source: str, answer: HttpAnswer) -> tuple[str, float]:
    """(Authorization header, seconds that it lives). Raises `SourceFault`: CREDENTIALS for a refusal, else TOKEN."""
    if answer.status in (400, 401, 403):
        raise SourceFault(source, "CREDENTIALS", f"no token for us (HTTP {answer.status})")
    if answer.status != 200 or answer.content_type != "application/json":
        raise _none(source, f"HTTP {answer.status}")
    try:
        document = read(answer.body)
        _ANSWER.check(document)
    except (NotJson, ShapeError) as error:  # its text could hold a part of the token
        raise _none(source, type(error).__name__) from None
    return f"Bearer {document['access_token']}", max(0.0, float(document.get("expires_in", _USUAL)))


def _none(source: str, why: str) -> SourceFault:
    return SourceFault(source, "TOKEN", f"the token endpoint gave no token ({why})")
