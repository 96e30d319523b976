"""The onboarding kit: what each source hands to a new participant, written once into `state/credentials/`.

The hub reads the same files; the mocks accept exactly these identities. Files are 0600 and the folder appears
whole or not at all: it is written beside its place and renamed, so two processes starting at once agree on one kit.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

IDENTITIES = ("rijksregister", "ksz", "client")
"""Key pairs of the kit: two sources sign their answers, `client` is what they issued to the hub."""

PACKAGES = ("debts_receipts", "debts_postes", "debts_arrears")
"""Accounting packages, each with a fixed token for the hub."""

_YEARS = 10
_PRIVATE_FILE, _PRIVATE_FOLDER = 0o600, 0o700


class KitIncomplete(Exception):
    """`state/credentials/` exists but a file of the kit is missing or unreadable; delete the folder for a new one."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A P-256 key pair with its self-signed certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


@dataclass(frozen=True, slots=True)
class UsernamePassword:
    """KBO: what goes in the WS-Security UsernameToken."""

    username: str
    password: str


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """DIV: what buys a bearer token at the token endpoint."""

    client_id: str
    client_secret: str


@dataclass(frozen=True, slots=True)
class Credentials:
    """The kit, read into memory. `folder` is `state/credentials`; its parent is the mocks' state folder."""

    folder: Path
    rijksregister: Identity
    ksz: Identity
    client: Identity
    kbo: UsernamePassword
    div: ClientSecret
    tokens: Mapping[str, str]  # of each of PACKAGES

    @property
    def state(self) -> Path:
        """The state folder that holds this kit."""
        return self.folder.parent


def ensure(state: Path) -> Credentials:
    """Read the kit of this state folder, making it first when there is none.

    Raises KitIncomplete when a kit is there but damaged: making a second one would strand a running hub.
    """
    folder = state / "credentials"
    if not folder.is_dir() or not any(folder.iterdir()):
        _issue(folder)
    return load(state)


def load(state: Path) -> Credentials:
    """Read the kit; raises KitIncomplete when a file is absent or unreadable."""
    folder = state / "credentials"
    try:
        identities = {name: _identity(folder, name) for name in IDENTITIES}
        kbo = json.loads((folder / "kbo.json").read_bytes())
        div = json.loads((folder / "div.json").read_bytes())
        tokens = {name: json.loads((folder / f"{name}.json").read_bytes())["token"] for name in PACKAGES}
        return Credentials(
            folder=folder,
            tokens=tokens,
            kbo=UsernamePassword(kbo["username"], kbo["password"]),
            div=ClientSecret(div["clientId"], div["clientSecret"]),
            **identities,
        )
    except (OSError, ValueError, KeyError) as error:
        raise KitIncomplete(f"{folder.name}: {type(error).__name__}; delete the folder to issue a new kit") from error


def _identity(folder: Path, name: str) -> Identity:
    key = serialization.load_pem_private_key((folder / f"{name}.key.pem").read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{name}.key.pem holds no elliptic-curve key")
    return Identity(key, x509.load_pem_x509_certificate((folder / f"{name}.cert.pem").read_bytes()))


def _issue(folder: Path) -> None:
    """Write a kit beside its place, then rename; losing the race to another process is fine, its kit stands."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".credentials-", dir=folder.parent))
    draft.chmod(_PRIVATE_FOLDER)
    for name in IDENTITIES:
        _write_identity(draft, name)
    _write_json(draft / "kbo.json", {"username": "fidus-mock", "password": secrets.token_urlsafe(24)})
    _write_json(draft / "div.json", {"clientId": "fidus-mock", "clientSecret": secrets.token_urlsafe(32)})
    for name in PACKAGES:
        _write_json(draft / f"{name}.json", {"token": secrets.token_urlsafe(32)})
    try:
        draft.rename(folder)
    except OSError:
        shutil.rmtree(draft)
        if not folder.is_dir():
            raise


def _write_identity(folder: Path, name: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _write(folder / f"{name}.key.pem", private)
    _write(folder / f"{name}.cert.pem", _self_signed(name, key).public_bytes(pem))


def _self_signed(name: str, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    """A certificate for signing only, from yesterday (clock skew between machines) for ten years."""
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "BE"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Mock sources, not a real authority"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{name}.mock.invalid"),
        ]
    )
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=365 * _YEARS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _write_json(path: Path, document: dict[str, str]) -> None:
    _write(path, json.dumps(document).encode())


def _write(path: Path, content: bytes) -> None:
    """Create the file private from its first byte; chmod afterwards would leave a moment for others to read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
