"""Believing a question: whoever signed it is found by the certificate that it carries, then it is opened like an answer.

    positions ─► the certificate in the token ─► known to us? ─► rules 3 to 7 of wsse_verify ─► Received

Nothing is canonicalised, hashed or verified for a certificate that nobody registered. A question can be repeated by
whoever overheard it: who receives it MUST remember `signed` until `until`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from cryptography import x509

from integrator.transport.envelope import Envelope
from integrator.transport.wsse import Clock
from integrator.transport.wsse_parts import octets, positions
from integrator.transport.wsse_verify import Verifier
from integrator.transport.xml import parse

_MORE = 8  # parts of the Header that a package may sign beside Timestamp and Body: its token, its addressing
_REMEMBERED = 1_000  # senders

Sender = TypeVar("Sender")


@dataclass(frozen=True, slots=True)
class Received(Generic[Sender]):
    """A question that is believed to be its sender's: the Body of `envelope` is what was signed."""

    envelope: Envelope
    sender: Sender
    signed: bytes  # 32: the digest of what was signed
    until: float  # epoch seconds


class Receiver(Generic[Sender]):
    """Opens the messages of everybody who is known. `known`: a certificate (DER) to whose it is, or raises what it likes."""

    def __init__(self, known: Callable[[bytes], Sender], now: Clock) -> None:
        self._known, self._now = known, now
        self._verifiers: dict[bytes, Verifier] = {}

    def open(self, data: bytes, limit: int) -> Received[Sender]:
        """Raises as `Verifier.open`, and what `known` raises."""
        parts = positions(parse(data, limit, comments=True))
        der = octets(parts.token, 3)
        sender = self._known(der)
        signed, until = self._verifier(der).believe(data, parts)
        return Received(parts.envelope, sender, signed, until)

    def _verifier(self, der: bytes) -> Verifier:
        found = self._verifiers.get(der)
        if found is None:
            if len(self._verifiers) >= _REMEMBERED:
                self._verifiers.clear()
            found = self._verifiers[der] = Verifier(x509.load_der_x509_certificate(der), self._now, more=_MORE)
        return found
