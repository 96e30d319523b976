"""An SFTP server in the test's own loop, well-behaved or not."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh

USER, PASSWORD = "hub", "a secret of the test"


@dataclass
class Manners:
    """How this server behaves; a test bends it."""

    lists: list[bytes] = field(default_factory=list)  # names that it lists beside those there are
    cuts_after: int | None = None  # bytes of a file, then the connection is gone
    hangs: bool = False  # at the first read
    endless: bool = False  # a file that does not end
    grows: bool = False  # somebody writes on while the file is read
    reads: int = 0


class Folder(asyncssh.SFTPServer):
    manners: Manners

    def __init__(self, chan: Any) -> None:
        super().__init__(chan, chroot=os.fsencode(self.root))

    root: Path

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        async for entry in super().scandir(path):
            yield entry
        for name in self.manners.lists:
            attrs = asyncssh.SFTPAttrs(size=3, permissions=0o100644, mtime=1)
            yield asyncssh.SFTPName(name, b"", attrs)

    async def read(self, file_obj: Any, offset: int, size: int) -> bytes:
        manners = self.manners
        manners.reads += 1
        if manners.hangs:
            file_obj.close()
            await asyncio.sleep(60)
        if manners.cuts_after is not None and offset + size > manners.cuts_after:
            file_obj.close()
            self.connection.abort()
            return b""
        if manners.grows and offset == 0:
            with Path(os.fsdecode(file_obj.name)).open("ab") as more:
                more.write(b"more\n")
        if manners.endless:
            return b"x" * size
        return super().read(file_obj, offset, size)


class Door(asyncssh.SSHServer):
    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (USER, PASSWORD)


@dataclass
class Running:
    root: Path
    port: int
    key: asyncssh.SSHKey
    manners: Manners

    @property
    def line(self) -> str:
        return self.key.export_public_key().decode().strip()

    def access(self, **other: Any) -> dict[str, Any]:
        said = {
            "host": "127.0.0.1",
            "port": self.port,
            "user": USER,
            "password": PASSWORD,
            "hostKey": self.line,
            **other,
        }
        return {name: value for name, value in said.items() if value is not None}


@asynccontextmanager
async def serving(root: Path, port: int = 0) -> AsyncIterator[Running]:
    root.mkdir(parents=True, exist_ok=True)
    manners, key = Manners(), asyncssh.generate_private_key("ssh-ed25519")
    mine = type("Mine", (Folder,), {"root": root, "manners": manners})
    server = await asyncssh.listen("127.0.0.1", port, server_factory=Door, server_host_keys=[key], sftp_factory=mine)
    try:
        yield Running(root, server.get_port(), key, manners)
    finally:
        server.close()
        await server.wait_closed()
