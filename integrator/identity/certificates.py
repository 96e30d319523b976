"""Certificates of callers: which are believed, and the name by which a token is bound to one (RFC 8705 §3.1).

TLS (ours, or the proxy's) has seen that the caller holds the private key. Here the certificate itself is looked at, in
both cases: issued by an authority of ours, for clients, valid today, and not taken back. Taking one back is a line in a
file: revocation lists of authorities say nothing within a second.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import Criticality, ExtensionPolicy, Policy, PolicyBuilder, Store, VerificationError

from integrator.errors import ConfigurationError, UnknownCaller

REVOKED = "revoked-certificates"  # in the state folder: one thumbprint in a line, # begins a remark
LOOKED_AGAIN = 0.5  # seconds
_REMEMBERED = 1_000
_CHECKED_AGAIN = 60.0  # seconds a verdict on a certificate's chain is remembered; its end is looked at every time
_PRINT = re.compile(r"[A-Za-z0-9_-]{43}")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}")


class CertificateRefused(UnknownCaller):
    """A certificate was shown that proves nothing; the words say what is wrong with it, never whose it is."""

    code = "CERTIFICATE_REFUSED"

    def __init__(self, words: str) -> None:
        super().__init__(
            f"client certificate not believed: {words}",
            advice="Ask the operator of the hub which authority issues client certificates, and whether yours was revoked.",
        )


def thumbprint(der: bytes) -> str:
    """`x5t#S256`: base64url of the SHA-256 of the certificate as DER, without padding; 43 characters."""
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()


def read_thumbprint(text: str) -> str:
    """A thumbprint as people write it: ours, or hexadecimal as openssl prints it. Raises `ConfigurationError`.

    >>> read_thumbprint("00:" * 31 + "00") == read_thumbprint("A" * 43)
    True
    """
    if _PRINT.fullmatch(text):
        return text
    if _HEX.fullmatch(text):
        return base64.urlsafe_b64encode(bytes.fromhex(text.replace(":", ""))).rstrip(b"=").decode()
    raise ConfigurationError(
        "not the SHA-256 thumbprint of a certificate",
        advice="openssl x509 -noout -fingerprint -sha256 -in FILE prints it.",
    )


class Certificates:
    """What is believed of certificates shown by callers. `authority`: PEM file with the authorities; None = the proxy's word."""

    def __init__(self, authority: Path | None, revoked: Path, now: Callable[[], float]) -> None:
        self._authorities = _authorities(authority) if authority is not None else None
        self._revoked_file, self._now = revoked, now
        self._revoked: frozenset[str] = frozenset()
        self._stamp: tuple[int, int] | None = None
        self._looked = float("-inf")
        self._believed: dict[bytes, tuple[str, float, float]] = {}  # thumbprint, last second, when to check again

    def believe(self, der: bytes) -> str:
        """The thumbprint of a certificate that is believed. Raises `CertificateRefused`."""
        now = self._now()
        known = self._believed.get(der)
        if known is None or known[2] <= now:
            if len(self._believed) >= _REMEMBERED:
                self._believed.clear()
            known = self._believed[der] = (thumbprint(der), self._check(der, now), now + _CHECKED_AGAIN)
        if known[1] <= now:
            raise CertificateRefused("it has expired")
        if known[0] in self._taken_back(now):
            raise CertificateRefused("it was revoked")
        return known[0]

    def _check(self, der: bytes, now: float) -> float:
        """Until when it is valid (epoch seconds)."""
        try:
            certificate = x509.load_der_x509_certificate(der)
            first, last = certificate.not_valid_before_utc.timestamp(), certificate.not_valid_after_utc.timestamp()
            usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        except x509.ExtensionNotFound:
            raise CertificateRefused("it does not say that it is for clients (clientAuth)") from None
        except Exception as error:  # a parser of strangers' bytes: whatever it says, the certificate is not read
            raise CertificateRefused("it cannot be read") from error
        if not first <= now:
            raise CertificateRefused("it is not valid yet")
        if ExtendedKeyUsageOID.CLIENT_AUTH not in usages:
            raise CertificateRefused("it is not for clients (clientAuth)")
        if self._authorities is not None and last > now:
            self._check_chain(certificate, now)
        return last

    def _check_chain(self, certificate: x509.Certificate, now: float) -> None:
        """Issued by an authority of ours, directly or through those in its file."""
        policy = (
            PolicyBuilder().store(Store(self._authorities or [])).time(datetime.fromtimestamp(now, UTC))
            .extension_policies(ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=_for_clients())
        )  # fmt: skip
        try:
            policy.build_client_verifier().verify(certificate, self._authorities or [])
        except (VerificationError, ValueError) as error:
            raise CertificateRefused("no authority of this hub issued it") from error

    def _taken_back(self, now: float) -> frozenset[str]:
        """Read again within half a second of a change. A file that cannot be read revokes as before, never less."""
        if 0 <= now - self._looked < LOOKED_AGAIN:
            return self._revoked
        self._looked = now
        try:
            status = self._revoked_file.stat()
        except FileNotFoundError:
            self._revoked, self._stamp = frozenset(), None
            return self._revoked
        stamp = (status.st_mtime_ns, status.st_size)
        if stamp != self._stamp:
            self._revoked, self._stamp = read_revoked(self._revoked_file), stamp
        return self._revoked


def read_revoked(path: Path) -> frozenset[str]:
    """The thumbprints of a file. Lines that are none are left out: `integrator app revoke` writes no such line."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return frozenset(word for line in lines if _PRINT.fullmatch(word := line.partition("#")[0].strip()))


def _authorities(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"the authorities of client certificates cannot be read: {type(error).__name__}",
            advice="tls.clientCa names a PEM file with the certificates of the authorities.",
        ) from error


def _for_clients() -> ExtensionPolicy:
    """Of the caller's own certificate: for clients. Names in it are not looked at: the key of the assertion says who asks."""

    def for_clients(policy: Policy, certificate: x509.Certificate, usages: x509.ExtendedKeyUsage) -> None:
        del policy, certificate
        if ExtendedKeyUsageOID.CLIENT_AUTH not in usages:
            raise ValueError("not for clients")

    return ExtensionPolicy.permit_all().require_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, for_clients)
