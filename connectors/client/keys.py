"""A vendor's own keys: made here, proved to the hub, replaced before they end. Nothing of the hub is needed.

A new key is written to a file before the hub hears of it, so that no crash can leave the hub with a key nobody has:

    my-app.jwk.new   (mode 0600) ──► ordered at the hub, signed with the old key ──► takes the place of my-app.jwk
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from jwt.algorithms import ECAlgorithm, OKPAlgorithm

_MEMBERS = ("kty", "crv", "x", "y", "d")
ABANDONED = 600.0  # seconds after which a file .new is what a crash left, not what another process is busy with


def new_key(world: str, algorithm: str = "ES256") -> dict[str, Any]:
    """A private JWK, named by its world and thumbprint as the hub wants it. `world`: sandbox or production."""
    if algorithm == "ES256":
        jwk = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()), as_dict=True)
    else:
        jwk = OKPAlgorithm.to_jwk(ed25519.Ed25519PrivateKey.generate(), as_dict=True)
    named = {name: jwk[name] for name in ("crv", "kty", "x", "y") if name in jwk}
    digest = hashlib.sha256(json.dumps(named, separators=(",", ":"), sort_keys=True).encode()).digest()
    kid = f"{world}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()[:22]}"
    return {**{name: jwk[name] for name in _MEMBERS if name in jwk}, "alg": algorithm, "use": "sig", "kid": kid}


def public(jwk: Mapping[str, Any]) -> dict[str, Any]:
    """What the hub may see of a key."""
    return {name: jwk[name] for name in ("kty", "crv", "x", "y", "alg", "use", "kid") if name in jwk}


def sign(signer: Mapping[str, Any], kind: str, name: str, audience: str, /, **more: Any) -> str:
    """A statement of a minute (RFC 7519), by this key: an assertion, a proof or an order, as `kind` says."""
    now, algorithm = int(time.time()), signer.get("alg", "ES256")
    reader = ECAlgorithm if algorithm == "ES256" else OKPAlgorithm
    key = cast("Any", reader.from_jwk({part: signer[part] for part in _MEMBERS if part in signer}))
    claims = {"iss": name, "sub": name, "aud": audience, "iat": now, "exp": now + 60, "jti": str(uuid.uuid4()), **more}
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": signer["kid"], "typ": kind})


def keep(path: Path, content: Mapping[str, Any]) -> bool:
    """Write a new file of mode 0600; False when there is one already."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    return True


def left_behind(path: Path) -> dict[str, Any] | None:
    """The key a crash left in `path`, when nobody can be busy with it any more."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        if time.time() - path.stat().st_mtime > ABANDONED:
            found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return found
    return None
