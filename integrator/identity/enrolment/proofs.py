"""What is signed when keys change: a proof that a new key is held, and an order by a key that is known already.

    proof  typ key-proof+jwt, by the new key   {"iss": name, "aud": issuer, "iat", "exp", "jti"}
    order  typ key-order+jwt, by a known key   {… and "act": "rotate", "jwk": {…}, "overlap": 86400} or {"act": "revoke", "kid": "…"}

The types keep them apart from each other and from proofs of identity at the token endpoint (RFC 8725 §3.11).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from integrator.identity.applications import Application
from integrator.identity.assertions import NotBelieved, lifetime, open_compact, verified
from integrator.identity.keys import PublicKey, private_key

PROOF, ORDER = "key-proof+jwt", "key-order+jwt"
OVERLAP = 86_400  # seconds the old key lives on, when the order says nothing
LONGEST_OVERLAP = 7 * 86_400
_HEADER = frozenset({"alg", "kid", "typ"})
_CLAIMS = frozenset({"iss", "sub", "aud", "iat", "exp", "jti"})
_OF_ACT = {"rotate": frozenset({"act", "jwk", "overlap"}), "revoke": frozenset({"act", "kid"})}
_JTI = re.compile(r"[\x21-\x7e]{8,128}")


@dataclass(frozen=True, slots=True)
class Order:
    """What an application orders about its own keys."""

    application: Application
    signed_by: str  # kid
    act: str  # rotate | revoke
    jwk: Mapping[str, Any]  # of rotate: the new public key, not looked at yet
    kid: str  # of revoke
    overlap: int  # seconds
    jti: str
    expires: float  # when the order could no longer be shown again, epoch seconds


def make_proof(jwk: Mapping[str, Any], name: str, audience: str, now: float) -> str:
    """Signed with the private JWK that is proved (vendors, commands, tests)."""
    return _signed(jwk, PROOF, {"iss": name, "sub": name, "aud": audience}, now)


def make_order(key: Mapping[str, Any], name: str, audience: str, now: float, /, **act: Any) -> str:
    """`act`: act="rotate", jwk=…, overlap=… or act="revoke", kid=…; signed with a private JWK the hub knows."""
    return _signed(key, ORDER, {"iss": name, "sub": name, "aud": audience, **act}, now)


def check_proof(proof: str, key: PublicKey, name: str, audience: str, now: float) -> tuple[str, float]:
    """(jti, when it could no longer be shown again). Raises `NotBelieved`."""
    header, claims = _opened(proof, PROOF)
    if (
        header.get("kid") != key.kid
        or header.get("alg") != key.algorithm
        or not verified(proof, key.key, key.algorithm)
    ):
        raise NotBelieved("not signed with the key that is to be registered")
    if claims.keys() - {"sub", "nbf"} != _CLAIMS - {"sub"} or claims["iss"] != name or claims.get("sub", name) != name:
        raise NotBelieved("it holds iss (the application's name), aud, iat, exp and jti, nothing else")
    return _times(claims, audience, now)


def check_order(order: str, find: Callable[[str], Application | None], audience: str, now: float) -> Order:
    """Raises `NotBelieved`; unknown application, unknown key and wrong signature are one answer."""
    header, claims = _opened(order, ORDER)
    name = claims.get("iss")
    application = find(name) if isinstance(name, str) else None
    key = application.key(header.get("kid"), now) if application is not None else None
    if (
        application is None
        or key is None
        or header.get("alg") != key.algorithm
        or not verified(order, key.key, key.algorithm)
    ):
        raise NotBelieved("not signed with a key that this application has now")
    act = claims.get("act")
    if act not in _OF_ACT or not claims.keys() - {"nbf"} <= _CLAIMS | _OF_ACT[act] or claims.get("sub", name) != name:
        raise NotBelieved("act is rotate (with jwk and, if you like, overlap) or revoke (with kid), and nothing beside")
    jwk, kid, overlap = claims.get("jwk", {}), claims.get("kid", ""), claims.get("overlap", OVERLAP)
    if (
        not isinstance(jwk, dict)
        or not isinstance(kid, str)
        or type(overlap) is not int
        or not 0 <= overlap <= LONGEST_OVERLAP
    ):
        raise NotBelieved(f"jwk is an object, kid a text, overlap 0 to {LONGEST_OVERLAP} whole seconds")
    jti, expires = _times(claims, audience, now)
    return Order(application, key.kid, act, jwk, kid, overlap, jti, expires)


def _signed(jwk: Mapping[str, Any], kind: str, claims: Mapping[str, Any], now: float) -> str:
    times = {"iat": int(now), "exp": int(now) + 60, "jti": secrets.token_urlsafe(16)}
    return jwt.encode({**claims, **times}, private_key(jwk), jwk["alg"], {"kid": jwk["kid"], "typ": kind})


def _opened(text: str, kind: str) -> tuple[dict[str, Any], dict[str, Any]]:
    header, claims = open_compact(text)
    if header.keys() != _HEADER or header["typ"] != kind:
        raise NotBelieved(f"its header holds alg, kid and typ {kind}, nothing else")
    return header, claims


def _times(claims: Mapping[str, Any], audience: str, now: float) -> tuple[str, float]:
    if claims.get("aud") != audience:
        raise NotBelieved("aud must be this hub's issuer, as one string")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not _JTI.fullmatch(jti):
        raise NotBelieved("jti must be a new random text of 8 to 128 characters")
    return jti, lifetime(claims, now)
