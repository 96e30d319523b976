"""A closed package as its vendor would build it: zeep, made from the served WSDL alone, and a signature by signxml.

zeep's own `BinarySignature` needs xmlsec, which is not everywhere; this one writes the same message. Nothing of ours signs
or verifies here.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
import zeep
import zeep.transports
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree
from signxml import DigestAlgorithm, SignatureConfiguration, SignatureMethod, XMLSigner, XMLVerifier
from signxml.algorithms import CanonicalizationMethod, SignatureConstructionMethod
from signxml.signer import SignatureReference

from tests.unit.transport.workshop import DS, ID, NS, OASIS, SOAP, WSSE, WSU, token

_EXCLUSIVE = CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0


class Signature:
    """zeep's `wsse`: signs Timestamp and Body with the package's key, and wants the same of the hub's answers."""

    def __init__(self, key: Any, certificate: x509.Certificate, hub: x509.Certificate, *, age: float = 0.0) -> None:
        self.key, self.certificate, self.hub, self.age = key, certificate, hub, age
        self.sent: list[bytes] = []
        self.got: list[bytes] = []

    def apply(self, envelope: Any, headers: dict[str, str]) -> tuple[Any, dict[str, str]]:
        sign(envelope, self.key, self.certificate, age=self.age)
        self.sent.append(etree.tostring(envelope))
        return envelope, headers

    def verify(self, envelope: Any) -> Any:
        self.got.append(etree.tostring(envelope))
        verify(self.got[-1], self.hub)
        return envelope


def sign(envelope: Any, key: Any, certificate: x509.Certificate, *, age: float = 0.0) -> None:
    """Put a security header into an envelope: token, Timestamp (made `age` seconds ago) and Signature, ids of its own."""
    ids = [f"{name}-{secrets.token_hex(8)}" for name in ("X509", "TS", "BODY")]
    made = datetime.now(UTC) - timedelta(seconds=age)
    header = envelope.find(f"{{{SOAP}}}Header")
    if header is None:
        header = etree.Element(f"{{{SOAP}}}Header")
        envelope.insert(0, header)
    body = envelope.find(f"{{{SOAP}}}Body")
    security = etree.SubElement(header, f"{{{WSSE}}}Security", nsmap={"wsse": WSSE, "wsu": WSU})
    kinds = {
        "ValueType": OASIS + "x509-token-profile-1.0#X509v3",
        "EncodingType": OASIS + "soap-message-security-1.0#Base64Binary",
    }
    etree.SubElement(security, f"{{{WSSE}}}BinarySecurityToken", {**kinds, ID: ids[0]}).text = token(certificate)
    timestamp = etree.SubElement(security, f"{{{WSU}}}Timestamp", {ID: ids[1]})
    etree.SubElement(timestamp, f"{{{WSU}}}Created").text = made.isoformat(timespec="milliseconds")
    etree.SubElement(timestamp, f"{{{WSU}}}Expires").text = (made + timedelta(seconds=300)).isoformat()
    body.set(ID, ids[2])
    method = SignatureMethod.RSA_SHA256 if isinstance(key, rsa.RSAPrivateKey) else SignatureMethod.ECDSA_SHA256
    signer = XMLSigner(SignatureConstructionMethod.detached, method, DigestAlgorithm.SHA256, _EXCLUSIVE)
    references = [SignatureReference(URI=f"#{one}", c14n_method=_EXCLUSIVE) for one in ids[1:]]
    signature = signer.sign(envelope, key=key, cert=[certificate], reference_uri=references, id_attribute="Id")
    info = signature.find("ds:KeyInfo", NS)
    for child in list(info):
        info.remove(child)
    holder = etree.SubElement(info, f"{{{WSSE}}}SecurityTokenReference")
    etree.SubElement(holder, f"{{{WSSE}}}Reference", {"URI": f"#{ids[0]}", "ValueType": kinds["ValueType"]})
    security.append(signature)


def verify(data: bytes, certificate: x509.Certificate) -> None:
    """Raises unless Timestamp and Body of an answer are signed with this certificate's key, as signxml sees it."""
    root = etree.fromstring(data)
    signature = root.find(f".//{{{DS}}}Signature")
    if signature is None:
        raise ValueError("the answer is not signed")
    signature.remove(signature.find("{*}KeyInfo"))  # signxml reads no SecurityTokenReference
    expected = SignatureConfiguration(require_x509=False, location=".//{*}Security/", expect_references=2)
    seen = XMLVerifier().verify(root, x509_cert=certificate, id_attribute="Id", expect_config=expected)
    names = {etree.QName(one.signed_xml).localname for one in seen}
    if names != {"Timestamp", "Body"}:
        raise ValueError("something else is signed")


def package(url: str, wsse: Any, *, session: requests.Session | None = None) -> zeep.Client:
    """A client made of nothing but what the hub serves."""
    chosen = session or requests.Session()
    chosen.trust_env = False
    transport = zeep.transports.Transport(session=chosen, timeout=30, operation_timeout=30)
    return zeep.Client(url + "?wsdl", transport=transport, wsse=wsse, settings=zeep.Settings(strict=True))
