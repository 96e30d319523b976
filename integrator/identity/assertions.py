"""`private_key_jwt` (RFC 7523): how an application proves who it is. Made by `make`, believed by `check` only when

its key is pinned, its header holds nothing unexpected, its claims are strict, and its five minutes are not over.
PyJWT checks the signature with *our* choice of key and algorithm; every rule about time and claims is here, on our clock.
"""

from __future__ import annotations

import math
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from integrator.identity.applications import Application
from integrator.identity.keys import private_key
from integrator.strict_json import NotStrict, loads

LONGEST = 300.0  # seconds from iat to exp
LEEWAY = 5.0  # seconds two clocks may differ
COMPACT = re.compile(r"[A-Za-z0-9_-]{2,4096}\.[A-Za-z0-9_-]{2,8192}\.[A-Za-z0-9_-]{2,1024}").fullmatch
_HEADER = frozenset({"alg", "kid", "typ"})
_TYPES = (None, "JWT", "client-authentication+jwt")
_JTI = re.compile(r"[\x21-\x7e]{8,128}")


class NotBelieved(ValueError):
    """An assertion that proves nothing; the words are for the vendor and hold nothing of the assertion."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Who it is, and until when this proof could be shown again."""

    application: Application
    kid: str  # of the key that signed
    jti: str
    expires: float  # epoch seconds, leeway included


def make(jwk: Mapping[str, Any], client: str, audience: str, now: float, *, seconds: int = 60) -> str:
    """A fresh assertion, signed with a private JWK (vendors, demo, tests)."""
    claims = {
        "iss": client,
        "sub": client,
        "aud": audience,
        "iat": int(now),
        "exp": int(now) + seconds,
        "jti": secrets.token_urlsafe(16),
    }
    return jwt.encode(claims, private_key(jwk), algorithm=jwk["alg"], headers={"kid": jwk["kid"]})


def check(assertion: str, find: Callable[[str], Application | None], audiences: tuple[str, ...], now: float) -> Proof:
    """Believe an assertion, or raise `NotBelieved`. Replay is the caller's to look up (`Proof.jti`)."""
    header, claims = open_compact(assertion)
    if not header.keys() <= _HEADER or header.get("typ") not in _TYPES:
        raise NotBelieved("the header may hold alg, kid and typ (JWT or client-authentication+jwt), nothing else")
    client = claims.get("sub")
    application = find(client) if isinstance(client, str) else None
    pinned = application.key(header.get("kid"), now) if application is not None else None
    # Unknown application and unknown key are one answer: who is enrolled here is nobody's business.
    if (
        application is None
        or pinned is None
        or header.get("alg") != pinned.algorithm
        or not verified(assertion, pinned.key, pinned.algorithm)
    ):
        raise NotBelieved(
            "no such application, or not signed with a key registered for it (ES256 or EdDSA, named by kid)"
        )
    if claims.get("iss") != client:
        raise NotBelieved("iss and sub must both be the application's id")
    if claims.get("aud") not in audiences:
        raise NotBelieved("aud must be this hub's token endpoint or issuer, as one string")
    expires = lifetime(claims, now)
    jti = claims.get("jti")
    if not isinstance(jti, str) or not _JTI.fullmatch(jti):
        raise NotBelieved("jti must be a new random text of 8 to 128 characters")
    return Proof(application, pinned.kid, jti, expires)


def open_compact(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a compact JWS, *not believed yet*: exactly one way to write it, no padding, no duplicate names."""
    if not COMPACT(token):
        raise NotBelieved("not a compact JWS: three base64url parts without padding")
    header, claims, signature = token.split(".")
    decode, encode = jwt.utils.base64url_decode, jwt.utils.base64url_encode
    try:
        parts = [decode(part) for part in (header, claims, signature)]
        if [encode(part).decode() for part in parts] != [header, claims, signature]:
            raise NotBelieved("not canonical base64url")
        return loads(parts[0], depth=4), loads(parts[1], depth=8)
    except (NotStrict, ValueError) as error:
        raise NotBelieved("header and claims must be strict JSON in canonical base64url") from error


def verified(token: str, key: Any, algorithm: str) -> bool:
    """Whether the signature is this key's, by this algorithm and no other."""
    try:
        jwt.api_jws.decode_complete(token, key=key, algorithms=[algorithm])
    except jwt.PyJWTError:
        return False
    return True


def lifetime(claims: Mapping[str, Any], now: float) -> float:
    """Until when, leeway included. Raises `NotBelieved` saying which clock to look at."""
    issued, expires = moment(claims, "iat"), moment(claims, "exp")
    if "nbf" in claims and moment(claims, "nbf") > now + LEEWAY:
        raise NotBelieved("not valid yet: look at your clock")
    if issued > now + LEEWAY:
        raise NotBelieved("issued in the future: look at your clock")
    if expires + LEEWAY <= now:
        raise NotBelieved("expired: make a new assertion for every request, and look at your clock")
    if not 0 < expires - issued <= LONGEST:
        raise NotBelieved(f"from iat to exp at most {LONGEST:.0f} seconds")
    return expires + LEEWAY


def moment(claims: Mapping[str, Any], name: str) -> float:
    """A NumericDate. Raises `NotBelieved`; true is not 1 here."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or abs(value) > 1e11:
        raise NotBelieved(f"{name} must be a number of seconds since 1970")
    return float(value)
