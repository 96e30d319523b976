"""Signing what we ask: an X.509 signature over Timestamp and Body, written in canonical form from the start.

What is signed is put down as exclusive canonicalisation would put it, so a digest is sha256 over bytes that we already
hold: nothing is parsed or canonicalised. tests/unit/transport/test_wsse_sign.py proves the form with lxml and signxml.

    Security:  BinarySecurityToken ◄─ KeyInfo
               Timestamp  ◄─┐
               Signature ───┴─► Body          (ids: TOKEN, TS, BODY)
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from integrator.errors import ConfigurationError
from integrator.transport.envelope import SOAP
from integrator.transport.wsse import BASE64, LIFE, WSSE, WSU, X509_V3, Clock, zulu

DS = "http://www.w3.org/2000/09/xmldsig#"
EXC_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
ECDSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"

# Exclusive canonical form: namespaces first, by prefix; then attributes; no empty-element tags; nothing in between.
_TIMESTAMP = (
    f'<wsu:Timestamp xmlns:wsu="{WSU}" wsu:Id="TS">'
    "<wsu:Created>%s</wsu:Created><wsu:Expires>%s</wsu:Expires></wsu:Timestamp>"
)
_BODY = f'<soapenv:Body xmlns:soapenv="{SOAP}" xmlns:wsu="{WSU}" wsu:Id="BODY">'.encode()
_BODY_END = b"</soapenv:Body>"
_REFERENCE = (
    f'<ds:Reference URI="#%s"><ds:Transforms><ds:Transform Algorithm="{EXC_C14N}"></ds:Transform></ds:Transforms>'
    f'<ds:DigestMethod Algorithm="{SHA256}"></ds:DigestMethod><ds:DigestValue>%s</ds:DigestValue></ds:Reference>'
)
_SIGNED_INFO = (
    f'<ds:SignedInfo xmlns:ds="{DS}"><ds:CanonicalizationMethod Algorithm="{EXC_C14N}"></ds:CanonicalizationMethod>'
    '<ds:SignatureMethod Algorithm="{method}"></ds:SignatureMethod>'
    f"{_REFERENCE % ('TS', '%s')}{_REFERENCE % ('BODY', '%s')}</ds:SignedInfo>"
)
_BEFORE = (
    f'<?xml version="1.0" encoding="UTF-8"?>\n<soapenv:Envelope xmlns:soapenv="{SOAP}"><soapenv:Header>'
    f'<wsse:Security xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}" soapenv:mustUnderstand="1">'
    f'<wsse:BinarySecurityToken EncodingType="{BASE64}" ValueType="{X509_V3}" wsu:Id="TOKEN">'
)
_KEY_INFO = (
    "<ds:KeyInfo><wsse:SecurityTokenReference>"
    f'<wsse:Reference URI="#TOKEN" ValueType="{X509_V3}"></wsse:Reference>'
    "</wsse:SecurityTokenReference></ds:KeyInfo></ds:Signature></wsse:Security>"
)


class Signer:
    """Signs with one key, read once. P-256 gives ecdsa-sha256 (~30 µs), RSA gives rsa-sha256 (~270 µs at 2048 bits)."""

    def __init__(
        self, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, certificate: x509.Certificate, now: Clock
    ) -> None:
        if key.public_key() != certificate.public_key():
            raise ConfigurationError("the signing key does not belong to the signing certificate")
        self._now = now
        self._sign, method = _signing(key)
        self._info = _SIGNED_INFO.replace("{method}", method)
        token = base64.b64encode(certificate.public_bytes(Encoding.DER))
        self._before = _BEFORE.encode() + token + b"</wsse:BinarySecurityToken>"

    @classmethod
    def load(cls, key: Path, certificate: Path, now: Clock) -> Signer:
        """Read PEM files; raises `ConfigurationError` with the file's name, never with what is in it."""
        try:
            loaded = load_pem_private_key(key.read_bytes(), password=None)
        except (OSError, ValueError, TypeError) as error:
            raise ConfigurationError(f"{key.name}: no readable private key ({type(error).__name__})") from None
        if not isinstance(loaded, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
            raise ConfigurationError(f"{key.name}: only P-256 and RSA keys sign messages")
        return cls(loaded, load_certificate(certificate), now)

    def seal(self, payload: bytes, *headers: bytes) -> bytes:
        """A whole signed envelope round a payload that is in exclusive canonical form (`Template.render` gives that).

        `headers` are further header blocks; they are not signed. Created now, to be believed for 300 seconds.
        """
        at = self._now()
        timestamp = (_TIMESTAMP % (zulu(at), zulu(at + LIFE))).encode()
        body = b"".join((_BODY, payload, _BODY_END))
        info = (self._info % (_digest(timestamp), _digest(body))).encode()
        value = base64.b64encode(self._sign(info))
        return b"".join(
            (
                self._before, timestamp, f'<ds:Signature xmlns:ds="{DS}">'.encode(), info,
                b"<ds:SignatureValue>", value, b"</ds:SignatureValue>", _KEY_INFO.encode(),
                *headers, b"</soapenv:Header>", body, b"</soapenv:Envelope>",
            )
        )  # fmt: skip


def load_certificate(path: Path) -> x509.Certificate:
    """Read one PEM certificate; raises `ConfigurationError` with the file's name."""
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path.name}: no readable certificate ({type(error).__name__})") from None


def _signing(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> tuple[Callable[[bytes], bytes], str]:
    if isinstance(key, rsa.RSAPrivateKey):
        if key.key_size < 2048:
            raise ConfigurationError("an RSA key that signs messages has 2048 bits or more")
        return lambda data: key.sign(data, padding.PKCS1v15(), hashes.SHA256()), RSA_SHA256
    if not isinstance(key.curve, ec.SECP256R1):
        raise ConfigurationError("an elliptic key that signs messages is on P-256")
    return lambda data: _r_and_s(key.sign(data, ec.ECDSA(hashes.SHA256()))), ECDSA_SHA256


def _r_and_s(der: bytes) -> bytes:
    # XML Signature 1.1 §6.4.3: the two numbers side by side, 32 bytes each; cryptography speaks DER.
    r, s = decode_dss_signature(der)
    return r.to_bytes(32) + s.to_bytes(32)


def _digest(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()
