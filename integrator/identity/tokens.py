"""Access tokens (RFC 9068, at+jwt): five minutes, for one application and one purpose. Issued and believed here only.

A token asked over mutual TLS is bound to that certificate (RFC 8705, `cnf`), and every token names the key that proved
who asked (`key`): when that key is revoked, so is the token. A token believed once is remembered by its digest; every use
looks again whether it has expired and whether its application still is what it was (under 2 µs). Deleting or disabling
an application ends its tokens within a second.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from integrator.errors import UnknownCaller
from integrator.identity import acting as acting_module
from integrator.identity.acting import Acting
from integrator.identity.applications import Application, Applications
from integrator.identity.assertions import COMPACT, LEEWAY, NotBelieved, moment, open_compact, verified
from integrator.identity.details import Detail, NotGranted, read
from integrator.identity.keys import Jwk, private_key, public, read_public
from integrator.model import Caller

LIFE = 300  # seconds
REMEMBERED = 10_000  # tokens; a hub of 1 000 applications with ten purposes each

_HEADER = frozenset({"alg", "kid", "typ"})
_CLAIMS = frozenset(
    {"iss", "aud", "sub", "client_id", "organisation", "authorization_details", "key", "iat", "exp", "jti"}
)
_BOUND = "x5t#S256"


@dataclass(frozen=True, slots=True)
class Verified:
    """What a believed token says."""

    caller: Caller
    dossier: str | None  # the case the token is bound to, if any
    expires: float  # epoch seconds
    application: Application
    key: str  # kid of the application's key that proved who asked
    certificate: str | None = None  # thumbprint of the certificate without which it is worth nothing
    standing: Mapping[str, int] | None = None  # what must still hold of its agent: generations, by agent or delegation


Holds = Callable[[Mapping[str, int]], bool]  # whether agents still are who a token says; raises HubError when unsure


def _nobody(standing: Mapping[str, int]) -> bool:
    """A hub without a staff directory believes no token about agents."""
    del standing
    return False


class TooMuchToCarry(ValueError):
    """No token says so much: it would be believed nowhere, here least of all."""


class Tokens:
    """Issues with the newest key of the hub, believes any of them."""

    def __init__(
        self,
        keys: list[Jwk],
        world: str,
        issuer: str,
        audience: str,
        applications: Applications,
        now: Callable[[], float],
    ) -> None:
        self.holds: Holds = _nobody  # set by whoever knows the agents
        self._signing, self._signing_key = keys[0], private_key(keys[0])
        self._pinned = {key["kid"]: read_public(public(key), world) for key in keys}
        self._issuer, self._audience = issuer, audience
        self._applications, self._now = applications, now
        self._believed: dict[bytes, Verified] = {}

    def jwks(self) -> dict[str, Any]:
        """The public keys, for whoever wants to look into a token."""
        return {"keys": [dict(key.jwk) for key in self._pinned.values()]}

    def issue(
        self, application: Application, detail: Detail, key: str, certificate: str | None = None, acting: Acting | None = None
    ) -> tuple[str, int]:  # fmt: skip
        """A token and how many seconds it lives. Raises `TooMuchToCarry`.

        `key`: kid of the application's that signed the request; `certificate`: thumbprint of the one it was made with.
        """
        now = int(self._now())
        life = LIFE if acting is None else int(max(1, min(LIFE, acting.until - now)))
        claims: dict[str, Any] = {
            "iss": self._issuer, "aud": self._audience, "sub": application.id, "client_id": application.id,
            "organisation": application.organisation, "authorization_details": detail.json(), "key": key,
            "iat": now, "exp": now + life, "jti": secrets.token_urlsafe(16), **(acting.claims() if acting else {}),
        }  # fmt: skip
        if certificate is not None:
            claims["cnf"] = {_BOUND: certificate}
        headers = {"typ": "at+jwt", "kid": self._signing["kid"]}
        token = jwt.encode(claims, self._signing_key, algorithm=self._signing["alg"], headers=headers)
        if not COMPACT(token):
            raise TooMuchToCarry
        return token, life

    def verify(self, token: str, certificate: str | None = None) -> Verified:
        """Who asks, for what. Raises `UnknownCaller`: expired, or simply not believed.

        `certificate`: thumbprint (RFC 8705 §3.1) of the one shown with the request, None where none was.
        """
        digest = hashlib.sha256(token.encode("utf-8", "replace")).digest()  # tokens themselves are not kept in memory
        hit = self._believed.get(digest)
        if hit is None:
            hit = self._believe(token)
            self._remember(digest, hit)
        if hit.expires <= self._now():
            self._believed.pop(digest, None)
            raise UnknownCaller(
                "the access token has expired", problem="expiredAccessToken", advice="Ask a new token at /oauth/token."
            )
        if self._applications.get(hit.caller.application) is not hit.application:
            self._believed.pop(digest, None)
            self._still_enrolled(hit.caller.application, hit.caller.organisation, hit.caller.purpose, hit.key)
            return self.verify(token, certificate)  # the file changed, but not in what matters here
        if hit.certificate is not None and hit.certificate != certificate:
            raise UnknownCaller(
                "the access token is bound to a certificate that was not shown",
                advice="Send the request over mutual TLS with the certificate that the token was asked with.",
            )
        if hit.standing is not None and not self.holds(hit.standing):
            self._believed.pop(digest, None)
            raise UnknownCaller(
                "the agent is not (any more) who the token says",
                advice="He left, or his roles or his delegation changed. Exchange a fresh token of his at /oauth/token.",
            )
        return hit

    def _believe(self, token: str) -> Verified:
        try:
            header, claims = open_compact(token)
            self._check_header(token, header)
            return self._read(claims)
        except (NotBelieved, NotGranted) as error:
            raise UnknownCaller(f"access token not believed: {error}") from None

    def _check_header(self, token: str, header: Mapping[str, Any]) -> None:
        if header.keys() != _HEADER or header["typ"] != "at+jwt":
            raise NotBelieved("not an access token of this hub")
        kid = header["kid"]
        pinned = self._pinned.get(kid) if isinstance(kid, str) else None
        if pinned is None or header["alg"] != pinned.algorithm or not verified(token, pinned.key, pinned.algorithm):
            raise NotBelieved("not signed by this hub")

    def _read(self, claims: Mapping[str, Any]) -> Verified:
        if (
            claims.keys() - acting_module.CLAIMS - {"cnf"} != _CLAIMS
            or claims["iss"] != self._issuer
            or claims["aud"] != self._audience
        ):
            raise NotBelieved("not issued by this hub for this hub")
        issued, expires = moment(claims, "iat"), moment(claims, "exp")
        if issued > self._now() + LEEWAY or not 0 < expires - issued <= LIFE:
            raise NotBelieved("a life no token of this hub has")
        detail = read(claims["authorization_details"])
        application = self._still_enrolled(claims["client_id"], claims["organisation"], detail.purpose, claims["key"])
        if claims["sub"] != application.id:
            raise NotBelieved("sub and client_id differ")
        certificate = _bound(claims)
        if application.certificate_bound and certificate is None:
            raise NotBelieved("the application's tokens are bound to its certificate, and this one is not")
        acting = acting_module.read(claims)
        if acting is None:
            caller = Caller(application.organisation, application.id, detail.purpose, detail.agent)
        else:
            caller = Caller(
                application.organisation, application.id, detail.purpose, acting.id, acting.roles, acting.unit,
                acting.assurance, acting.mandate, acting.on_behalf_of,
            )  # fmt: skip
        standing = acting.standing if acting else None
        return Verified(caller, detail.dossier, expires, application, claims["key"], certificate, standing)

    def _still_enrolled(self, name: Any, organisation: Any, purpose: str, key: Any) -> Application:
        """A key that only ended leaves its tokens their last minutes; one that was revoked takes them along."""
        application = self._applications.get(name) if isinstance(name, str) else None
        if (
            application is None
            or application.organisation != organisation
            or purpose not in application.purposes
            or key not in application.keys
        ):
            raise UnknownCaller(
                "the application is not enrolled (any more) for what the token says",
                advice="Ask the operator of the hub whether the application is still enrolled, then ask a new token.",
            )
        return application

    def _remember(self, digest: bytes, believed: Verified) -> None:
        if len(self._believed) >= REMEMBERED:
            now = self._now()
            self._believed = {key: value for key, value in self._believed.items() if value.expires > now}
            while len(self._believed) >= REMEMBERED:
                del self._believed[next(iter(self._believed))]  # the oldest: it will be verified again
        self._believed[digest] = believed


def _bound(claims: Mapping[str, Any]) -> str | None:
    """The thumbprint a token is bound to, if any. Raises `NotBelieved`: a binding we cannot read is no freedom."""
    if "cnf" not in claims:
        return None
    bound = claims["cnf"]
    if not isinstance(bound, dict) or bound.keys() != {_BOUND} or not isinstance(bound[_BOUND], str):
        raise NotBelieved("bound to something that no token of this hub is bound to")
    return str(bound[_BOUND])
