"""What an agent's own token proves (OpenID Connect Core §3.1.3.7, RFC 8725): who he is, how surely, and until when.

    exactly one way to write it → issuer of ours → its key, by its kind → typ → aud and azp → exp, iat → who, how surely

There is no nonce to compare: the application asked for this token, not we. What stands against a stolen one: it counts
for the application's own organisation only, ten minutes after it was made, and once for each thing asked with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integrator.agents.issuers import Issuers, Trusted
from integrator.identity.assertions import NotBelieved, moment, open_compact, verified

LEEWAY = 30.0  # seconds two clocks may differ
OLDEST = 600.0  # seconds since it was made
LONGEST = 12 * 3600.0  # from iat to exp
_HEADER = frozenset({"alg", "kid", "typ", "x5t", "x5t#S256"})
_TYPES = {
    "urn:ietf:params:oauth:token-type:id_token": (None, "jwt"),
    "urn:ietf:params:oauth:token-type:access_token": ("at+jwt", "application/at+jwt"),
    "urn:ietf:params:oauth:token-type:jwt": (None, "jwt", "at+jwt", "application/at+jwt"),
}
TOKEN_TYPES = tuple(_TYPES)


@dataclass(frozen=True, slots=True)
class Proof:
    """Somebody, as an issuer names him."""

    issuer: Trusted
    identifier: str  # value of the claim that the settings name
    assurance: str  # low | substantial | high
    digest: str  # of what was signed, to know it again: one signature may be written in several ways
    expires: float  # epoch seconds, leeway included


async def check(token: str, kind: str, issuers: Issuers, now: float) -> Proof:
    """Raises `NotBelieved`, whose words repeat nothing of the token; `IssuerSilent`."""
    header, claims = open_compact(token)
    issuer = issuers.get(claims.get("iss"))
    if issuer is None:
        raise NotBelieved("its issuer is none of those this hub believes about agents")
    typ = header.get("typ")
    if not header.keys() <= _HEADER or (typ.lower() if isinstance(typ, str) else typ) not in _TYPES[kind]:
        raise NotBelieved("its header is not that of such a token")
    key = await issuers.key(issuer, header.get("kid"), header.get("alg"))
    if key is None or not verified(token, key, header["alg"]):
        raise NotBelieved(
            "it is not signed with a key of its issuer (ES256, ES384, PS256, RS256 or EdDSA, named by kid)"
        )
    _check_audience(issuer, claims)
    expires = _check_times(claims, now)
    assurance = issuer.levels.get(_text(claims, issuer.assurance_claim))
    if assurance is None:
        raise NotBelieved("it does not say in a way known here how surely the agent was identified")
    digest = hashlib.sha256(token.rpartition(".")[0].encode()).hexdigest()
    return Proof(issuer, _text(claims, issuer.claim), assurance, digest, expires)


def _check_audience(issuer: Trusted, claims: Mapping[str, Any]) -> None:
    aud, azp = claims.get("aud"), claims.get("azp")
    several = [aud] if isinstance(aud, str) else aud
    if not isinstance(several, list) or not several or not all(isinstance(one, str) for one in several):
        raise NotBelieved("it says for whom it is in no way")
    if not issuer.audiences & set(several):
        raise NotBelieved("it was made for somebody else (aud)")
    if (azp is not None or len(several) > 1) and azp not in issuer.audiences:
        raise NotBelieved("it was made for several, and none of ours asked for it (azp)")


def _check_times(claims: Mapping[str, Any], now: float) -> float:
    issued, expires = moment(claims, "iat"), moment(claims, "exp")
    if "nbf" in claims and moment(claims, "nbf") > now + LEEWAY:
        raise NotBelieved("it is not valid yet")
    if issued > now + LEEWAY:
        raise NotBelieved("it was made in the future: look at the clocks")
    if expires + LEEWAY <= now:
        raise NotBelieved("it has expired")
    if now - issued > OLDEST + LEEWAY:
        raise NotBelieved(f"it was made more than {OLDEST / 60:.0f} minutes ago: ask the issuer a fresh one")
    if not 0 < expires - issued <= LONGEST:
        raise NotBelieved("it lives longer than a working day")
    return expires + LEEWAY


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 256:
        raise NotBelieved("it does not say who the agent is, or how surely")
    return value
