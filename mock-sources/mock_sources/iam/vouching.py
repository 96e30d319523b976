"""What each issuer says of a civil servant: its own claims, and how surely it knows him, in its own words.

regional IAM   preferred_username; acr = eIDAS URIs
eID (CSAM)     egovNRN; acr = urn:be:fedict:iam:fas:Level300 | 400 | 500
itsme          …/BENationalNumber; acr = …/acr_basic | acr_advanced
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jwt
import yaml
from cryptography.hazmat.primitives.asymmetric import ec, rsa

LIVES = 600  # seconds
_ITSME = "http://itsme.services/v2/claim"


@dataclass(frozen=True, slots=True)
class Manner:
    """How one issuer speaks: the claim that says who, and its words for how surely, surest last."""

    title: str
    claim: str
    source: str  # key of staff.yaml, or "username"
    levels: tuple[str, ...]
    algorithm: str


MANNERS: Mapping[str, Manner] = {
    "iam": Manner(
        "Regional IAM", "preferred_username", "username",
        tuple(f"http://eidas.europa.eu/LoA/{level}" for level in ("low", "substantial", "high")), "ES256",
    ),
    "eid": Manner("eID (CSAM)", "egovNRN", "number", tuple(f"urn:be:fedict:iam:fas:Level{n}" for n in (300, 400, 500)), "RS256"),
    "itsme": Manner("itsme", f"{_ITSME}/BENationalNumber", "number", tuple(f"{_ITSME}/acr_{n}" for n in ("basic", "advanced")), "ES256"),
}  # fmt: skip


@cache
def staff() -> Mapping[str, Mapping[str, Any]]:
    """staff.yaml, by user name."""
    found: dict[str, dict[str, Any]] = yaml.safe_load(
        Path(__file__).with_name("staff.yaml").read_text(encoding="utf-8")
    )
    return {name: {"username": name, **one} for name, one in found.items()}


class Vouching:
    """One issuer with keys of its own; `rotate()` gives it new ones, as real ones do unannounced."""

    def __init__(self, name: str, now: Callable[[], float]) -> None:
        self.name, self.manner, self._now = name, MANNERS[name], now
        self.rotate()

    def rotate(self) -> None:
        self._kid = secrets.token_hex(8)
        if self.manner.algorithm == "RS256":
            self._key: Any = rsa.generate_private_key(65_537, 2048)
        else:
            self._key = ec.generate_private_key(ec.SECP256R1())

    def token(self, issuer: str, person: str, acr: str | None = None, bent: Mapping[str, Any] | None = None) -> str:
        """An ID token for one of the staff. Raises `KeyError` for somebody else. `bent`: claims that a test wants wrong."""
        one, now = staff()[person], int(self._now())
        claims = {
            "iss": issuer, "sub": hashlib.sha256(f"{self.name} {person}".encode()).hexdigest()[:32], "aud": "integrator",
            "azp": "integrator", "iat": now, "exp": now + LIVES, "jti": secrets.token_urlsafe(12), "nonce": secrets.token_urlsafe(12),
            "acr": acr or self.manner.levels[-1], "amr": ["mfa"], self.manner.claim: one[self.manner.source],
        }  # fmt: skip
        headers = {"kid": self._kid, "typ": "JWT"}
        return jwt.encode({**claims, **(bent or {})}, self._key, self.manner.algorithm, headers=headers)

    def keys(self) -> dict[str, Any]:
        """The public key set."""
        maker = jwt.algorithms.RSAAlgorithm if self.manner.algorithm == "RS256" else jwt.algorithms.ECAlgorithm
        public = json.loads(maker.to_jwk(self._key.public_key()))
        public.pop("key_ops", None)
        return {"keys": [{**public, "kid": self._kid, "use": "sig", "alg": self.manner.algorithm}]}


def feed(organisation: str) -> dict[str, Any]:
    """What HR of an organisation would send: its staff as one SCIM bulk request (RFC 7644 §3.7)."""
    return {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [
            {"method": "POST", "path": "/Users", "bulkId": one["externalId"], "data": _user(one)}
            for one in staff().values()
            if one["organisation"] == organisation
        ],
    }


def _user(one: Mapping[str, Any]) -> dict[str, Any]:
    enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    agent = "urn:integrator:params:scim:schemas:extension:agent:1.0:User"
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", enterprise, agent],
        "userName": one["username"], "externalId": one["externalId"], "active": True,
        "name": {"familyName": one["familyName"], "givenName": one["givenName"]}, "preferredLanguage": one["language"],
        "roles": [{"value": role} for role in one["roles"]],
        enterprise: {"department": one["unit"]}, agent: {"nationalNumber": one["number"]},
    }  # fmt: skip


def open_all(now: Callable[[], float]) -> dict[str, Vouching]:
    """Every issuer, by the first part of its address."""
    return {name: Vouching(name, now) for name in MANNERS}
