"""The authority itself: a root, two signers (one valid, one expired), and `openssl ts -reply` to sign with them.

    state/tsa/root.pem          what a client must trust; public
    state/tsa/*.key.pem …       0600; made once, the folder appears whole or not at all

The answer holds one certificate, the signer's: openssl writes several in the order of its configuration, where DER wants
them sorted. The fault `unsorted_certificates` does just that, because authorities of the real world do too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SIGNERS = ("signer", "expired")
POLICY = "1.3.6.1.4.1.32473.1.1"  # under the arc of RFC 5612, for examples
_YEARS = timedelta(days=3650)
_PATIENCE = 10  # seconds for openssl

_CONFIG = """\
[tsa]
default_tsa = plain
[plain]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/signer.pem
signer_key = {folder}/signer.key.pem
signer_digest = sha256
default_policy = {policy}
digests = sha256, sha384, sha512
accuracy = secs:1
ordering = yes
tsa_name = yes
ess_cert_id_alg = sha256
"""


class NotAQuery(Exception):
    """openssl does not take these bytes for a request."""


class Authority:
    """Signs stamps. One at a time: openssl keeps the last serial number in a file without locking it."""

    def __init__(self, state: Path) -> None:
        """`state`: the mocks' state folder; keys are made there at the first start."""
        self.folder = state.resolve() / "tsa"
        if not self.folder.is_dir():
            _found(self.folder)
        self._lock = threading.Lock()

    @property
    def root(self) -> Path:
        """The certificate a client must trust, PEM."""
        return self.folder / "root.pem"

    def reply(self, query: bytes, *, signer: str = "signer", chain: bool = False) -> bytes:
        """A TimeStampResp in DER for this TimeStampReq; raises NotAQuery. Takes about 12 ms."""
        more: list[str] = []
        if signer != "signer":
            more += ["-signer", f"{self.folder}/{signer}.pem", "-inkey", f"{self.folder}/{signer}.key.pem"]
        if chain:
            more += ["-chain", f"{self.folder}/unsorted.pem"]
        with self._lock:
            return _openssl(["-reply", "-config", f"{self.folder}/openssl.cnf", *more], query)

    def query(self, digest: bytes) -> bytes:
        """A request of our own over a SHA-256 digest, with a nonce of openssl's choice."""
        return _openssl(["-query", "-digest", digest.hex(), "-sha256", "-cert"], None)


def _openssl(arguments: list[str], query: bytes | None) -> bytes:
    with tempfile.TemporaryDirectory(prefix="tsa-") as name:
        files = [f"{name}/query", f"{name}/out"]
        if query is not None:
            Path(files[0]).write_bytes(query)
            arguments = [*arguments, "-queryfile", files[0]]
        subprocess.run(
            ["openssl", "ts", *arguments, "-out", files[1]], capture_output=True, timeout=_PATIENCE, check=False
        )
        try:
            return Path(files[1]).read_bytes()
        except FileNotFoundError as error:
            raise NotAQuery("openssl takes this for no request") from error


def _found(folder: Path) -> None:
    """Make root, signers and configuration beside their place, then rename; whoever loses the race uses the other's."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".tsa-", dir=folder.parent))
    root_key = ec.generate_private_key(ec.SECP256R1())
    root = _certificate("Mock time stamping root", root_key, root_key, None, timedelta(days=1), _YEARS)
    _write(draft / "root.pem", root.public_bytes(Encoding.PEM))
    chain = [root]
    for name in SIGNERS:
        key = ec.generate_private_key(ec.SECP256R1())
        since, until = (timedelta(days=9), timedelta(days=-2)) if name == "expired" else (timedelta(days=1), _YEARS)
        certificate = _certificate(f"Mock time stamping {name}", key, root_key, root, since, until)
        chain.append(certificate)
        _write(draft / f"{name}.pem", certificate.public_bytes(Encoding.PEM))
        _write(draft / f"{name}.key.pem", key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    _write(draft / "unsorted.pem", _unsorted(chain))
    _write(draft / "openssl.cnf", _CONFIG.format(folder=folder, policy=POLICY).encode())
    _write(draft / "serial", b"01\n")
    try:
        draft.rename(folder)
    except OSError:
        shutil.rmtree(draft)
        if not folder.is_dir():
            raise


def _unsorted(certificates: list[x509.Certificate]) -> bytes:
    """PEM in the reverse of the order that DER wants of a SET: whatever stands before them, two are out of order."""
    ordered = sorted(certificates, key=lambda one: one.public_bytes(Encoding.DER), reverse=True)
    return b"".join(one.public_bytes(Encoding.PEM) for one in ordered)


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    since: timedelta,
    until: timedelta,
) -> x509.Certificate:
    """A root when there is no issuer, else a signer: critical extended key usage timeStamping and nothing else."""
    now = datetime.now(UTC).replace(microsecond=0)
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "BE"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Mock sources, not a real authority"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - since)
        .not_valid_after(now + until)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(_usage(root=issuer is None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if issuer is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
    return builder.sign(issuer_key, hashes.SHA256())


def _usage(*, root: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not root,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=root,
        crl_sign=root,
        encipher_only=False,
        decipher_only=False,
    )


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
