"""Sign-in by the organisation's own issuer: OpenID Connect, authorization code with PKCE (RFC 7636, RFC 9700, RFC 9207).

    start()  → an address at the issuer, and what this browser must bring back (sealed in a cookie, ten minutes)
    finish() → who it is, or `SignInFailed`

The flow belongs to one browser: state, nonce and verifier travel in its cookie only, sealed. Who somebody is comes from
the signed ID token alone: issuer and audience exactly ours, nonce of this very flow, keys of the issuer's own set.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

import aiohttp
import jwt

from integrator.consoles.people import Person
from integrator.consoles.signin.claims import Claims
from integrator.consoles.vault import SealBroken, Vault
from integrator.errors import ConfigurationError, IntegratorError

FLOW = 600  # seconds from start to finish
_ALGORITHMS = ("ES256", "ES384", "RS256", "PS256", "EdDSA")  # never `none`, never a shared secret
_KEPT = 600  # seconds that metadata and keys are used without asking again
_LEEWAY = 30
_LARGEST = 262_144
_PATIENCE = aiohttp.ClientTimeout(total=10)


class SignInFailed(IntegratorError):
    """Nobody was signed in; `reason` is for the operator's log, the person is told to try again."""

    code, where = "SIGN_IN_FAILED", "C1"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


Admit = Callable[[Person, Mapping[str, Any]], Awaitable[Person]]  # the person as he may come in, from his claims


@dataclass(slots=True)
class _Known:
    """What the issuer said of itself, and when."""

    metadata: Mapping[str, Any] = field(default_factory=dict)
    keys: list[Mapping[str, Any]] = field(default_factory=list)
    at: float = -1e18
    keys_at: float = -1e18


class Oidc:
    """One issuer. `callback`: our own address that it sends people back to, exactly as registered there."""

    def __init__(
        self,
        settings: Mapping[str, Any],
        callback: str,
        claims: Claims,
        session: aiohttp.ClientSession,
        vault: Vault,
        now: Callable[[], float],
    ) -> None:
        self.admit: Admit | None = None  # set by whoever knows who still works where
        self._issuer = str(settings["issuer"])
        self._client_file = Path(str(settings["client"]))
        self._scopes = " ".join(settings.get("scopes") or ("openid",))
        self._callback, self._claims, self._session, self._vault, self._now = callback, claims, session, vault, now
        self._known = _Known()

    async def start(self) -> tuple[str, str]:
        """(address to send the browser to, what its cookie must hold). Raises `SignInFailed`."""
        metadata = await self._metadata()
        flow = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
        question = {
            "response_type": "code", "client_id": self._client()[0], "redirect_uri": self._callback, "scope": self._scopes,
            "state": flow["state"], "nonce": flow["nonce"], "code_challenge": challenge(flow["verifier"]), "code_challenge_method": "S256",
        }  # fmt: skip
        address = self._theirs(metadata, "authorization_endpoint")
        sealed = self._vault.seal("oidc", json.dumps({**flow, "at": self._now()}))
        return f"{address}{'&' if '?' in address else '?'}{urlencode(question)}", sealed

    async def finish(self, sealed: str, answer: Mapping[str, str]) -> Person:
        """Who came back. Raises `SignInFailed`."""
        flow = self._flow(sealed)
        if not hmac.compare_digest(answer.get("state", "").encode(), str(flow["state"]).encode()):
            raise SignInFailed("STATE")
        metadata = await self._metadata()
        named = answer.get("iss")
        wanted = metadata.get("authorization_response_iss_parameter_supported") is True
        if (named is not None and named != self._issuer) or (named is None and wanted):
            raise SignInFailed("MIX_UP")  # another issuer's answer (RFC 9207)
        if "error" in answer or not answer.get("code"):
            raise SignInFailed("REFUSED_BY_ISSUER")
        token = await self._redeem(metadata, answer["code"], str(flow["verifier"]))
        claims = await self._check(metadata, token, str(flow["nonce"]))
        person = self._claims.person(self._issuer, claims)
        return person if self.admit is None else await self.admit(person, claims)

    def _flow(self, sealed: str) -> Mapping[str, Any]:
        try:
            flow: dict[str, Any] = json.loads(self._vault.open("oidc", sealed))
        except SealBroken:
            raise SignInFailed("NO_FLOW") from None
        if not 0 <= self._now() - float(flow["at"]) <= FLOW:
            raise SignInFailed("TOO_LATE")
        return flow

    async def _redeem(self, metadata: Mapping[str, Any], code: str, verifier: str) -> str:
        """The code for an ID token, by this client and whoever has the verifier."""
        client, secret = self._client()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._callback,
            "code_verifier": verifier,
        }
        answer = await self._fetch(
            "POST", self._theirs(metadata, "token_endpoint"), {"authorization": basic(client, secret)}, data=form
        )
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise SignInFailed("NO_ID_TOKEN")
        return token

    async def _check(self, metadata: Mapping[str, Any], token: str, nonce: str) -> Mapping[str, Any]:
        """The claims of an ID token that is right in everything (OpenID Connect Core §3.1.3.7)."""
        client = self._client()[0]
        try:
            key = await self._key(metadata, jwt.get_unverified_header(token))
            claims: dict[str, Any] = jwt.decode(
                token, key, algorithms=list(_ALGORITHMS), audience=client, issuer=self._issuer, leeway=_LEEWAY,
                options={"require": ["iss", "sub", "aud", "exp", "iat", "nonce"], "verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )  # fmt: skip
        except jwt.PyJWTError as error:
            raise SignInFailed(type(error).__name__) from None
        now, expires, issued = self._now(), claims["exp"], claims["iat"]
        if not all(type(one) in (int, float) for one in (expires, issued)):
            raise SignInFailed("TIMES")
        if now > expires + _LEEWAY or issued > now + _LEEWAY or now - issued > FLOW:
            raise SignInFailed("TIMES")
        if not isinstance(claims["nonce"], str) or not hmac.compare_digest(claims["nonce"].encode(), nonce.encode()):
            raise SignInFailed("NONCE")
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", None if several else client) != client:
            raise SignInFailed("AUTHORISED_PARTY")
        return claims

    async def _key(self, metadata: Mapping[str, Any], header: Mapping[str, Any]) -> jwt.PyJWK:
        """The issuer's key that a token names; its set is asked again when the name is new, once a minute at most."""
        for fresh in (False, True):
            if fresh or not self._known.keys or self._now() - self._known.keys_at > _KEPT:
                if fresh and self._now() - self._known.keys_at < 60:
                    break
                found = await self._fetch("GET", self._theirs(metadata, "jwks_uri"))
                self._known.keys, self._known.keys_at = list(found.get("keys") or ()), self._now()
            for one in self._known.keys:
                if one.get("kid") == header.get("kid") and one.get("use", "sig") == "sig" and one.get("kty") != "oct":
                    return jwt.PyJWK(dict(one), algorithm=one.get("alg") or header.get("alg"))
        raise SignInFailed("UNKNOWN_KEY")

    async def _metadata(self) -> Mapping[str, Any]:
        known = self._known
        if not known.metadata or self._now() - known.at > _KEPT:
            found = await self._fetch("GET", self._issuer.rstrip("/") + "/.well-known/openid-configuration")
            if found.get("issuer") != self._issuer:  # exactly, or another issuer could speak for this one
                raise SignInFailed("ISSUER_NAMES_ANOTHER")
            known.metadata, known.at = found, self._now()
        return known.metadata

    def _theirs(self, metadata: Mapping[str, Any], name: str) -> str:
        """An address the issuer gave; as safe as the issuer's own."""
        address = str(metadata.get(name, ""))
        if urlsplit(address).scheme != urlsplit(self._issuer).scheme:
            raise SignInFailed("UNSAFE_ADDRESS")
        return address

    async def _fetch(
        self, method: str, address: str, headers: Mapping[str, str] | None = None, **what: Any
    ) -> Mapping[str, Any]:
        try:
            async with self._session.request(
                method,
                address,
                allow_redirects=False,
                timeout=_PATIENCE,
                headers={"accept": "application/json", **(headers or {})},
                **what,
            ) as answer:
                data = await answer.content.read(_LARGEST)
                if answer.status != 200:
                    raise SignInFailed("ISSUER_SAYS_NO")
                found = json.loads(data)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise SignInFailed(type(error).__name__) from None
        if not isinstance(found, dict):
            raise SignInFailed("ISSUER_UNREADABLE")
        return found

    def _client(self) -> tuple[str, str]:
        """Our name and secret at the issuer, from a file: {"clientId": …, "clientSecret": …}."""
        try:
            found = json.loads(self._client_file.read_text(encoding="utf-8"))
            return str(found["clientId"]), str(found["clientSecret"])
        except (OSError, ValueError, KeyError) as error:
            raise SignInFailed("NO_CREDENTIALS") from error


def basic(client: str, secret: str) -> str:
    """HTTP Basic of a client: each part urlencoded first (RFC 6749 §2.3.1).

    >>> basic("consoles", "a b")
    'Basic Y29uc29sZXM6YSti'
    """
    return "Basic " + base64.b64encode(f"{quote_plus(client)}:{quote_plus(secret)}".encode()).decode()


def challenge(verifier: str) -> str:
    """S256 (RFC 7636 §4.2, and its example).

    >>> challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
    """
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def checked(settings: Mapping[str, Any], *, sandbox: bool) -> Mapping[str, Any]:
    """The settings of sign-in, if an issuer may be trusted with them. Raises `ConfigurationError`."""
    issuer = urlsplit(str(settings.get("issuer", "")))
    loopback = sandbox and issuer.hostname in ("127.0.0.1", "localhost", "::1")
    if issuer.query or issuer.fragment or not (issuer.scheme == "https" or (issuer.scheme == "http" and loopback)):
        raise ConfigurationError(
            "consoles.signIn.issuer is no https address",
            advice="Only a sandbox may use http, and only on this machine.",
        )
    return settings
