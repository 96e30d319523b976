"""One-time codes of an authenticator app (RFC 6238: HMAC-SHA-1, six digits, 30 seconds)."""

from __future__ import annotations

import base64
import hmac
import secrets
from urllib.parse import quote, urlencode

STEP = 30  # seconds
DIGITS = 6
_AROUND = (0, -1, 1)  # steps: clocks of phones go wrong by some seconds, and people type slowly


def new_secret() -> str:
    """160 random bits in base32, as apps take it."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def code_at(secret: str, step: int) -> str:
    """The code of one step (RFC 4226 §5.3).

    >>> code_at(base64.b32encode(b"12345678901234567890").decode(), 59 // STEP)
    '287082'
    """
    mac = hmac.digest(base64.b32decode(secret), step.to_bytes(8, "big"), "sha1")
    start = mac[-1] & 0x0F
    number = int.from_bytes(mac[start : start + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def step_of(secret: str, code: str, now: float, after: int = -1) -> int | None:
    """The step a code belongs to, if it is right, near `now` and later than `after`: no code works twice."""
    typed = code.replace(" ", "").encode()
    for offset in _AROUND:
        step = int(now) // STEP + offset
        if step > after and hmac.compare_digest(code_at(secret, step).encode(), typed):
            return step
    return None


def address(secret: str, account: str, issuer: str) -> str:
    """The otpauth: address that apps read from a QR code.

    >>> address("ABC", "dpo-ixelles", "Integrator")
    'otpauth://totp/Integrator:dpo-ixelles?secret=ABC&issuer=Integrator&algorithm=SHA1&digits=6&period=30'
    """
    query = {"secret": secret, "issuer": issuer, "algorithm": "SHA1", "digits": DIGITS, "period": STEP}
    return f"otpauth://totp/{quote(issuer)}:{quote(account)}?{urlencode(query)}"
