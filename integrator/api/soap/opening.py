"""What the façade needs beside the hub: the key that answers are signed with, and whether TLS may speak for a caller.

    soap: {signingKey: …, signingCertificate: …, mutualTls: false}

The sandbox makes a key where there is none. In production files are wanted, or there is no façade: an answer that nobody
signed is not sent.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from integrator.identity.applications import alone
from integrator.transport.wsse import Clock
from integrator.transport.wsse_sign import Signer

_YEARS = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class Soap:
    """`mutual`: whether a message without WS-Security is believed when its certificate came with the TLS connection."""

    signer: Signer
    mutual: bool = False


def open_soap(chosen: Mapping[str, Any], *, sandbox: bool, now: Clock) -> Soap | None:
    """None where the settings name no key, or in production where there is none. Raises `ConfigurationError`."""
    if "signingKey" not in chosen:
        return None
    key, certificate = Path(chosen["signingKey"]), Path(chosen["signingCertificate"])
    if not key.exists():
        if not sandbox:
            return None
        with alone(key.parent):
            if not key.exists():  # another process of this hub made it a moment ago: that one counts
                make_pair(key, certificate, now())
    return Soap(Signer.load(key, certificate, now), chosen.get("mutualTls") is True)


def make_pair(key: Path, certificate: Path, now: float) -> None:
    """A P-256 key (mode 0600) with a certificate that it signed itself."""
    made = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "integrator sandbox")])
    begin = datetime.fromtimestamp(now, UTC)
    issued = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(made.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(begin - timedelta(days=1)).not_valid_after(begin + _YEARS)
        .sign(made, hashes.SHA256())
    )  # fmt: skip
    # The certificate first, each whole or not at all: who sees the key sees its certificate as well.
    _write(certificate, issued.public_bytes(Encoding.PEM), 0o644)
    _write(key, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)


def _write(path: Path, data: bytes, mode: int) -> None:
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
