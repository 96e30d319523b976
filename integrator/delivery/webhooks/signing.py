"""Standard Webhooks with ed25519 (`v1a`): what is signed is "<webhook-id>.<webhook-timestamp>.<body>", as bytes.

The hub's keys lie in <state>/keys as webhook-<n>.key (0600, base64 seed, its world in the first line). The newest signs;
while several lie there, all sign, so that receivers change over when it suits them. Both are published.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from integrator.errors import ConfigurationError
from integrator.keyfiles import write_new


@dataclass(frozen=True, slots=True)
class Key:
    """One signing key. `public` as receivers write it: whpk_<base64>."""

    name: str
    private: Ed25519PrivateKey

    @property
    def public(self) -> str:
        return "whpk_" + base64.b64encode(self.private.public_key().public_bytes_raw()).decode()


class Signer:
    """Signs with every key there is, newest first; never with none."""

    def __init__(self, keys: Sequence[Key]) -> None:
        if not keys:
            raise ConfigurationError("no key to sign webhooks with", advice="integrator delivery keys new makes one.")
        self.keys = tuple(keys)

    def headers(self, message: str, timestamp: int, body: bytes) -> dict[str, str]:
        """`message`: its id, the same at every attempt; `timestamp`: seconds since 1970, of this attempt."""
        signed = f"{message}.{timestamp}.".encode() + body
        signatures = [f"v1a,{base64.b64encode(key.private.sign(signed)).decode()}" for key in self.keys]
        return {"webhook-id": message, "webhook-timestamp": str(timestamp), "webhook-signature": " ".join(signatures)}


def load_keys(folder: Path, world: str) -> list[Key]:
    """Every key, newest first; in the sandbox the first is made when there is none. Raises `ConfigurationError`."""
    paths = _paths(folder)
    if not paths and world == "sandbox":
        with suppress(FileExistsError):  # another process of this hub made it a moment ago: that one counts
            new_key(folder, world)
        paths = _paths(folder)
    return [_read(path, world) for path in paths]


def new_key(folder: Path, world: str) -> Path:
    """Make the next one; it signs from the next start on."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    number = max((_number(path) for path in _paths(folder)), default=0) + 1
    path = folder / f"webhook-{number}.key"
    seed = base64.b64encode(Ed25519PrivateKey.generate().private_bytes_raw()).decode()
    write_new(path, f"{world}\n{seed}\n".encode("ascii"))
    return path


def _paths(folder: Path) -> list[Path]:
    return sorted(folder.glob("webhook-*.key"), key=_number, reverse=True)


def _number(path: Path) -> int:
    word = path.stem.removeprefix("webhook-")
    return int(word) if word.isdigit() else 0


def _read(path: Path, world: str) -> Key:
    if path.stat().st_mode & 0o077:
        raise ConfigurationError(f"{path.name}: others can read this key; chmod 600 it, and replace it if they did")
    said, _, seed = path.read_text("ascii").partition("\n")
    if said != world:
        raise ConfigurationError(f"{path.name} is a key of the {said}, this hub is the {world}")
    return Key(path.stem, Ed25519PrivateKey.from_private_bytes(base64.b64decode(seed)))
