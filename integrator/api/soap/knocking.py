"""Who sent a message: by its signature, or, where the hub's settings say so, by the certificate of its TLS connection."""

from __future__ import annotations

from dataclasses import dataclass

from integrator.api.hub import Hub
from integrator.api.limits import Limits
from integrator.api.problems import EdgeRefusal
from integrator.api.soap.opening import Soap
from integrator.errors import Issue, MalformedRequest
from integrator.identity.applications import Application
from integrator.identity.senders import MessageRefused, Senders
from integrator.transport.envelope import SOAP, Envelope, NotSoap, open_envelope
from integrator.transport.wsse import WSSE
from integrator.transport.wsse_parts import NotSigned, SignatureRefused
from integrator.transport.wsse_receive import Receiver
from integrator.transport.xml import UnsafeXml

_MUST = f"{{{SOAP}}}mustUnderstand"
_SECURITY = f"{{{WSSE}}}Security"
_SIGN = "Sign Timestamp and Body with the key of a certificate that the hub's operator registered: see the WSDL."


@dataclass(frozen=True, slots=True)
class Knock:
    """A message of somebody known. `signed`: what it must not come with twice; None: TLS sees to that."""

    envelope: Envelope
    application: Application
    signed: tuple[bytes, float] | None


class Desk:
    """Opens messages."""

    def __init__(self, hub: Hub, soap: Soap, limits: Limits) -> None:
        self._senders: Senders = hub.identity.senders
        self._receiver: Receiver[Application] = Receiver(self._senders.of, hub.clock)
        self._mutual, self._limit = soap.mutual, limits.body_bytes

    def open(self, data: bytes, shown: str | None) -> Knock:
        """`shown`: thumbprint of the certificate of the connection. Raises `UnknownCaller`, `MalformedRequest`, `EdgeRefusal`."""
        try:
            knock = self._opened(data, shown)
        except SignatureRefused as error:
            raise MessageRefused(str(error), f"{_SIGN} What is wrong here: {error}.") from None
        except NotSoap as error:
            raise MalformedRequest(
                Issue("schemaViolation", "body", "/", f"a SOAP 1.1 message, please: {error}")
            ) from None
        except UnsafeXml as error:
            raise MalformedRequest(Issue("schemaViolation", "body", "/", f"this cannot be read: {error}")) from None
        _refuse_unknown_headers(knock.envelope)
        return knock

    def _opened(self, data: bytes, shown: str | None) -> Knock:
        try:
            received = self._receiver.open(data, self._limit)
        except NotSigned:
            if not self._mutual or shown is None:
                raise
            return Knock(open_envelope(data, self._limit), self._senders.named(shown), None)
        return Knock(received.envelope, received.sender, (received.signed, received.until))

    async def once(self, knock: Knock) -> None:
        """Raises `MessageRefused` for a message that came before."""
        if knock.signed is not None:
            await self._senders.once(knock.application, *knock.signed)


def _refuse_unknown_headers(envelope: Envelope) -> None:
    blocks = () if envelope.header is None else envelope.header
    if any(block.get(_MUST) in ("1", "true") and block.tag != _SECURITY for block in blocks):
        raise EdgeRefusal(
            "mustUnderstand", "A header block says mustUnderstand, and the hub understands WS-Security only."
        )
