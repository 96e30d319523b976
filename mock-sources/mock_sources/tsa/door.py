"""The authority over HTTP: POST a query, get a reply (RFC 3161 §3.4); and the lies it can be told to tell."""

from __future__ import annotations

import asyncio
import hashlib

from mock_sources.asgi import BodyTooLarge, Receive, Scope, Send, header, problem, read_body, respond, respond_problem
from mock_sources.tsa.authority import Authority, NotAQuery

_QUERY, _REPLY = b"application/timestamp-query", b"application/timestamp-reply"
_LIMIT = 4096
_LONGEST_DIGEST = 64


class Tsa:
    """ASGI callable; `scope["mock.fault"]` is set by the fault layer."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One stamp. Only a query is answered; anything else is told what is wanted."""
        if scope["method"] != "POST":
            await respond_problem(send, problem(405, "methodNotAllowed", "POST a query"), [(b"allow", b"POST")])
            return
        if (header(scope, b"content-type") or b"").partition(b";")[0].strip().lower() != _QUERY:
            await respond_problem(send, problem(415, "unsupportedMediaType", "send application/timestamp-query"))
            return
        try:
            query = await read_body(receive, _LIMIT)
            reply = await asyncio.to_thread(self._reply, query, scope.get("mock.fault"))
        except (BodyTooLarge, NotAQuery, ValueError) as error:
            await respond_problem(send, problem(400, "badRequest", str(error)))
            return
        await respond(send, 200, reply, _REPLY)

    def _reply(self, query: bytes, fault: str | None) -> bytes:
        """The true stamp, or a well-signed one that answers another question."""
        if fault == "wrong_nonce":
            return self._authority.reply(self._authority.query(imprint(query)))
        if fault == "wrong_imprint":
            other = hashlib.sha256(imprint(query)).digest()
            return self._authority.reply(query.replace(imprint(query), other, 1))
        if fault == "expired_certificate":
            return self._authority.reply(query, signer="expired")
        return self._authority.reply(query, chain=fault == "unsorted_certificates")


def imprint(query: bytes) -> bytes:
    """The digest in a TimeStampReq: SEQUENCE { version, SEQUENCE { algorithm, OCTET STRING } … }. Raises ValueError.

    >>> imprint(bytes.fromhex("300f 020101 300a 3004 0600 0500 0402 abcd")).hex()
    'abcd'
    """
    _, inside = _element(query, 0x30)
    after_version, _ = _element(inside, 0x02)
    _, message = _element(after_version, 0x30)
    after_algorithm, _ = _element(message, 0x30)
    _, digest = _element(after_algorithm, 0x04)
    return digest


def _element(data: bytes, tag: int) -> tuple[bytes, bytes]:
    """What follows the first element, and its content; lengths up to 255 suffice for a query."""
    if len(data) < 2 or data[0] != tag:
        raise ValueError("not a time stamp query")
    start, length = (3, data[2]) if data[1] == 0x81 and len(data) > 2 else (2, data[1])
    if length > 0x7F and start == 2:
        raise ValueError("not a time stamp query")
    return data[start + length :], data[start : start + length]
