"""The token endpoint and the gate: OAuth2 client_credentials (RFC 6749 §4.4), bearer tokens (RFC 6750).

A token is its own expiry under a MAC of the client secret, so that several mock processes on one kit agree
on it and a restart forgets nothing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import struct
from urllib.parse import parse_qsl, unquote_plus

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
from mock_sources.credentials import ClientSecret

LIFE = 300  # seconds
SCOPE = "mob_reghist_v1_G"
"""The only scope sold here: registrations, read."""

_BODY_LIMIT = 8192
_EXPIRY = struct.Struct(">Q")
_NONCE, _MAC = 9, 16
_REMEMBERED = 1024
_NO_STORE = [(b"cache-control", b"no-store"), (b"pragma", b"no-cache")]


class TokenRefused(Exception):
    """The bearer token does not open the door; `kind` is the belgif problem that says why."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class Tokens:
    """Sells tokens to one client and recognises them."""

    def __init__(self, client: ClientSecret, clock: Clock) -> None:
        self._client, self._clock = client, clock
        self._key = hashlib.sha256(b"div-token\x00" + client.client_secret.encode()).digest()
        self._known: dict[bytes, int] = {}

    async def sell(self, scope: Scope, receive: Receive, send: Send) -> None:
        """POST /oauth/token: 200 with a token, or the error RFC 6749 §5.2 names."""
        if scope["method"] != "POST":
            await respond_problem(send, problem(405, "methodNotAllowed", "POST"), [(b"allow", b"POST")])
            return
        try:
            form = _form(await read_body(receive, _BODY_LIMIT), header(scope, b"content-type"))
            refusal = self._refusal(form, header(scope, b"authorization"))
        except (BodyTooLarge, ValueError):
            refusal = (400, "invalid_request")
        if refusal is not None:
            status, error = refusal
            challenge = [(b"www-authenticate", b'Basic realm="div"')] if status == 401 else []
            await respond_json(send, status, {"error": error}, [*_NO_STORE, *challenge])
            return
        answer = {"access_token": self.make(), "token_type": "Bearer", "expires_in": LIFE, "scope": SCOPE}
        await respond_json(send, 200, answer, _NO_STORE)

    def make(self) -> str:
        """One new token, good for LIFE seconds."""
        open_part = _EXPIRY.pack(int(self._clock().timestamp()) + LIFE) + secrets.token_bytes(_NONCE)
        return base64.urlsafe_b64encode(open_part + self._mac(open_part)).decode()

    def check(self, authorization: bytes | None) -> None:
        """Raise TokenRefused unless the header carries a token of ours that still lives."""
        if authorization is None:
            raise TokenRefused("noAccessToken")
        scheme, _, token = authorization.partition(b" ")
        if scheme.lower() != b"bearer" or not token:
            raise TokenRefused("invalidAccessToken")
        expiry = self._known.get(token)
        if expiry is None:
            expiry = self._expiry(token)
            self._remember(token, expiry)
        if self._clock().timestamp() >= expiry:
            raise TokenRefused("expiredAccessToken")

    def _refusal(self, form: dict[str, str], authorization: bytes | None) -> tuple[int, str] | None:
        """(status, error) of RFC 6749 §5.2, or None when the client may have its token."""
        if authorization is not None and "client_secret" in form:
            return 400, "invalid_request"  # one way of authenticating per request, §2.3
        if not self._is_client(form, authorization):
            return 401, "invalid_client"
        if "grant_type" not in form:
            return 400, "invalid_request"
        if form["grant_type"] != "client_credentials":
            return 400, "unsupported_grant_type"
        if form.get("scope", SCOPE) != SCOPE:
            return 400, "invalid_scope"
        return None

    def _is_client(self, form: dict[str, str], authorization: bytes | None) -> bool:
        if authorization is None:
            name, secret = form.get("client_id", ""), form.get("client_secret", "")
        else:
            name, secret = _basic(authorization)
        same = hmac.compare_digest(name.encode(), self._client.client_id.encode())
        return hmac.compare_digest(secret.encode(), self._client.client_secret.encode()) and same

    def _mac(self, open_part: bytes) -> bytes:
        return hmac.digest(self._key, open_part, "sha256")[:_MAC]

    def _expiry(self, token: bytes) -> int:
        try:
            raw = base64.b64decode(token, altchars=b"-_", validate=True)
        except binascii.Error as error:
            raise TokenRefused("invalidAccessToken") from error
        open_part, mac = raw[:-_MAC], raw[-_MAC:]
        if len(open_part) != _EXPIRY.size + _NONCE or not hmac.compare_digest(mac, self._mac(open_part)):
            raise TokenRefused("invalidAccessToken")
        return int(_EXPIRY.unpack_from(open_part)[0])

    def _remember(self, token: bytes, expiry: int) -> None:
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[token] = expiry


def challenge(kind: str) -> tuple[bytes, bytes]:
    """The WWW-Authenticate header that goes with a refused token (RFC 6750 §3)."""
    if kind == "noAccessToken":
        return b"www-authenticate", b'Bearer realm="div"'
    why = b"the token expired" if kind == "expiredAccessToken" else b"not a token of this source"
    return b"www-authenticate", b'Bearer realm="div", error="invalid_token", error_description="' + why + b'"'


def _form(body: bytes, content_type: bytes | None) -> dict[str, str]:
    """The form's fields; raises ValueError when it is no form or says a thing twice (RFC 6749 §3.2)."""
    if not (content_type or b"").startswith(b"application/x-www-form-urlencoded"):
        raise ValueError("send a form")
    pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, strict_parsing=bool(body))
    form = dict(pairs)
    if len(form) != len(pairs):
        raise ValueError("a parameter is repeated")
    return form


def _basic(authorization: bytes) -> tuple[str, str]:
    """Name and secret of a Basic header, form-decoded as RFC 6749 §2.3.1 says; two empty texts when it is none."""
    scheme, _, encoded = authorization.partition(b" ")
    if scheme.lower() != b"basic":
        return "", ""
    try:
        name, _, secret = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
    except ValueError:  # binascii.Error and UnicodeDecodeError are both this
        return "", ""
    return unquote_plus(name), unquote_plus(secret)
