"""A connection to one SFTP server, whose key is pinned: another key is refused, an unknown one is never trusted.

hostKey: ssh-ed25519 AAAA…        # as its manager told it, or as it stands in known_hosts
hostKey: SHA256:…                 # its fingerprint

Nothing of the machine's own SSH is used: no configuration, no agent, no known_hosts.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh

from integrator.adapters.ways.access import read_access, secret
from integrator.adapters.ways.failing import WayFailed
from integrator.errors import ConfigurationError

SECONDS = 20.0  # for one step: connecting, a listing, a piece of a file
_SHORT = 5  # minutes and more are for people: a program's server answers at once


@dataclass(slots=True)
class Server:
    """One server. `sftp` opens the connection at the first use and keeps it until something fails."""

    access: Mapping[str, Any]
    folder: Path  # of the access file, for paths in it
    seconds: float = SECONDS
    _connection: asyncssh.SSHClientConnection | None = field(default=None)
    _client: asyncssh.SFTPClient | None = field(default=None)

    @asynccontextmanager
    async def sftp(self) -> AsyncIterator[asyncssh.SFTPClient]:
        """Names are bytes there. Raises `WayFailed`; what failed is closed."""
        try:
            if self._client is None:
                async with asyncio.timeout(self.seconds):
                    self._client = await self._open()
            yield self._client
        except BaseException as error:
            await self.close()
            known = reason_of(error)
            if known is None:
                raise
            raise WayFailed(known) from None  # its own words name paths and hosts

    async def close(self) -> None:
        connection, self._connection, self._client = self._connection, None, None
        if connection is not None:
            connection.abort()
            try:
                async with asyncio.timeout(_SHORT):
                    await connection.wait_closed()
            except TimeoutError:
                pass

    async def _open(self) -> asyncssh.SFTPClient:
        said = self.access
        keys = [asyncssh.import_private_key(secret(self.folder / str(said["key"])))] if "key" in said else None
        self._connection = await asyncssh.connect(
            str(said["host"]), int(said.get("port", 22)), username=str(said["user"]), password=said.get("password"),
            client_keys=keys, client_factory=lambda: _Pinned(str(said["hostKey"])), known_hosts=([], [], []),
            config=None, agent_path=None, gss_host=None, login_timeout=self.seconds, keepalive_interval=15,
        )  # fmt: skip
        return await self._connection.start_sftp_client(path_encoding=None)


class _Pinned(asyncssh.SSHClient):
    def __init__(self, pinned: str) -> None:
        self._pinned = pinned

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        del host, addr, port
        return key.get_fingerprint("sha256") == fingerprint(self._pinned)


def fingerprint(pinned: str) -> str:
    """SHA256:… of a key as it is pinned. Raises `ConfigurationError` for what is none."""
    if pinned.startswith("SHA256:"):
        return pinned.rstrip("=")
    words = pinned.split()
    at = next((at for at, word in enumerate(words) if word.startswith(("ssh-", "ecdsa-", "sk-"))), len(words))
    try:
        return asyncssh.import_public_key(" ".join(words[at : at + 2])).get_fingerprint("sha256")
    except asyncssh.KeyImportError:
        raise ConfigurationError(
            "access: `hostKey` is a public key (ssh-ed25519 …) or its fingerprint (SHA256:…)"
        ) from None


def open_server(path: Path, seconds: float = SECONDS) -> Server:
    """Raises `ConfigurationError`."""
    said = read_access(path, needs=("host", "user", "hostKey"), may=("port", "password", "key"))
    if ("password" in said) == ("key" in said):
        raise ConfigurationError(f"{path}: either `password` or `key`, the path of a private key")
    fingerprint(str(said["hostKey"]))
    return Server(said, path.parent, seconds)


def reason_of(error: BaseException) -> str | None:
    """Why the way is closed; None: it is nothing of the server's."""
    return next((reason for kind, reason in _REASONS if isinstance(error, kind)), None)


_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (asyncssh.HostKeyNotVerifiable, "HOST_KEY"),
    (asyncssh.PermissionDenied, "WAY_DENIED"),
    (asyncssh.SFTPPermissionDenied, "WAY_DENIED"),
    (asyncssh.SFTPNoSuchFile, "WAY_DENIED"),
    (asyncssh.SFTPNoSuchPath, "WAY_DENIED"),
    (TimeoutError, "WAY_SLOW"),
    (asyncssh.Error, "WAY_CLOSED"),
    (OSError, "WAY_CLOSED"),
)
