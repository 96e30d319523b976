from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from integrator.identity import keys
from integrator.identity.applications import create_application
from integrator.identity.service import Identity

BASE = "https://hub.example"
START = 1_795_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


def b64(data: bytes | dict[str, Any]) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def sign(key: Any, header: Any, claims: Any) -> str:
    """A compact JWS by hand: any header, any claims, any kind of key (bytes = HMAC)."""
    text = f"{b64(header)}.{b64(claims)}"
    if isinstance(key, bytes):
        mac = hmac.HMAC(key, hashes.SHA256())
        mac.update(text.encode())
        signature = mac.finalize()
    elif isinstance(key, ed25519.Ed25519PrivateKey):
        signature = key.sign(text.encode())
    elif isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(text.encode(), PKCS1v15(), hashes.SHA256())
    else:
        r, s = decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return f"{text}.{b64(signature)}"


class Workshop:
    """A hub's identity, two applications, and everything needed to forge."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, Clock()
        self.jwk, self.other_jwk = keys.new_key("sandbox"), keys.new_key("sandbox", "EdDSA")
        self.enrol("ixelles-parking", self.jwk, ["resident_permit", "permit_renewal"])
        self.enrol("forest-parking", self.other_jwk, ["resident_permit"])
        self.identity = self.start()

    def start(self, **more: Any) -> Identity:
        return Identity(self.folder, **({"base": BASE, "world": "sandbox", "now": self.clock} | more))

    def enrol(self, name: str, jwk: dict[str, Any], purposes: list[str]) -> None:
        create_application(
            self.folder / "applications",
            name,
            organisation="0207373429",
            purposes=purposes,
            world="sandbox",
            now=START,
            jwk=keys.public(jwk),
        )

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(self.clock.now)
        claims = {
            "iss": "ixelles-parking",
            "sub": "ixelles-parking",
            "aud": f"{BASE}/oauth/token",
            "iat": now,
            "exp": now + 60,
            "jti": secrets.token_urlsafe(),
        }
        return {name: value for name, value in (claims | changes).items() if value is not None}

    def header(self, **changes: Any) -> dict[str, Any]:
        return {
            name: value
            for name, value in ({"alg": "ES256", "kid": self.jwk["kid"]} | changes).items()
            if value is not None
        }

    def assertion(self, key: Any = None, header: dict[str, Any] | None = None, **claims: Any) -> str:
        return sign(key or keys.private_key(self.jwk), header or self.header(), self.claims(**claims))

    def form(self, **changes: str | None) -> bytes:
        from urllib.parse import urlencode

        fields = {
            "grant_type": "client_credentials", "purpose": "resident_permit", "client_assertion": given if (given := changes.pop("client_assertion", None)) is not None else self.assertion(),
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        }  # fmt: skip
        return urlencode({name: value for name, value in (fields | changes).items() if value is not None}).encode()

    async def ask(self, **changes: str | None) -> tuple[int, dict[str, Any]]:
        return await self.identity.token(self.form(**changes))

    async def token(self, **changes: str | None) -> str:
        status, body = await self.ask(**changes)
        assert 200 == status, body
        return str(body["access_token"])

    def hub_key(self) -> Any:
        return keys.private_key(keys.hub_keys(self.folder / "keys", "sandbox")[0])


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    made = Workshop(tmp_path)
    yield made
    made.identity.close()


@pytest.fixture
def forge() -> Callable[..., str]:
    return sign
