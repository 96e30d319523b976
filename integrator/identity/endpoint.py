"""The token endpoint (RFC 6749 §4.4 with RFC 7523, and RFC 8693): a urlencoded form in, JSON out, errors by the RFCs' codes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from integrator.errors import LedgerUnwritable
from integrator.identity import assertions, details
from integrator.identity.acting import Acting
from integrator.identity.applications import Application, Applications
from integrator.identity.assertions import Proof
from integrator.identity.lives import written
from integrator.identity.replays import Replays
from integrator.identity.tokens import Tokens, TooMuchToCarry

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 (a name)
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_TOO_MANY_ROLES = (
    "the agent has more roles than a token carries (some 6 000 characters): let HR take those away that no purpose asks for,"
    " or let a colleague delegate the few that are needed"
)
_ONCE = frozenset({
    "grant_type", "client_id", "client_assertion", "client_assertion_type", "authorization_details", "purpose", "resource", "client_secret",
    "subject_token", "subject_token_type", "actor_token", "actor_token_type", "requested_token_type", "audience", "scope",
})  # fmt: skip


class TokenRefused(Exception):
    """An RFC 6749 §5.2 error; `words` say what to do and repeat nothing of the request."""

    def __init__(self, error: str, words: str, status: int = 400) -> None:
        super().__init__(error)
        self.error, self.words, self.status = error, words, status


# Who acts, for a token exchange by this application, with this form, about these details; raises `TokenRefused`.
Acts = Callable[[Application, Mapping[str, str], str], Awaitable[Acting]]


class TokenEndpoint:
    """Proof in, token out; each proof once."""

    def __init__(
        self,
        tokens: Tokens,
        applications: Applications,
        replays: Replays,
        *,
        audiences: tuple[str, ...],
        resource: str,
        now: Any,
    ) -> None:
        self.acts: Acts | None = None  # set by whoever knows the agents
        self._tokens, self._applications, self._replays = tokens, applications, replays
        self._audiences, self._resource, self._now = audiences, resource, now

    async def answer(self, form: bytes, certificate: str | None = None) -> tuple[int, dict[str, Any]]:
        """HTTP status and JSON body for a request's form. `certificate`: thumbprint of the one it came with, if any."""
        try:
            return 200, await self._grant(_read(form), certificate)
        except TokenRefused as refused:
            return refused.status, {"error": refused.error, "error_description": refused.words}
        except LedgerUnwritable as error:
            return 503, {"error": "temporarily_unavailable", "error_description": error.hint}

    async def _grant(self, form: dict[str, str], certificate: str | None) -> dict[str, Any]:
        grant = form.get("grant_type")
        if grant != "client_credentials" and (grant != EXCHANGE or self.acts is None):
            error = "unsupported_grant_type" if "grant_type" in form else "invalid_request"
            raise TokenRefused(error, f"grant_type is client_credentials, or {EXCHANGE} where agents are known")
        proof = await self._authenticate(form)
        application = proof.application
        if application.certificate_bound and certificate is None:
            raise TokenRefused(
                "invalid_client", "this application asks over mutual TLS only: see mtls_endpoint_aliases", 401
            )
        if {form.get("resource", self._resource), form.get("audience", self._resource)} != {self._resource}:
            raise TokenRefused("invalid_target", "resource, when given, is this hub's own address")
        try:
            detail = details.asked(form.get("authorization_details"), form.get("purpose"), application)
        except details.NotGranted as error:
            raise TokenRefused("invalid_authorization_details", str(error)) from error
        acting = await self._acting(application, form, detail) if grant == EXCHANGE else None
        try:
            token, life = self._tokens.issue(application, detail, proof.kid, certificate, acting)
        except TooMuchToCarry:
            raise TokenRefused("invalid_request", _TOO_MANY_ROLES) from None
        ends = application.life(proof.kid).ends
        answer = {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": life,
            "authorization_details": detail.json(),
            **({} if ends is None else {"key_ends": written(ends)}),  # so that the client knows when to make a new one
        }
        return answer if acting is None else {**answer, "issued_token_type": ACCESS_TOKEN}

    async def _acting(self, application: Application, form: Mapping[str, str], detail: details.Detail) -> Acting:
        if self.acts is None or detail.agent is not None:
            raise TokenRefused(
                "invalid_request", "the agent comes from subject_token: leave `agent` out of the details"
            )
        return await self.acts(application, form, f"{detail.purpose} {detail.dossier}")

    async def _authenticate(self, form: dict[str, str]) -> Proof:
        if (
            "client_secret" in form
            or form.get("client_assertion_type") != ASSERTION_TYPE
            or "client_assertion" not in form
        ):
            raise TokenRefused(
                "invalid_client",
                f"prove who you are with client_assertion and client_assertion_type={ASSERTION_TYPE}",
                401,
            )
        now = self._now()
        try:
            proof = assertions.check(form["client_assertion"], self._applications.get, self._audiences, now)
        except assertions.NotBelieved as error:
            raise TokenRefused("invalid_client", str(error), 401) from error
        if form.get("client_id", proof.application.id) != proof.application.id:
            raise TokenRefused("invalid_client", "client_id, when given, is the assertion's sub", 401)
        first = await asyncio.to_thread(
            self._replays.first_use, proof.application.id, proof.jti, expires=proof.expires, now=now
        )
        if not first:
            raise TokenRefused(
                "invalid_client",
                "this assertion was used already: make a new one, with a new jti, for every request",
                401,
            )
        return proof


def _read(form: bytes) -> dict[str, str]:
    """Parameters; a known one at most once (RFC 6749 §3.2), unknown ones are not looked at."""
    try:
        pairs = parse_qsl(
            form.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=20
        )
    except ValueError as error:
        raise TokenRefused("invalid_request", "send application/x-www-form-urlencoded parameters") from error
    known = [(name, value) for name, value in pairs if name in _ONCE]
    if len({name for name, _ in known}) != len(known):
        raise TokenRefused("invalid_request", "each parameter at most once")
    return dict(known)
