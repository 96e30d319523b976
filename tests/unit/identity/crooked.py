"""An authority for tests, and everything that can be wrong with a certificate: nothing of it is worth anything outside."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH


def name(words: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, words)])


@dataclass(frozen=True)
class Issued:
    """A certificate with its key, also as files."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey | RSAPrivateKey
    pem: Path
    key_pem: Path

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)


class Authority:
    """Issues what it is asked, right or wrong; `now` is the middle of an ordinary certificate's life."""

    def __init__(self, folder: Path, now: float | None = None, words: str = "Authority of a test") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.words = folder, words
        self.now = datetime.now(UTC) if now is None else datetime.fromtimestamp(now, UTC)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._build(name(words), self.key, days=(-30, 365), ca=True, signer=(self.key, name(words)))
        self.pem = folder / "authority.pem"
        self.pem.write_bytes(self.certificate.public_bytes(Encoding.PEM))

    def issue(
        self, words: str, *, days: tuple[int, int] = (-1, 30), usages: tuple[Any, ...] | None = (CLIENT,), self_signed: bool = False,
        ca: bool = False, signer: Issued | None = None, rsa: bool = False,
    ) -> Issued:  # fmt: skip
        key = generate_private_key(65537, 2048) if rsa else ec.generate_private_key(ec.SECP256R1())
        by = (key, name(words)) if self_signed else (self.key, self.certificate.subject)
        if signer is not None:
            by = (signer.key, signer.certificate.subject)
        certificate = self._build(name(words), key, days=days, ca=ca, signer=by, usages=usages)
        pem, key_pem = self.folder / f"{words}.pem", self.folder / f"{words}.key"
        pem.write_bytes(certificate.public_bytes(Encoding.PEM))
        key_pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return Issued(certificate, key, pem, key_pem)

    def _build(
        self, subject: x509.Name, key: Any, *, days: tuple[int, int], ca: bool, signer: tuple[Any, x509.Name], usages: tuple[Any, ...] | None = None
    ) -> x509.Certificate:  # fmt: skip
        begun = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(signer[1]).public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now + timedelta(days=days[0])).not_valid_after(self.now + timedelta(days=days[1]))
            .add_extension(x509.BasicConstraints(ca, None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer[0].public_key()), critical=False)
            .add_extension(
                x509.KeyUsage(not ca, False, False, False, False, ca, ca, False, False), critical=True
            )
        )  # fmt: skip
        if not ca:
            names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            begun = begun.add_extension(x509.SubjectAlternativeName(names), critical=False)
        if usages is not None:
            begun = begun.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        return begun.sign(signer[0], hashes.SHA256())


def crooked(good: Authority, other: Authority) -> dict[str, Issued]:
    """One certificate for each wound; all but the last lot have a key that fits them."""
    leaf = good.issue("leaf")
    return {
        "expired": good.issue("expired", days=(-60, -1)), "not_valid_yet": good.issue("not-yet", days=(1, 60)),
        "of_another_authority": other.issue("stranger"), "self_signed": good.issue("selfish", self_signed=True),
        "for_servers": good.issue("server", usages=(SERVER,)), "for_nothing": good.issue("nothing", usages=None),
        "issued_by_a_caller": good.issue("grandchild", signer=leaf),
    }  # fmt: skip


WOUNDS = (
    "expired",
    "not_valid_yet",
    "of_another_authority",
    "self_signed",
    "for_servers",
    "for_nothing",
    "issued_by_a_caller",
)
