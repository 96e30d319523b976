"""The UsernameToken with PasswordDigest, as the Crossroads Bank for Enterprises asks it.

The digest is Base64(SHA-1(nonce + created + password)) by the OASIS profile of 2004; SHA-1 is the standard's choice,
and what keeps it usable is that a nonce counts once and lives for five minutes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import datetime

from lxml import etree

from mock_sources.clock import Clock
from mock_sources.wsse import names
from mock_sources.wsse.shape import AHEAD, WINDOW, Replays, SecurityRefused, check_fresh, instant

_WSSE, _WSU = f"{{{names.WSSE}}}", f"{{{names.WSU}}}"


class PasswordGate:
    """Admits messages that carry a fresh, unseen digest of one user's password; else raises `SecurityRefused`."""

    def __init__(self, username: str, password: str, clock: Clock) -> None:
        self._username = username
        self._password = password.encode()
        self._clock = clock
        self._seen = Replays()

    def admit(self, envelope: etree._Element) -> etree._Element:
        """Return the soap:Body of `envelope` (the document's root). Nothing is signed: TLS guards the body."""
        if [child.tag for child in envelope] != [f"{{{names.SOAP}}}Header", f"{{{names.SOAP}}}Body"]:
            raise SecurityRefused("InvalidSecurity", "the Envelope must hold one Header, then one Body")
        security = envelope[0].findall(_WSSE + "Security")
        if len(security) != 1:
            raise SecurityRefused("InvalidSecurity", "the Header must hold one Security")
        now = self._clock()
        check_fresh(_one(security[0], _WSU + "Timestamp"), now)
        self._check_token(_one(security[0], _WSSE + "UsernameToken"), now)
        return envelope[1]

    def _check_token(self, token: etree._Element, now: datetime) -> None:
        name, password = _one(token, _WSSE + "Username"), _one(token, _WSSE + "Password")
        nonce, created = _one(token, _WSSE + "Nonce"), _one(token, _WSU + "Created")
        if password.get("Type") != names.PASSWORD_DIGEST:
            raise SecurityRefused("UnsupportedAlgorithm", "the password must be sent as a PasswordDigest")
        age = now - instant(created.text or "")
        if not -AHEAD <= age <= WINDOW:
            raise SecurityRefused("MessageExpired", "the UsernameToken is older than five minutes or of the future")
        expected = digest(_nonce(nonce), created.text or "", self._password)
        known = hmac.compare_digest((name.text or "").encode(), self._username.encode())
        if not hmac.compare_digest(expected.encode(), (password.text or "").strip().encode()) or not known:
            raise SecurityRefused("FailedAuthentication", "the user or the password is not known")
        if not self._seen.is_new(nonce.text, now):
            raise SecurityRefused("FailedCheck", "this nonce was accepted before: a replay")


def digest(nonce: bytes, created: str, password: bytes) -> str:
    """Base64 of SHA-1 over nonce, created and password.

    >>> digest(b"0123456789abcdef", "2026-01-01T12:00:00Z", b"secret")
    'TG9xf97y12/J188YBNQub648oEE='
    """
    return base64.b64encode(hashlib.sha1(nonce + created.encode() + password, usedforsecurity=False).digest()).decode()


def _nonce(element: etree._Element) -> bytes:
    try:
        value = base64.b64decode((element.text or "").strip(), validate=True)
    except binascii.Error as error:
        raise SecurityRefused("InvalidSecurity", "the Nonce is not base64") from error
    if len(value) < 8:
        raise SecurityRefused("InvalidSecurity", "a Nonce has 8 bytes at least")
    return value


def _one(parent: etree._Element, tag: str) -> etree._Element:
    found = parent.findall(tag)
    if len(found) != 1:
        raise SecurityRefused("InvalidSecurity", f"exactly one {etree.QName(tag).localname} is needed")
    return found[0]
