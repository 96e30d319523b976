"""A source's bearer token, bought with a signed assertion (RFC 7523): one purchase at a time, used while it lives."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from integrator.contract import Send, Tools
from integrator.errors import ConfigurationError
from integrator.transport.bearer import bought

PATIENCE: Final = 5.0  # seconds for one purchase
SPARE: Final = 30.0  # seconds before its end from which a token is no longer used: clocks differ
_LIFE: Final = 60  # seconds of an assertion
_KIND: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True, slots=True, repr=False)
class Signer:
    """Signs assertions with the key that the source knows: RS256, or ES256 where the key is on a curve."""

    client: str
    audience: str
    key: RSAPrivateKey | EllipticCurvePrivateKey
    now: Callable[[], float]

    def assertion(self) -> str:
        now = int(self.now())
        told = {"iss": self.client, "sub": self.client, "aud": self.audience, "jti": str(uuid.uuid4()), "iat": now}
        return jwt.encode(
            {**told, "exp": now + _LIFE}, self.key, "RS256" if isinstance(self.key, RSAPrivateKey) else "ES256"
        )


def _signer(tools: Tools, path: str) -> Signer:
    said, name = tools.settings, f"sources.{tools.source}.signingKey"
    try:
        key = load_pem_private_key(Path(said["signingKey"]).read_bytes(), None)
    except (KeyError, OSError, ValueError, TypeError) as error:
        raise ConfigurationError(f"{name}: {type(error).__name__}; a PEM file without password") from None
    if not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey):
        raise ConfigurationError(f"{name}: an RSA key, or one on P-256")
    audience = str(said.get("audience", f"{said.get('url', '')}{path}"))
    return Signer(str(said.get("clientId", "")), audience, key, tools.now)


class Tokens:
    """Gives the current Authorization header. Raises what a question would raise when there is none to be had.

    Read from the source's settings: `clientId`, `signingKey` (path of a PEM file), and where they differ from `path`, at
    its address: `tokenPath`, `audience`.
    """

    def __init__(self, tools: Tools, send: Send, path: str) -> None:
        self._source, self._send, self._now = tools.source, send, tools.now
        self._path = str(tools.settings.get("tokenPath", path))
        self._signer = _signer(tools, self._path)
        self._header, self._until = "", 0.0
        self._buying = asyncio.Lock()

    async def get(self, deadline: float) -> str:
        """`deadline`: monotonic."""
        async with self._buying:
            if self._now() >= self._until:
                self._header, self._until = await self._buy(min(deadline, time.monotonic() + PATIENCE))
            return self._header

    def refused(self, header: str) -> None:
        """The source does not accept this token any more; another one that was bought meanwhile stays."""
        if self._header == header:
            self._until = 0.0

    async def _buy(self, deadline: float) -> tuple[str, float]:
        started = self._now()
        form = {"grant_type": "client_credentials", "client_assertion_type": _KIND}
        answer = await self._send(
            "POST", self._path, body=lambda: urlencode(form | {"client_assertion": self._signer.assertion()}).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}, deadline=deadline,
        )  # fmt: skip
        header, life = bought(self._source, answer)
        return header, started + max(0.0, life - SPARE)
