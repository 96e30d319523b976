"""Believing a message: what an X.509 signature must cover, and where everything must stand, before a word is read.

Most verifiers look up what the signature points at, and the application reads something else (signature wrapping). Here
the reader's position decides: the Body is the Envelope's second child, and the signature has to be about exactly that
element. In order, and nothing is canonicalised or hashed before 1–5 hold (a thousand References cost nothing):

    1  no DOCTYPE, no comment, no processing instruction, no second Body, Header, Security, Timestamp, token, Signature
    2  Envelope = Header, Body; Security, a child of the Header, = one token, one Timestamp, one Signature
    3  the token is byte for byte the pinned certificate of the sender, within its validity; KeyInfo points at the token
    4  SignedInfo = exc-c14n, the one algorithm of that certificate's key with SHA-256, two References (and `more`)
    5  the References are the Timestamp and the Body of 2, by ids that occur once, exc-c14n only, SHA-256 only; where more
       may be signed: the token, other blocks of the Header, and then no id at all occurs twice
    6  every digest holds, then the signature
    7  created within 300 s of now, either side, and not past its Expires

The caller MUST also check that an answer belongs to its question (ticket, subject): a genuine answer can be replayed.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

from integrator.errors import ConfigurationError
from integrator.transport.envelope import Envelope, NotSoap
from integrator.transport.wsse import BASE64, LIFE, WSSE, WSU, X509_V3, Clock
from integrator.transport.wsse_parts import (
    ID,
    NotSigned,
    Parts,
    SignatureRefused,
    canonical_form,
    children,
    further,
    ids,
    instant,
    octets,
    positions,
    prefixes,
    reference,
)
from integrator.transport.wsse_sign import DS, ECDSA_SHA256, RSA_SHA256, load_certificate
from integrator.transport.xml import Element, parse

_INFO = tuple(f"{{{DS}}}{name}" for name in ("SignedInfo", "SignatureValue", "KeyInfo"))
_METHODS = [f"{{{DS}}}CanonicalizationMethod", f"{{{DS}}}SignatureMethod"]
_REFERENCE = f"{{{DS}}}Reference"


class Verifier:
    """Opens the messages of one sender, whose certificate is pinned; loaded once, ~0.25 ms for 8 kB with P-256."""

    def __init__(self, certificate: x509.Certificate, now: Clock, *, more: int = 0) -> None:
        """`more`: how many other parts of the Header may be signed beside Timestamp and Body."""
        self._now, self._more = now, more
        self._der = certificate.public_bytes(Encoding.DER)
        self._valid = (certificate.not_valid_before_utc.timestamp(), certificate.not_valid_after_utc.timestamp())
        self._method, self._check = _checking(certificate.public_key())

    @classmethod
    def load(cls, certificate: Path, now: Clock) -> Verifier:
        """Read a PEM certificate; raises `ConfigurationError` with the file's name."""
        return cls(load_certificate(certificate), now)

    def open(self, data: bytes, limit: int) -> Envelope:
        """Parse and verify; only what this returns may be read.

        Raises `SignatureRefused` (`NotSigned` when nothing is signed), `UnsafeXml` or `NotSoap`.
        """
        parts = positions(parse(data, limit, comments=True))  # 1, 2
        self.believe(data, parts)
        return parts.envelope

    def believe(self, data: bytes, parts: Parts) -> tuple[bytes, float]:
        """Rules 3 to 7. `data`: the bytes that `parts` were found in.

        Returns the digest of what was signed (the same message again has the same one, whatever was done to its
        signature) and until when it could be believed again, in epoch seconds. Raises `SignatureRefused`.
        """
        info, value, key_info = children(parts.signature, 4, *_INFO)
        self._check_token(parts.token, key_info)  # 3
        named, references = self._signed_info(info)  # 4
        for part, part_named, digest in self._referred(references, data, parts):  # 5
            if not hmac.compare_digest(hashlib.sha256(canonical_form(part, part_named)).digest(), digest):  # 6
                raise SignatureRefused(6, "a digest does not hold")
        signed = canonical_form(info, named)
        self._check(octets(value, 6), signed)  # 6
        return hashlib.sha256(signed).digest(), self._check_time(parts.timestamp)  # 7

    def _check_token(self, token: Element, key_info: Element) -> None:
        if token.get("ValueType") != X509_V3 or token.get("EncodingType", BASE64) != BASE64:
            raise SignatureRefused(3, "the token is not one X.509 v3 certificate")
        if not hmac.compare_digest(octets(token, 3), self._der):
            raise SignatureRefused(3, "the token is not the pinned certificate")
        if not self._valid[0] <= self._now() <= self._valid[1]:
            raise SignatureRefused(3, "the pinned certificate is not valid at this time")
        (holder,) = children(key_info, 3, f"{{{WSSE}}}SecurityTokenReference")
        (pointer,) = children(holder, 3, f"{{{WSSE}}}Reference")
        if pointer.get("URI") != "#" + token.get(ID, "") or pointer.get("ValueType", X509_V3) != X509_V3:
            raise SignatureRefused(3, "KeyInfo does not point at the token")

    def _signed_info(self, info: Element) -> tuple[tuple[str, ...], list[Element]]:
        tags = [child.tag for child in info]
        count = len(tags) - len(_METHODS)
        if not 2 <= count <= 2 + self._more or tags != [*_METHODS, *[_REFERENCE] * count]:
            raise SignatureRefused(4, "SignedInfo is not built as agreed")
        form, method, *references = info
        if method.get("Algorithm") != self._method or len(method):
            raise SignatureRefused(4, "not the algorithm of the pinned key")
        return prefixes(form, 4), references

    def _referred(
        self, references: list[Element], data: bytes, parts: Parts
    ) -> list[tuple[Element, tuple[str, ...], bytes]]:
        """What was signed, and nothing is hashed before all of it is known to be what it must be."""
        named = ids(data, parts)
        wanted = {"#" + named[1]: parts.timestamp, "#" + named[2]: parts.envelope.body}
        beside = further(parts) if self._more else {}
        found = []
        for one in references:
            uri = one.get("URI")
            part = wanted.pop(uri, None)
            if part is None:
                part = beside.pop(uri, None)
            if part is None:
                raise SignatureRefused(
                    5, "a Reference is neither the Timestamp nor the Body, nor what may stand beside them"
                )
            found.append((part, *reference(one)))
        if wanted:
            raise SignatureRefused(5, "the References are not the Timestamp and the Body")
        return found

    def _check_time(self, timestamp: Element) -> float:
        created, expires = children(timestamp, 7, f"{{{WSU}}}Created", f"{{{WSU}}}Expires")
        begin, end, now = instant(created), instant(expires), self._now()
        if abs(now - begin) > LIFE:
            raise SignatureRefused(7, "not created within 300 seconds of now")
        if end <= now or end <= begin:
            raise SignatureRefused(7, "past its Expires")
        return min(begin + LIFE, end)


Check = Callable[[bytes, bytes], None]


def _checking(key: object) -> tuple[str, Check]:
    """The one algorithm of a pinned key, and how to check it."""
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048:
        return RSA_SHA256, lambda value, data: _hold(
            lambda: key.verify(value, data, padding.PKCS1v15(), hashes.SHA256())
        )
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return ECDSA_SHA256, lambda value, data: _hold(lambda: key.verify(_der(value), data, ec.ECDSA(hashes.SHA256())))
    raise ConfigurationError("a certificate that signs messages has a P-256 key, or RSA of 2048 bits or more")


def _hold(verify: Callable[[], None]) -> None:
    try:
        verify()
    except InvalidSignature as error:
        raise SignatureRefused(6, "the signature does not hold") from error


def _der(value: bytes) -> bytes:
    if len(value) != 64:
        raise SignatureRefused(6, "a P-256 signature has 64 bytes")
    return encode_dss_signature(int.from_bytes(value[:32]), int.from_bytes(value[32:]))


__all__ = ["NotSigned", "NotSoap", "SignatureRefused", "Verifier"]
