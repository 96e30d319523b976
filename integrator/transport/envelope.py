"""SOAP 1.1 envelopes: written round a payload, and taken apart by position (never by search).

    envelope(payload, *headers) ─► bytes          open_envelope(bytes) ─► Envelope(header, body, payload) ─► fault_of()

What is signed is opened by `wsse_verify.Verifier.open` instead, which lets nobody read a Body before it is believed.
"""

from __future__ import annotations

from dataclasses import dataclass

from integrator.transport.xml import Element, UnsafeXml, parse

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_ENVELOPE, _HEADER, _BODY, _FAULT = (f"{{{SOAP}}}{name}" for name in ("Envelope", "Header", "Body", "Fault"))


class NotSoap(UnsafeXml):
    """The bytes are XML but no SOAP 1.1 envelope with one element in its Body."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """An envelope taken apart by position. `header` may be absent; `payload` is the one child of `body`."""

    root: Element
    header: Element | None
    body: Element
    payload: Element


@dataclass(frozen=True, slots=True)
class Fault:
    """A soap:Fault. `text` and `detail` are the source's words: they may hold personal data and are never logged."""

    code: str  # local part of faultcode: Server, Client, InvalidSecurity, …
    text: str
    detail: Element | None


def envelope(payload: bytes, *headers: bytes) -> bytes:
    """An unsigned envelope round a rendered payload.

    >>> envelope(b"<a></a>").partition(b"envelope/")[2]
    b'"><soapenv:Body><a></a></soapenv:Body></soapenv:Envelope>'
    """
    head = b"".join(headers)
    return b"".join(
        (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<soapenv:Envelope xmlns:soapenv="{SOAP}">'.encode(),
            b"<soapenv:Header>" + head + b"</soapenv:Header>" if head else b"",
            b"<soapenv:Body>", payload, b"</soapenv:Body></soapenv:Envelope>",
        )
    )  # fmt: skip


def open_envelope(data: bytes, limit: int) -> Envelope:
    """Parse an answer and take it apart by position. Raises `UnsafeXml`, or `NotSoap` when it is something else."""
    return take_apart(parse(data, limit))


def take_apart(root: Element) -> Envelope:
    """The parts of a parsed envelope, by position and not by search; raises `NotSoap`."""
    if root.tag != _ENVELOPE:
        raise NotSoap("not a SOAP 1.1 envelope")
    if [child.tag for child in root] not in ([_BODY], [_HEADER, _BODY]):
        raise NotSoap("an Envelope holds at most one Header, then one Body")
    body = root[-1]
    if len(body) != 1:
        raise NotSoap("a Body holds one element")
    return Envelope(root, root[0] if len(root) == 2 else None, body, body[0])


def fault_of(payload: Element) -> Fault | None:
    """Read a soap:Fault, or None when the payload is an ordinary answer.

    >>> fault_of(parse(f'<f:Fault xmlns:f="{SOAP}"><faultcode>f:Server</faultcode></f:Fault>'.encode(), 999)).code
    'Server'
    """
    if payload.tag != _FAULT:
        return None
    code = (payload.findtext("faultcode") or "").strip()
    return Fault(code.rpartition(":")[2], (payload.findtext("faultstring") or "").strip(), payload.find("detail"))
