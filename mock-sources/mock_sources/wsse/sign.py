"""Sign a source's replies: a soap:Envelope whose Timestamp and Body are under one ECDSA signature.

`seal` takes any XML and canonicalises it with lxml. `seal_plain` takes a payload that its renderer already writes in
exclusive canonical form and digests the text as it stands, for load benches run through it; `canonical_body` is how
a caller holds a renderer to that promise.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from mock_sources.wsse import names
from mock_sources.wsse.shape import WINDOW, canonical

_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
_SIGNED_INFO = (
    f'<ds:SignedInfo xmlns:ds="{names.DS}">'
    f'<ds:CanonicalizationMethod Algorithm="{names.EXC_C14N}"></ds:CanonicalizationMethod>'
    f'<ds:SignatureMethod Algorithm="{names.ECDSA_SHA256}"></ds:SignatureMethod>%s%s</ds:SignedInfo>'
)
_REFERENCE = (
    f'<ds:Reference URI="#%s"><ds:Transforms><ds:Transform Algorithm="{names.EXC_C14N}"></ds:Transform>'
    f'</ds:Transforms><ds:DigestMethod Algorithm="{names.SHA256}"></ds:DigestMethod>'
    "<ds:DigestValue>%s</ds:DigestValue></ds:Reference>"
)
_SIGNATURE = (
    f'<ds:Signature xmlns:ds="{names.DS}">%s<ds:SignatureValue>%s</ds:SignatureValue><ds:KeyInfo>'
    '<wsse:SecurityTokenReference><wsse:Reference URI="#X509-source" '
    f'ValueType="{names.X509_V3}"/></wsse:SecurityTokenReference></ds:KeyInfo></ds:Signature>'
)
_OPEN = (
    f'<?xml version="1.0" encoding="UTF-8"?>\n<soapenv:Envelope xmlns:soapenv="{names.SOAP}">'
    f'<soapenv:Header><wsse:Security xmlns:wsse="{names.WSSE}" soapenv:mustUnderstand="1">'
    f'<wsse:BinarySecurityToken xmlns:wsu="{names.WSU}" EncodingType="{names.BASE64}" ValueType="{names.X509_V3}" '
    'wsu:Id="X509-source">%s</wsse:BinarySecurityToken>'
)
_TIMESTAMP = (
    f'<wsu:Timestamp xmlns:wsu="{names.WSU}" wsu:Id="TS-source"><wsu:Created>%s</wsu:Created>'
    "<wsu:Expires>%s</wsu:Expires></wsu:Timestamp>"
)
_BODY = f'<soapenv:Body xmlns:soapenv="{names.SOAP}" xmlns:wsu="{names.WSU}" wsu:Id="Body-source">%s</soapenv:Body>'


class Signer:
    """Signs with one source's key. A stranger's key, trusted by nobody, is there for the fault wrong_signature."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        self._key = key
        self._stranger = ec.generate_private_key(ec.SECP256R1())
        self._open = _OPEN % base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()

    def seal(self, payload: str, created: datetime, *, forged: bool = False) -> bytes:
        """Return the whole signed envelope round `payload`, one element written as XML text.

        `created` is also the beginning of the five minutes that the reply may live. `forged` signs with the key of
        a stranger under the right certificate. Raises lxml's XMLSyntaxError when `payload` is no XML.
        """
        return self._seal(_BODY % payload, canonical_body(payload), created, forged)

    def seal_plain(self, payload: str, created: datetime, *, forged: bool = False) -> bytes:
        """The same for a payload in exclusive canonical form; the caller answers for that."""
        body = _BODY % payload
        return self._seal(body, body.encode(), created, forged)

    def _seal(self, body: str, canonical_form: bytes, created: datetime, forged: bool) -> bytes:
        timestamp = _TIMESTAMP % (_zulu(created), _zulu(created + WINDOW))
        parts = (("TS-source", timestamp.encode()), ("Body-source", canonical_form))
        info = _SIGNED_INFO % tuple(_REFERENCE % (name, _digest(octets)) for name, octets in parts)
        signature = _SIGNATURE % (info, self._sign(info.encode(), forged))
        header = f"{self._open}{timestamp}{signature}</wsse:Security></soapenv:Header>"
        return f"{header}{body}</soapenv:Envelope>".encode()

    def _sign(self, signed: bytes, forged: bool) -> str:
        key = self._stranger if forged else self._key
        r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256())))
        return base64.b64encode(r.to_bytes(32) + s.to_bytes(32)).decode()


def canonical_body(payload: str) -> bytes:
    """The soap:Body that `seal` puts round a payload, canonicalised by lxml; XMLSyntaxError when it is no XML."""
    return canonical(etree.fromstring((_BODY % payload).encode(), _PARSER))


def is_plain(payload: str) -> bool:
    """Say whether a payload is in the form that `seal_plain` signs.

    >>> is_plain('<a b="1" c="2">x &amp; y</a>'), is_plain('<a c="2" b="1"/>')
    (True, False)
    """
    return canonical_body(payload) == (_BODY % payload).encode()


def unsigned(payload: str) -> bytes:
    """Return an envelope without a header, as a gateway answers before any service was reached."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<soapenv:Envelope xmlns:soapenv="{names.SOAP}">'
        f"<soapenv:Body>{payload}</soapenv:Body></soapenv:Envelope>"
    ).encode()


def _digest(octets: bytes) -> str:
    return base64.b64encode(hashlib.sha256(octets).digest()).decode()


def _zulu(moment: datetime) -> str:
    """Write a moment as the stacks of the sources do: milliseconds and Z.

    >>> _zulu(datetime(2026, 1, 1, 12, 0, 0, 5000, tzinfo=UTC))
    '2026-01-01T12:00:00.005Z'
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
