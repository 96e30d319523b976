"""Believing an answer: what an X.509 signature must cover, and where everything must stand, before a word is read.

Most verifiers look up what the signature points at, and the application reads something else (signature wrapping). Here
the reader's position decides: the Body is the Envelope's second child, and the signature has to be about exactly that
element. In order, and nothing is canonicalised or hashed before 1–5 hold (a thousand References cost nothing):

    1  no DOCTYPE, no comment, no processing instruction, no second Body, Header, Security, Timestamp, token, Signature
    2  Envelope = Header, Body; Security, a child of the Header, = one token, one Timestamp, one Signature
    3  the token is byte for byte the pinned certificate of the source, within its validity; KeyInfo points at the token
    4  SignedInfo = exc-c14n, the one algorithm of that certificate's key with SHA-256, two References
    5  the References are the Timestamp and the Body of 2, by ids that occur once, exc-c14n only, SHA-256 only
    6  both digests hold, then the signature
    7  created within 300 s of now, either side, and not past its Expires

The caller MUST also check that the answer belongs to its question (ticket, subject): a genuine answer can be replayed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from integrator.errors import ConfigurationError
from integrator.transport.envelope import SOAP, Envelope, NotSoap, take_apart
from integrator.transport.wsse import BASE64, LIFE, WSSE, WSU, X509_V3, Clock
from integrator.transport.wsse_sign import DS, ECDSA_SHA256, EXC_C14N, RSA_SHA256, SHA256, load_certificate
from integrator.transport.xml import Element, UnsafeXml, canonical, parse

_ID = f"{{{WSU}}}Id"
_SECURITY, _TOKEN, _TIMESTAMP, _SIGNATURE = (
    f"{{{WSSE}}}Security", f"{{{WSSE}}}BinarySecurityToken", f"{{{WSU}}}Timestamp", f"{{{DS}}}Signature",
)  # fmt: skip
_ONCE = (*(f"{{{SOAP}}}{name}" for name in ("Envelope", "Header", "Body")), _SECURITY, _TOKEN, _TIMESTAMP, _SIGNATURE)
_SAME_ID = etree.XPath("count(//@*[translate(local-name(),'ID','id')='id'][.=$a or .=$b or .=$c])", smart_strings=False)


class SignatureRefused(UnsafeXml):
    """An answer is not signed as agreed; nothing of it may be read. `rule` is the number in the module's list."""

    def __init__(self, rule: int, why: str) -> None:
        super().__init__(f"signature rule {rule}: {why}")
        self.rule = rule


class NotSigned(SignatureRefused):
    """There is no security header at all: a gateway's fault perhaps, but never an answer."""


class Verifier:
    """Opens the answers of one source, whose certificate is pinned; loaded once, ~0.25 ms for 8 kB with P-256."""

    def __init__(self, certificate: x509.Certificate, now: Clock) -> None:
        self._now = now
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
        root = parse(data, limit, comments=True)
        token, timestamp, signature, envelope = _positions(root)  # 1, 2
        info, value, key_info = _children(
            signature, 4, f"{{{DS}}}SignedInfo", f"{{{DS}}}SignatureValue", f"{{{DS}}}KeyInfo"
        )
        self._check_token(token, key_info)  # 3
        prefixes, references = self._signed_info(info)  # 4
        parts = _parts(references, _ids(data, token, timestamp, envelope), timestamp, envelope)  # 5
        for part, part_prefixes, digest in parts:  # 6
            if not hmac.compare_digest(hashlib.sha256(_canonical(part, part_prefixes)).digest(), digest):
                raise SignatureRefused(6, "a digest does not hold")
        self._check(_octets(value, 6), _canonical(info, prefixes))  # 6
        self._check_time(timestamp)  # 7
        return envelope

    def _check_token(self, token: Element, key_info: Element) -> None:
        if token.get("ValueType") != X509_V3 or token.get("EncodingType", BASE64) != BASE64:
            raise SignatureRefused(3, "the token is not one X.509 v3 certificate")
        if not hmac.compare_digest(_octets(token, 3), self._der):
            raise SignatureRefused(3, "the token is not the pinned certificate")
        if not self._valid[0] <= self._now() <= self._valid[1]:
            raise SignatureRefused(3, "the pinned certificate is not valid at this time")
        (holder,) = _children(key_info, 3, f"{{{WSSE}}}SecurityTokenReference")
        (reference,) = _children(holder, 3, f"{{{WSSE}}}Reference")
        if reference.get("URI") != "#" + token.get(_ID, "") or reference.get("ValueType", X509_V3) != X509_V3:
            raise SignatureRefused(3, "KeyInfo does not point at the token")

    def _signed_info(self, info: Element) -> tuple[tuple[str, ...], tuple[Element, Element]]:
        form, method, first, second = _children(
            info,
            4,
            *(f"{{{DS}}}{name}" for name in ("CanonicalizationMethod", "SignatureMethod", "Reference", "Reference")),
        )
        if method.get("Algorithm") != self._method or len(method):
            raise SignatureRefused(4, "not the algorithm of the pinned key")
        return _prefixes(form, 4), (first, second)

    def _check_time(self, timestamp: Element) -> None:
        created, expires = _children(timestamp, 7, f"{{{WSU}}}Created", f"{{{WSU}}}Expires")
        begin, end, now = _instant(created), _instant(expires), self._now()
        if abs(now - begin) > LIFE:
            raise SignatureRefused(7, "not created within 300 seconds of now")
        if end <= now or end <= begin:
            raise SignatureRefused(7, "past its Expires")


def _positions(root: Element) -> tuple[Element, Element, Element, Envelope]:
    if next(root.iter(etree.Comment, etree.PI, etree.Entity), None) is not None or root.getprevious() is not None:
        raise SignatureRefused(1, "a comment or a processing instruction")
    envelope = take_apart(root)
    security = [] if envelope.header is None else envelope.header.findall(_SECURITY)
    if not security and next(root.iter(_SECURITY, _SIGNATURE), None) is None:
        raise NotSigned(2, "there is no security header")
    if len(security) != 1:
        raise SignatureRefused(2, "the Header holds one Security")
    parts = {child.tag: child for child in security[0]}
    if len(security[0]) != 3 or parts.keys() != {_TOKEN, _TIMESTAMP, _SIGNATURE}:
        raise SignatureRefused(2, "Security holds one token, one Timestamp and one Signature")
    if sum(1 for _ in root.iter(*_ONCE)) != len(_ONCE):
        raise SignatureRefused(1, "a part that occurs once occurs again")
    return parts[_TOKEN], parts[_TIMESTAMP], parts[_SIGNATURE], envelope


def _ids(data: bytes, token: Element, timestamp: Element, envelope: Envelope) -> list[str]:
    ids = [part.get(_ID, "") for part in (token, timestamp, envelope.body)]
    # Where each stands twice in the bytes (itself, and what points at it) no other element can bear it: no need to look.
    plain = b"&#" not in data and all(data.count(one.encode()) == 2 for one in ids)
    if not all(ids) or len(set(ids)) != 3 or (not plain and _SAME_ID(envelope.root, a=ids[0], b=ids[1], c=ids[2]) != 3):
        raise SignatureRefused(5, "token, Timestamp and Body each have an id that occurs once")
    return ids


def _parts(
    references: tuple[Element, Element], ids: list[str], timestamp: Element, envelope: Envelope
) -> list[tuple[Element, tuple[str, ...], bytes]]:
    wanted = {"#" + ids[1]: timestamp, "#" + ids[2]: envelope.body}
    parts = []
    for reference in references:
        part = wanted.pop(reference.get("URI"), None)
        if part is None:
            raise SignatureRefused(5, "the References are not the Timestamp and the Body")
        parts.append((part, *_reference(reference)))
    return parts


def _reference(reference: Element) -> tuple[tuple[str, ...], bytes]:
    transforms, method, value = _children(
        reference, 5, *(f"{{{DS}}}{name}" for name in ("Transforms", "DigestMethod", "DigestValue"))
    )
    (transform,) = _children(transforms, 5, f"{{{DS}}}Transform")
    if method.get("Algorithm") != SHA256 or len(method):
        raise SignatureRefused(5, "not a SHA-256 digest")
    return _prefixes(transform, 5), _octets(value, 5)


def _prefixes(method: Element, rule: int) -> tuple[str, ...]:
    """The InclusiveNamespaces PrefixList, the only parameter that exclusive canonicalisation may have."""
    if method.get("Algorithm") != EXC_C14N:
        raise SignatureRefused(rule, "not exclusive canonicalisation without comments")
    if len(method) == 0:
        return ()
    (inclusive,) = _children(method, rule, f"{{{EXC_C14N}}}InclusiveNamespaces")
    return tuple((inclusive.get("PrefixList") or "").split())


def _canonical(part: Element, prefixes: tuple[str, ...]) -> bytes:
    try:
        return canonical(part, prefixes)
    except UnsafeXml as error:
        raise SignatureRefused(6, str(error)) from error


def _children(element: Element, rule: int, *tags: str) -> list[Element]:
    children = list(element)
    if [child.tag for child in children] != list(tags):
        raise SignatureRefused(rule, f"{etree.QName(element).localname} is not built as agreed")
    return children


def _octets(element: Element, rule: int) -> bytes:
    if len(element):
        raise SignatureRefused(rule, f"{etree.QName(element).localname} holds more than text")
    try:
        return base64.b64decode("".join((element.text or "").split()), validate=True)
    except binascii.Error as error:
        raise SignatureRefused(rule, f"{etree.QName(element).localname} is not base64") from error


def _instant(element: Element) -> float:
    try:
        moment = datetime.fromisoformat((element.text or "").strip())
    except ValueError as error:
        raise SignatureRefused(7, "a time that is none") from error
    if moment.tzinfo is None or len(element):
        raise SignatureRefused(7, "a time without its zone")
    return moment.timestamp()


Check = Callable[[bytes, bytes], None]


def _checking(key: object) -> tuple[str, Check]:
    """The one algorithm of a pinned key, and how to check it."""
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048:
        return RSA_SHA256, lambda value, data: _hold(
            lambda: key.verify(value, data, padding.PKCS1v15(), hashes.SHA256())
        )
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return ECDSA_SHA256, lambda value, data: _hold(lambda: key.verify(_der(value), data, ec.ECDSA(hashes.SHA256())))
    raise ConfigurationError("a source's certificate is pinned with a P-256 key or RSA of 2048 bits or more")


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
