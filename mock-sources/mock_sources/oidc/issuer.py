"""The issuer without HTTP: which questions are in order, codes that work once, and signed ID tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

CODE_LIVES = 60  # seconds
TOKEN_LIVES = 300
_MOST = 1_000  # codes that wait
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}").fullmatch
_BACK = re.compile(
    r"http://(?:127\.0\.0\.1|localhost):\d{1,5}/console/signin/callback"
).fullmatch  # a sandbox of any port


class Refused(Exception):
    """The question is not in order; `error` is a word of RFC 6749."""

    def __init__(self, error: str, why: str) -> None:
        super().__init__(why)
        self.error, self.why = error, why


@dataclass(frozen=True, slots=True)
class Question:
    """An authorization request that was found in order."""

    back: str
    state: str
    nonce: str
    challenge: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a code stands for until it is redeemed."""

    question: Question
    claims: Mapping[str, Any]
    until: float


class Issuer:
    """One registered client, whose name and secret stand in `state/oidc/client.json` (0600)."""

    def __init__(self, state: Path, now: Callable[[], float]) -> None:
        self.client, self._secret = _client(state / "oidc")
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._kid = secrets.token_hex(8)
        self._codes: dict[str, Waiting] = {}
        self._now = now

    def question(self, asked: Mapping[str, str]) -> Question:
        """Check an authorization request. Raises `Refused`; nobody is sent back to an address that is not registered."""
        if asked.get("client_id") != self.client or not _BACK(asked.get("redirect_uri", "")):
            raise Refused("invalid_request", "client_id or redirect_uri is not registered here")
        if asked.get("response_type") != "code" or "openid" not in asked.get("scope", "").split():
            raise Refused("invalid_request", "ask response_type=code and scope=openid")
        if asked.get("code_challenge_method") != "S256" or not _VERIFIER(asked.get("code_challenge", "")):
            raise Refused("invalid_request", "PKCE with S256 is required")
        if not asked.get("state") or not asked.get("nonce"):
            raise Refused("invalid_request", "state and nonce are required")
        return Question(asked["redirect_uri"], asked["state"], asked["nonce"], asked["code_challenge"])

    def code(self, question: Question, claims: Mapping[str, Any]) -> str:
        """A code for whoever was chosen."""
        now = self._now()
        self._codes = {code: one for code, one in self._codes.items() if one.until > now}
        if len(self._codes) >= _MOST:
            raise Refused("temporarily_unavailable", "too many sign-ins wait to be finished")
        code = secrets.token_urlsafe(32)
        self._codes[code] = Waiting(question, claims, now + CODE_LIVES)
        return code

    def redeem(
        self, issuer: str, form: Mapping[str, str], auth: tuple[str, str], bent: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The token answer. Raises `Refused`. `bent`: claims that a test wants wrong."""
        known = hmac.compare_digest(auth[0].encode(), self.client.encode())
        if not (known & hmac.compare_digest(auth[1].encode(), self._secret.encode())):
            raise Refused("invalid_client", "name or secret is not right")
        waiting = self._codes.pop(form.get("code", ""), None)  # gone whatever comes next: a code works once
        if form.get("grant_type") != "authorization_code" or waiting is None or waiting.until < self._now():
            raise Refused("invalid_grant", "no such code, or used already")
        question, verifier = waiting.question, form.get("code_verifier", "")
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        if form.get("redirect_uri") != question.back or not _VERIFIER(verifier) or digest != question.challenge:
            raise Refused("invalid_grant", "the code was given for another browser or address")
        now = int(self._now())
        claims = {
            "iss": issuer, "aud": self.client, "iat": now, "exp": now + TOKEN_LIVES, "nonce": question.nonce, **waiting.claims,
        }  # fmt: skip
        token = jwt.encode({**claims, **(bent or {})}, self._key, "ES256", headers={"kid": self._kid})
        return {
            "access_token": secrets.token_urlsafe(32),
            "token_type": "Bearer",
            "expires_in": TOKEN_LIVES,
            "id_token": token,
        }

    def keys(self) -> dict[str, Any]:
        """The public key set."""
        public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self._key.public_key()))
        return {"keys": [{**public, "kid": self._kid, "use": "sig", "alg": "ES256"}]}

    def metadata(self, issuer: str) -> dict[str, Any]:
        """What the issuer says of itself (OpenID Connect Discovery §3)."""
        return {
            "issuer": issuer, "authorization_endpoint": f"{issuer}/authorize", "token_endpoint": f"{issuer}/token",
            "jwks_uri": f"{issuer}/jwks", "response_types_supported": ["code"], "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["ES256"], "scopes_supported": ["openid", "profile"],
            "code_challenge_methods_supported": ["S256"], "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "authorization_response_iss_parameter_supported": True,
        }  # fmt: skip


def _client(folder: Path) -> tuple[str, str]:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / "client.json"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        found = json.loads(path.read_text(encoding="utf-8"))
        return str(found["clientId"]), str(found["clientSecret"])
    made = {"clientId": "integrator-consoles", "clientSecret": secrets.token_urlsafe(32)}
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(made, file)
    return made["clientId"], made["clientSecret"]
