"""Keys as JWK (RFC 7517): P-256 for ES256, Ed25519 for EdDSA, nothing else. Private ones live in files of mode 0600.

A key id says its world, then a thumbprint (RFC 7638): `sandbox.…` can never be mistaken for `production.…`.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from jwt.algorithms import ECAlgorithm, OKPAlgorithm

from integrator.errors import ConfigurationError
from integrator.keyfiles import write_new

WORLDS = ("sandbox", "production")
ALGORITHMS = ("ES256", "EdDSA")
Jwk = dict[str, Any]

_SHAPE = {"ES256": ("EC", "P-256", ("crv", "kty", "x", "y")), "EdDSA": ("OKP", "Ed25519", ("crv", "kty", "x"))}


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One pinned key: what it may verify is decided by us (`algorithm`), never by the token."""

    kid: str
    algorithm: str
    key: Any  # what PyJWT takes: an EC or Ed25519 public key
    jwk: Mapping[str, Any]


def new_key(world: str, algorithm: str = "ES256") -> Jwk:
    """A private JWK with `kid` and `alg`.

    >>> sorted(new_key("sandbox"))
    ['alg', 'crv', 'd', 'kid', 'kty', 'use', 'x', 'y']
    """
    if world not in WORLDS or algorithm not in ALGORITHMS:
        raise ConfigurationError(f"a key is for one of {WORLDS} and one of {ALGORITHMS}")
    if algorithm == "ES256":
        jwk = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()), as_dict=True)
    else:
        jwk = OKPAlgorithm.to_jwk(ed25519.Ed25519PrivateKey.generate(), as_dict=True)
    jwk.pop("key_ops", None)
    return {**jwk, "alg": algorithm, "use": "sig", "kid": f"{world}.{thumbprint(jwk)[:22]}"}


def public(jwk: Mapping[str, Any]) -> Jwk:
    """The same without the private part."""
    return {name: value for name, value in jwk.items() if name != "d"}


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """RFC 7638: base64url of the SHA-256 over the required members in order."""
    members = {name: jwk[name] for name in ("crv", "kty", "x", "y") if name in jwk}
    text = json.dumps(members, separators=(",", ":"), sort_keys=True).encode()
    return base64.urlsafe_b64encode(hashlib.sha256(text).digest()).rstrip(b"=").decode()


def read_public(jwk: Mapping[str, Any], world: str) -> PublicKey:
    """Check a JWK of an application and pin it. Raises `ConfigurationError`: other shapes, private parts, other world."""
    algorithm, kid = jwk.get("alg"), jwk.get("kid")
    if algorithm not in _SHAPE:
        raise ConfigurationError(f"a key's `alg` is one of {ALGORITHMS}")
    kind, curve, members = _SHAPE[algorithm]
    if jwk.get("kty") != kind or jwk.get("crv") != curve:
        raise ConfigurationError(f"a key for {algorithm} is {kind} on {curve}")
    if "d" in jwk:
        raise ConfigurationError("this is a private key: register the public one")
    if jwk.get("use", "sig") != "sig" or "verify" not in jwk.get("key_ops", ["verify"]):
        raise ConfigurationError("the key is not for signatures")
    if not isinstance(kid, str) or kid.partition(".")[0] != world:
        raise ConfigurationError(
            f"the key's `kid` must begin with {world!r}: keys of one world are not known in the other"
        )
    try:
        key = jwt.PyJWK({name: jwk[name] for name in members}, algorithm=algorithm).key
    except (jwt.PyJWTError, KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(f"the key cannot be read: {type(error).__name__}") from error
    return PublicKey(
        kid, algorithm, key, {name: jwk[name] for name in members} | {"alg": algorithm, "use": "sig", "kid": kid}
    )


def private_key(jwk: Mapping[str, Any]) -> Any:
    """What PyJWT signs with."""
    return jwt.PyJWK(dict(jwk), algorithm=jwk["alg"]).key


def write_private(path: Path, jwk: Mapping[str, Any]) -> None:
    """A new file of mode 0600, whole or not at all. Raises `FileExistsError`: a key is never overwritten."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_new(path, (json.dumps(jwk, indent=2) + "\n").encode())


def read_private(path: Path, world: str) -> Jwk:
    """A private JWK from its file. Raises `ConfigurationError`: readable by others, or of the other world."""
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ConfigurationError(
            f"{path.name}: others can read this private key; chmod 600 it, and replace it if they did"
        )
    jwk: Jwk = json.loads(path.read_text(encoding="utf-8"))
    if "d" not in jwk:
        raise ConfigurationError(f"{path.name}: no private key")
    read_public(public(jwk), world)
    return jwk


def hub_keys(folder: Path, world: str) -> list[Jwk]:
    """The hub's own signing keys (`hub-*.json`), newest name first; the first signs, all are published.

    In sandbox the first one is made when there is none. Raises `ConfigurationError` in production.
    """
    paths = sorted(
        folder.glob("hub-*.json"), key=lambda path: (len(path.stem), path.stem), reverse=True
    )  # hub-10 after hub-9
    if not paths:
        if world != "sandbox":
            raise ConfigurationError(
                "no signing key of the hub: make one and put it in the keys folder as hub-1.json, mode 0600"
            )
        with contextlib.suppress(FileExistsError):  # another process of this hub made it a moment ago: that one counts
            write_private(folder / "hub-1.json", new_key(world))
        paths = [folder / "hub-1.json"]
    return [read_private(path, world) for path in paths]
