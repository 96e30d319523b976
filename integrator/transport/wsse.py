"""WS-Security on the way out: a UsernameToken. Signing is in `wsse_sign`, believing in `wsse_verify`.

OASIS Web Services Security 1.0 (2004) with the UsernameToken and X.509 token profiles.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable
from datetime import UTC, datetime

from integrator.transport.xml import escape

_OASIS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
WSSE = _OASIS + "wssecurity-secext-1.0.xsd"
WSU = _OASIS + "wssecurity-utility-1.0.xsd"
BASE64 = _OASIS + "soap-message-security-1.0#Base64Binary"
X509_V3 = _OASIS + "x509-token-profile-1.0#X509v3"
PASSWORD_DIGEST = _OASIS + "username-token-profile-1.0#PasswordDigest"
LIFE = 300  # seconds that a message of ours may be believed

Clock = Callable[[], float]
"""Epoch seconds."""


class UsernameToken:
    """Makes the security header of sources that know us by a password: digest, nonce, Created and a Timestamp.

    SHA-1 is the profile's own choice, not ours; the nonce counts once and TLS carries the message.
    """

    def __init__(self, username: str, password: str, now: Clock) -> None:
        self._username, self._password, self._now = escape(username), password.encode(), now

    def header(self) -> bytes:
        """A fresh wsse:Security block, for `soap.envelope(payload, header)`. Never the same twice."""
        at = self._now()
        nonce, created, expires = secrets.token_bytes(16), zulu(at), zulu(at + LIFE)
        return (
            f'<wsse:Security xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}" soapenv:mustUnderstand="1">'
            f'<wsu:Timestamp wsu:Id="TS"><wsu:Created>{created}</wsu:Created><wsu:Expires>{expires}</wsu:Expires>'
            f"</wsu:Timestamp><wsse:UsernameToken><wsse:Username>{self._username}</wsse:Username>"
            f'<wsse:Password Type="{PASSWORD_DIGEST}">{password_digest(nonce, created, self._password)}</wsse:Password>'
            f'<wsse:Nonce EncodingType="{BASE64}">{base64.b64encode(nonce).decode()}</wsse:Nonce>'
            f"<wsu:Created>{created}</wsu:Created></wsse:UsernameToken></wsse:Security>"
        ).encode()


def password_digest(nonce: bytes, created: str, password: bytes) -> str:
    """Base64(SHA-1(nonce + created + password)), UsernameToken profile §3.1.

    >>> password_digest(b"nonce", "2026-01-01T00:00:00.000Z", b"secret")
    'nlAWA0XRt135oBLihElpMMCTiPU='
    """
    return base64.b64encode(hashlib.sha1(nonce + created.encode() + password, usedforsecurity=False).digest()).decode()


def zulu(at: float) -> str:
    """An instant as the sources write it: UTC, milliseconds, Z.

    >>> zulu(0.25)
    '1970-01-01T00:00:00.250Z'
    """
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
