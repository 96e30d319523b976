"""Judge a request signed with the X.509 token profile, and return only the Body that was really signed.

A verifier that looks elements up by id believes whatever the message points at. This one starts from the
positions in which the agreed parts must stand, and then demands that the signature covers exactly those:

    0  no comment, no processing instruction (they split text that was signed as one)
    1  Envelope = Header, Body; no second Body, Security, Timestamp or Signature anywhere
    2  Security = one BinarySecurityToken, one Timestamp, one Signature; every id in the message once
    3  the token is byte for byte the certificate that this source issued; KeyInfo points at that token
    4  SignedInfo: exc-c14n, rsa-sha256 or ecdsa-sha256, two References: one to the Timestamp, one to the Body
    5  both digests and the signature hold
    6  the Timestamp is of these five minutes
    7  the signature (and the wsa:MessageID, when there is one) was not seen before
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from mock_sources.clock import Clock
from mock_sources.wsse import names
from mock_sources.wsse.shape import Replays, SecurityRefused, canonical, check_fresh

_SOAP, _DS, _WSSE, _WSU = (f"{{{uri}}}" for uri in (names.SOAP, names.DS, names.WSSE, names.WSU))
_ID = _WSU + "Id"
_ID_LIKE = frozenset({_ID, "Id", "ID", "id", "{http://www.w3.org/XML/1998/namespace}id"})
_ONCE = (_SOAP + "Body", _SOAP + "Header", _WSSE + "Security", _WSU + "Timestamp", _DS + "Signature")


class Gate:
    """Admits messages signed with one pinned certificate; anything else raises `SecurityRefused`."""

    def __init__(self, certificate: x509.Certificate, clock: Clock) -> None:
        self._der = certificate.public_bytes(Encoding.DER)
        self._key = certificate.public_key()
        self._clock = clock
        self._seen = Replays()

    def admit(self, envelope: etree._Element) -> etree._Element:
        """Return the signed soap:Body of `envelope` (the document's root); the numbers are the module's."""
        _walk(envelope)  # 0, 1, 2
        header, body = _positions(envelope)  # 1
        token, timestamp, signature = _security_parts(header)  # 2
        self._check_token(token, signature)  # 3
        info, value = _signed_info(signature)
        algorithm, prefixes = _check_algorithms(info)  # 4
        _check_references(info, timestamp, body)  # 4, 5
        self._check_signature(algorithm, value, canonical(info, prefixes))  # 5
        now = self._clock()
        check_fresh(timestamp, now)  # 6
        self._check_unseen(algorithm, value, header, now)  # 7
        return body

    def _check_token(self, token: etree._Element, signature: etree._Element) -> None:
        if token.get("ValueType") != names.X509_V3 or token.get("EncodingType", names.BASE64) != names.BASE64:
            raise SecurityRefused("InvalidSecurityToken", "the token must be one X.509 v3 certificate in base64")
        if not hmac.compare_digest(_octets(token.text), self._der):
            raise SecurityRefused("InvalidSecurityToken", "this source did not issue that certificate")
        path = [f"{_DS}KeyInfo", f"{_WSSE}SecurityTokenReference", f"{_WSSE}Reference"]
        found = _only_descent(signature, path)
        if found.get("URI") != "#" + (token.get(_ID) or "") or found.get("ValueType", names.X509_V3) != names.X509_V3:
            raise SecurityRefused("InvalidSecurityToken", "KeyInfo must point at the BinarySecurityToken")

    def _check_signature(self, algorithm: str, value: bytes, signed: bytes) -> None:
        try:
            if algorithm == names.ECDSA_SHA256 and isinstance(self._key, ec.EllipticCurvePublicKey):
                self._key.verify(_der_signature(value), signed, ec.ECDSA(hashes.SHA256()))
            elif algorithm == names.RSA_SHA256 and isinstance(self._key, rsa.RSAPublicKey):
                self._key.verify(value, signed, padding.PKCS1v15(), hashes.SHA256())
            else:
                raise SecurityRefused("UnsupportedAlgorithm", "the algorithm does not belong to the certificate's key")
        except InvalidSignature as error:
            raise SecurityRefused("FailedCheck", "the signature does not hold") from error

    def _check_unseen(self, algorithm: str, value: bytes, header: etree._Element, now: datetime) -> None:
        key = ("signature", _one_form(value) if algorithm == names.ECDSA_SHA256 else value)
        if not self._seen.is_new(key, now):
            raise SecurityRefused("InvalidSecurity", "this signature was accepted before: a replay")
        for message_id in header.findall(f"{{{names.WSA}}}MessageID"):
            if not self._seen.is_new(("message", (message_id.text or "").strip()), now):
                raise SecurityRefused("InvalidSecurity", "this MessageID was accepted before: a replay")


def _walk(envelope: etree._Element) -> None:
    """Rules 0, 1 and 2 that hold for the whole message, in one walk over it."""
    counts = dict.fromkeys(_ONCE, 0)
    ids: set[str] = set()
    for element in envelope.iter():
        if not isinstance(element.tag, str):
            raise SecurityRefused("InvalidSecurity", "a signed message holds no comments or processing instructions")
        if element.tag in counts:
            counts[element.tag] += 1
        for name, value in element.items():
            if name in _ID_LIKE and value in ids:
                raise SecurityRefused("InvalidSecurity", "two elements carry the same id")
            if name in _ID_LIKE:
                ids.add(value)
    if any(count != 1 for count in counts.values()):
        raise SecurityRefused("InvalidSecurity", "Header, Body, Security, Timestamp and Signature must each occur once")


def _positions(envelope: etree._Element) -> tuple[etree._Element, etree._Element]:
    if [child.tag for child in envelope] != [_SOAP + "Header", _SOAP + "Body"]:
        raise SecurityRefused("InvalidSecurity", "the Envelope must hold one Header, then one Body")
    return envelope[0], envelope[1]


def _security_parts(header: etree._Element) -> tuple[etree._Element, etree._Element, etree._Element]:
    security = header.find(_WSSE + "Security")
    wanted = (_WSSE + "BinarySecurityToken", _WSU + "Timestamp", _DS + "Signature")
    if security is None or sorted(child.tag for child in security) != sorted(wanted):
        raise SecurityRefused("InvalidSecurity", "Security must hold one token, one Timestamp and one Signature")
    by_tag = {child.tag: child for child in security}
    return by_tag[wanted[0]], by_tag[wanted[1]], by_tag[wanted[2]]


def _signed_info(signature: etree._Element) -> tuple[etree._Element, bytes]:
    if [child.tag for child in signature] != [_DS + name for name in ("SignedInfo", "SignatureValue", "KeyInfo")]:
        raise SecurityRefused("InvalidSecurity", "Signature must hold SignedInfo, SignatureValue and KeyInfo")
    return signature[0], _octets(signature[1].text)


def _check_algorithms(info: etree._Element) -> tuple[str, list[str]]:
    wanted = ["CanonicalizationMethod", "SignatureMethod", "Reference", "Reference"]
    if [child.tag for child in info] != [_DS + name for name in wanted]:
        raise SecurityRefused("InvalidSecurity", "SignedInfo must hold two methods and two References")
    algorithm = info[1].get("Algorithm") or ""
    if algorithm not in (names.RSA_SHA256, names.ECDSA_SHA256) or len(info[1]):
        raise SecurityRefused("UnsupportedAlgorithm", "only rsa-sha256 and ecdsa-sha256 signatures are accepted")
    return algorithm, _prefix_list(info[0])


def _check_references(info: etree._Element, timestamp: etree._Element, body: etree._Element) -> None:
    expected = {}
    for part in (timestamp, body):
        if not part.get(_ID):
            raise SecurityRefused("InvalidSecurity", "Timestamp and Body must each carry a wsu:Id")
        expected["#" + part.get(_ID)] = part
    for reference in info[2:]:
        part = expected.pop(reference.get("URI"), None)
        if part is None:
            raise SecurityRefused("InvalidSecurity", "the References must be the Timestamp and the Body, once each")
        _check_digest(reference, part)


def _check_digest(reference: etree._Element, part: etree._Element) -> None:
    if [child.tag for child in reference] != [_DS + name for name in ("Transforms", "DigestMethod", "DigestValue")]:
        raise SecurityRefused("InvalidSecurity", "a Reference must hold Transforms, DigestMethod and DigestValue")
    transforms, method, value = reference
    if [child.tag for child in transforms] != [_DS + "Transform"]:
        raise SecurityRefused("UnsupportedAlgorithm", "a Reference must have one Transform")
    prefixes = _prefix_list(transforms[0])
    if method.get("Algorithm") != names.SHA256 or len(method):
        raise SecurityRefused("UnsupportedAlgorithm", "only sha256 digests are accepted")
    if not hmac.compare_digest(hashlib.sha256(canonical(part, prefixes)).digest(), _octets(value.text)):
        raise SecurityRefused("FailedCheck", "a digest does not match the part it points at")


def _prefix_list(method: etree._Element) -> list[str]:
    if method.get("Algorithm") != names.EXC_C14N:
        raise SecurityRefused("UnsupportedAlgorithm", "only exclusive canonicalisation without comments is accepted")
    if len(method) == 0:
        return []
    if [child.tag for child in method] != [f"{{{names.EC}}}InclusiveNamespaces"]:
        raise SecurityRefused("UnsupportedAlgorithm", "a canonicalisation takes no parameter but InclusiveNamespaces")
    return (method[0].get("PrefixList") or "").split()


def _only_descent(element: etree._Element, path: list[str]) -> etree._Element:
    element = element.find(path[0])
    for tag in path[1:]:
        if element is None or [child.tag for child in element] != [tag]:
            raise SecurityRefused("InvalidSecurity", "KeyInfo must hold one SecurityTokenReference with one Reference")
        element = element[0]
    return element


def _octets(text: str | None) -> bytes:
    try:
        return base64.b64decode("".join((text or "").split()), validate=True)
    except binascii.Error as error:
        raise SecurityRefused("InvalidSecurity", "a value in the security header is not base64") from error


def _der_signature(value: bytes) -> bytes:
    # XML Signature writes r and s side by side, 32 bytes each (RFC 4050 §3.3); cryptography wants DER.
    if len(value) != 64:
        raise SecurityRefused("FailedCheck", "an ECDSA signature over P-256 has 64 bytes")
    return encode_dss_signature(int.from_bytes(value[:32]), int.from_bytes(value[32:]))


def _one_form(value: bytes) -> tuple[bytes, int]:
    s = int.from_bytes(value[32:])
    return value[:32], min(s, names.P256_ORDER - s)
