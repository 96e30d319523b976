"""Tokens for who signs with the key of the kit (`private_key_jwt`, RFC 7523); a source that sells them stands behind this."""

from __future__ import annotations

import secrets
from urllib.parse import parse_qsl

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from mock_sources.asgi import (
    BodyTooLarge,
    Receive,
    Scope,
    Send,
    header,
    problem,
    read_body,
    respond_json,
    respond_problem,
)
from mock_sources.clock import Clock

CLIENT = "fidus-mock"
LIFE = 600  # seconds of a token
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_SKEW = 60  # seconds between two clocks
_LIMIT = 8192  # bytes of a form


class Tokens:
    """Sells tokens at `place`, one per assertion, and lets in who has one that lives."""

    def __init__(self, client: EllipticCurvePublicKey, place: str, clock: Clock) -> None:
        self._client, self._place, self._clock = client, place, clock
        self._sold: dict[str, float] = {}  # until when
        self._seen: set[str] = set()  # jti of assertions

    async def let_in(self, scope: Scope, receive: Receive, send: Send) -> bool:
        """False when this has answered: it sold a token, or refused who has none."""
        if scope["path"] == self._place:
            await self._sell(receive, send)
            return False
        scheme, _, token = (header(scope, b"authorization") or b"").decode("latin-1").partition(" ")
        if scheme == "Bearer" and self._sold.get(token, 0) > self._now():
            return True
        kind = "invalidAccessToken" if token else "noAccessToken"
        await respond_problem(send, problem(401, kind, f"buy a token at {self._place}"))
        return False

    async def _sell(self, receive: Receive, send: Send) -> None:
        try:
            form = dict(parse_qsl((await read_body(receive, _LIMIT)).decode("utf-8")))
        except (BodyTooLarge, ValueError):
            form = {}
        if form.get("grant_type") != "client_credentials" or form.get("client_assertion_type") != _ASSERTION:
            await respond_json(send, 400, {"error": "invalid_request"})
        elif not self._signed(form.get("client_assertion", "")):
            await respond_json(send, 401, {"error": "invalid_client"})
        else:
            token, now = secrets.token_urlsafe(24), self._now()
            self._sold = {one: end for one, end in self._sold.items() if end > now} | {token: now + LIFE}
            await respond_json(send, 200, {"access_token": token, "token_type": "Bearer", "expires_in": LIFE})

    def _signed(self, assertion: str) -> bool:
        unchecked = {"verify_aud": False, "verify_exp": False, "verify_nbf": False, "verify_iat": False}
        try:
            told = jwt.decode(assertion, self._client, algorithms=["ES256"], options=unchecked)  # type: ignore[arg-type]
        except jwt.InvalidTokenError:
            return False
        now, jti = self._now(), str(told.get("jti"))
        fresh = now - _SKEW < float(told.get("exp", 0)) <= now + LIFE and jti not in self._seen
        self._seen.add(jti)
        return fresh and told.get("iss") == told.get("sub") == CLIENT and str(told.get("aud")).endswith(self._place)

    def _now(self) -> float:
        return self._clock().timestamp()
