"""Sign a source's replies: a soap:Envelope whose Timestamp and Body are under one ECDSA signature.

The reply is parsed once and its two parts go through lxml's canonicalisation, so what is signed never depends on
how a renderer happened to write it. SignedInfo is written in canonical form to begin with and signed as it stands.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from mock_sources.wsse import names
from mock_sources.wsse.shape import WINDOW, canonical

Inspect = Callable[[etree._Element], None]
"""Looks at the payload before it is signed, and raises when a source must not say that."""

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
_BEFORE = (
    f'<?xml version="1.0" encoding="UTF-8"?>\n<soapenv:Envelope xmlns:soapenv="{names.SOAP}" xmlns:wsu="{names.WSU}">'
    f'<soapenv:Header><wsse:Security xmlns:wsse="{names.WSSE}" soapenv:mustUnderstand="1">'
    f'<wsse:BinarySecurityToken EncodingType="{names.BASE64}" ValueType="{names.X509_V3}" '
    'wsu:Id="X509-source">%s</wsse:BinarySecurityToken>'
    '<wsu:Timestamp wsu:Id="TS-source"><wsu:Created>%s</wsu:Created><wsu:Expires>%s</wsu:Expires></wsu:Timestamp>'
)
_AFTER = '</wsse:Security></soapenv:Header><soapenv:Body wsu:Id="Body-source">%s</soapenv:Body></soapenv:Envelope>'


class Signer:
    """Signs with one source's key; `stranger` is a key nobody trusts, for the fault that bears its name."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        self._key = key
        self._stranger = ec.generate_private_key(ec.SECP256R1())
        self._token = base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()

    def seal(self, payload: str, created: datetime, inspect: Inspect | None = None, *, forged: bool = False) -> bytes:
        """Return the whole signed envelope round `payload`, one element written as XML text.

        `created` is also the beginning of the five minutes that the reply may live. `forged` signs with the key of
        a stranger under the right certificate. Raises lxml's XMLSyntaxError when `payload` is no XML.
        """
        before = _BEFORE % (self._token, _zulu(created), _zulu(created + WINDOW))
        after = _AFTER % payload
        envelope = etree.fromstring((before + after).encode(), _PARSER)
        if inspect is not None:
            inspect(envelope[1][0])
        parts = (("TS-source", envelope[0][0][1]), ("Body-source", envelope[1]))
        info = _SIGNED_INFO % tuple(_REFERENCE % (name, _digest(part)) for name, part in parts)
        signature = _SIGNATURE % (info, self._sign(info.encode(), forged))
        return (before + signature + after).encode()

    def _sign(self, signed: bytes, forged: bool) -> str:
        key = self._stranger if forged else self._key
        r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256())))
        return base64.b64encode(r.to_bytes(32) + s.to_bytes(32)).decode()


def unsigned(payload: str) -> bytes:
    """Return an envelope without a header, as a gateway answers before any service was reached."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<soapenv:Envelope xmlns:soapenv="{names.SOAP}">'
        f"<soapenv:Body>{payload}</soapenv:Body></soapenv:Envelope>"
    ).encode()


def _digest(part: etree._Element) -> str:
    return base64.b64encode(hashlib.sha256(canonical(part)).digest()).decode()


def _zulu(moment: datetime) -> str:
    """Write a moment as the stacks of the sources do: milliseconds and Z.

    >>> _zulu(datetime(2026, 1, 1, 12, 0, 0, 5000, tzinfo=UTC))
    '2026-01-01T12:00:00.005Z'
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
