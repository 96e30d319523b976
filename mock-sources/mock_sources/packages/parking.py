"""A parking register of another age: it exports files of fixed width into a folder, which its manager shows over SFTP.

D  report (8)  holder (11)  file (15)  what was seen (60)      cp1252, CR LF, 95 signs; T and the number of rows end it
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncssh

USER = "hub"
LENGTH = 95
_HOST = "127.0.0.1"


class Register:
    """Everything below `root`: export/ and import/, the server's key, its port."""

    def __init__(self, root: Path) -> None:
        self._root = root
        for name in ("share/export", "share/import"):
            (root / name).mkdir(parents=True, exist_ok=True)

    def listen(self) -> dict[str, Any]:
        """Serve from a thread of its own; returns how to get in. Raises TimeoutError when it does not listen in 10 s."""
        ready, found = threading.Event(), dict[str, Any]()

        async def serve() -> None:
            key, port = self._key(), self._port()
            password = self._password()
            server = await asyncssh.listen(
                _HOST, port, server_host_keys=[key], server_factory=lambda: _Door(password), sftp_factory=self._folder
            )
            (self._root / "port").write_text(str(server.get_port()))
            line = key.export_public_key().decode().strip()
            found.update(host=_HOST, port=server.get_port(), user=USER, password=password, hostKey=line)
            ready.set()
            await server.wait_closed()

        threading.Thread(target=lambda: asyncio.run(serve()), name="parking-register", daemon=True).start()
        if not ready.wait(10):
            raise TimeoutError("the parking register did not start listening")
        return found

    async def write(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """{rows: [{ssin, dossier, seen}]} -> {file, rows}. The package writes whole files, under another name first."""
        rows = [self._row(one) for one in said["rows"]]
        lines = [*rows, f"T{len(rows):>6}".ljust(LENGTH)]
        name = f"register-{datetime.now(UTC):%Y%m%d%H%M%S}-{secrets.token_hex(3)}.txt"
        aside = self._root / "share/export" / f"{name}.part"
        aside.write_bytes("".join(f"{line}\r\n" for line in lines).encode("cp1252"))
        aside.rename(aside.with_suffix(""))
        return {"file": name, "rows": len(rows)}

    @staticmethod
    def _row(one: Mapping[str, Any]) -> str:
        report = f"{secrets.randbelow(10**8):08}"
        return f"D{report}{one['ssin']:<11}{one['dossier']:<15.15}{one['seen']:<60.60}"

    def _key(self) -> asyncssh.SSHKey:
        """The same one after every start: it is pinned by who comes."""
        path = self._root / "host_key"
        if not path.exists():
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
                file.write(asyncssh.generate_private_key("ssh-ed25519").export_private_key())
        return asyncssh.read_private_key(path)

    def _password(self) -> str:
        """Likewise."""
        path = self._root / "password"
        if not path.exists():
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(18))
        return path.read_text()

    def _port(self) -> int:
        """The one it had before, if nobody took it meanwhile."""
        kept = self._root / "port"
        wished = int(kept.read_text()) if kept.exists() else 0
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_HOST, wished))
            except OSError:
                return 0
        return wished

    def _folder(self, channel: asyncssh.SSHServerChannel[bytes]) -> asyncssh.SFTPServer:
        return asyncssh.SFTPServer(channel, chroot=os.fsencode(self._root / "share"))


class _Door(asyncssh.SSHServer):
    def __init__(self, password: str) -> None:
        self._password = password

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return username == USER and secrets.compare_digest(password, self._password)
