"""A workshop for signed messages, good and crooked: lxml and cryptography only, nothing of what is under test.

`Workshop.message()` gives a correctly signed envelope as a tree; `sign` signs whatever it is told to, so that a crooked
message can carry a signature that really holds.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from lxml import etree

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
DS = "http://www.w3.org/2000/09/xmldsig#"
EC = "http://www.w3.org/2001/10/xml-exc-c14n#"
OASIS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
WSSE, WSU = OASIS + "wssecurity-secext-1.0.xsd", OASIS + "wssecurity-utility-1.0.xsd"
ID = f"{{{WSU}}}Id"
NS = {"s": SOAP, "ds": DS, "wsse": WSSE, "wsu": WSU, "ec": EC}
NOW = 1_795_430_400.0  # 2026-11-23T10:40:00Z, for every clock in these tests
SHA1, SHA256, SHA512 = DS + "sha1", "http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2001/04/xmlenc#sha512"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
_HASHES = {SHA1: hashlib.sha1, SHA256: hashlib.sha256, SHA512: hashlib.sha512}
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)
STRANGER = ec.generate_private_key(ec.SECP256R1())


def certificate(key: Any, *, days: int = 30, name: str = "source") -> x509.Certificate:
    """A self-signed certificate that began a day before NOW."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.fromtimestamp(NOW, UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = (
        builder.serial_number(7).not_valid_before(now - timedelta(days=30)).not_valid_after(now + timedelta(days=days))
    )
    return builder.sign(key, hashes.SHA256())


CERTIFICATE, RSA_CERTIFICATE = certificate(KEY), certificate(RSA_KEY)
STRANGER_CERTIFICATE = certificate(STRANGER)


def at(seconds: float) -> str:
    """NOW plus so many seconds, as an xsd:dateTime."""
    return datetime.fromtimestamp(NOW + seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def token(cert: x509.Certificate) -> str:
    return b64(cert.public_bytes(Encoding.DER))


def unsigned(
    payload: str, *, created: str = at(0), expires: str = at(300), cert: x509.Certificate = CERTIFICATE
) -> etree._Element:
    """An envelope with a security header but no Signature yet."""
    return etree.fromstring(
        f'<s:Envelope xmlns:s="{SOAP}" xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}" xmlns:ds="{DS}"><s:Header><wsse:Security>'
        f'<wsse:BinarySecurityToken EncodingType="{OASIS}soap-message-security-1.0#Base64Binary" '
        f'ValueType="{OASIS}x509-token-profile-1.0#X509v3" wsu:Id="X">{token(cert)}</wsse:BinarySecurityToken>'
        f'<wsu:Timestamp wsu:Id="T"><wsu:Created>{created}</wsu:Created>'
        f"<wsu:Expires>{expires}</wsu:Expires></wsu:Timestamp>"
        f'</wsse:Security></s:Header><s:Body wsu:Id="B">{payload}</s:Body></s:Envelope>'
    )


def find(root: etree._Element, path: str) -> etree._Element:
    found = root.find(path, NS)
    if found is None:
        raise LookupError(path)
    return found


def c14n(element: etree._Element) -> bytes:
    return etree.tostring(element, method="c14n", exclusive=True)


def sign(
    root: etree._Element,
    parts: tuple[str, ...] = ("T", "B"),
    *,
    key: Key = KEY,
    digest: str = SHA256,
    method: str | None = None,
    form: str = EC,
    transforms: str | None = None,
    inside_info: str = "",
    value: bytes | None = None,
) -> etree._Element:
    """Sign the elements with these wsu:Ids (first one found) and put the Signature behind the Timestamp."""
    method = method or (MORE + ("rsa-sha256" if isinstance(key, rsa.RSAPrivateKey) else "ecdsa-sha256"))
    transforms = f'<ds:Transform Algorithm="{EC}"/>' if transforms is None else transforms
    references = ""
    for name in parts:
        element = next(iter(root.xpath("//*[@wsu:Id=$name]", namespaces=NS, name=name)))
        references += (
            f'<ds:Reference URI="#{name}"><ds:Transforms>{transforms}</ds:Transforms>'
            f'<ds:DigestMethod Algorithm="{digest}"/>'
            f"<ds:DigestValue>{b64(_HASHES[digest](c14n(element)).digest())}</ds:DigestValue></ds:Reference>"
        )
    signature = etree.fromstring(
        f'<ds:Signature xmlns:ds="{DS}" xmlns:wsse="{WSSE}"><ds:SignedInfo>'
        f'<ds:CanonicalizationMethod Algorithm="{form}"/><ds:SignatureMethod Algorithm="{method}"/>'
        f"{references}{inside_info}</ds:SignedInfo><ds:SignatureValue/><ds:KeyInfo><wsse:SecurityTokenReference>"
        f'<wsse:Reference URI="#X" ValueType="{OASIS}x509-token-profile-1.0#X509v3"/>'
        "</wsse:SecurityTokenReference></ds:KeyInfo></ds:Signature>"
    )
    find(root, "s:Header/wsse:Security").append(signature)
    settle(root, key=key, value=value, sha1=method.endswith("sha1"))
    return root


def settle(root: etree._Element, *, key: Key = KEY, value: bytes | None = None, sha1: bool = False) -> None:
    """Compute SignatureValue anew over SignedInfo as it stands now."""
    info = find(root, ".//ds:SignedInfo")
    algorithm = hashes.SHA1() if sha1 else hashes.SHA256()  # noqa: S303 (a crooked message needs crooked means)
    if value is None and isinstance(key, rsa.RSAPrivateKey):
        value = key.sign(c14n(info), padding.PKCS1v15(), algorithm)
    elif value is None:
        r, s = decode_dss_signature(key.sign(c14n(info), ec.ECDSA(algorithm)))
        value = r.to_bytes(32) + s.to_bytes(32)
    find(root, ".//ds:SignatureValue").text = b64(value)


GOOD, EVIL = "<answer>genuine</answer>", "<answer>EVIL</answer>"


def message(payload: str = GOOD, **changes: Any) -> etree._Element:
    """A correctly signed message."""
    return sign(unsigned(payload), **changes)


def text(root: etree._Element) -> bytes:
    return etree.tostring(root)
