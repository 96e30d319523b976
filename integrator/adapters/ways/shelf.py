"""Files for a package, put into its folder behind SFTP."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass

import asyncssh

from integrator.adapters.shelves import hidden
from integrator.adapters.ways.ssh import Server

_PIECE = 32 * 1024  # bytes of one request


@dataclass(slots=True)
class SftpShelf:
    """`Shelf` on a server. Raises `WayFailed`."""

    server: Server
    folder: bytes

    async def aside(self, name: str, content: bytes) -> None:
        async with self.server.sftp() as sftp:
            async with asyncio.timeout(self.server.seconds):
                file = await sftp.open(self._at(hidden(name)), "wb", encoding=None, block_size=0)
            for start in range(0, len(content), _PIECE):
                async with asyncio.timeout(self.server.seconds):
                    await file.write(content[start : start + _PIECE], start)
            async with asyncio.timeout(self.server.seconds):
                with suppress(asyncssh.SFTPOpUnsupported):  # a server that cannot say so keeps it as it keeps all
                    await file.fsync()
                await file.close()

    async def place(self, name: str, receipt: str) -> None:
        async with self.server.sftp() as sftp, asyncio.timeout(self.server.seconds):
            aside = self._at(hidden(name))
            try:
                size = (await sftp.lstat(aside)).size
            except asyncssh.SFTPNoSuchFile:
                return
            if size:
                await sftp.rename(aside, self._at(name))
                return
            if receipt:
                empty = await sftp.open(self._at(f"{name}{receipt}"), "wb", encoding=None, block_size=0)
                await empty.close()
            await sftp.remove(aside)

    async def received(self, name: str) -> bool:
        async with self.server.sftp() as sftp, asyncio.timeout(self.server.seconds):
            try:
                await sftp.lstat(self._at(name))
            except asyncssh.SFTPNoSuchFile:
                return False
            return True

    async def close(self) -> None:
        await self.server.close()

    def _at(self, name: str) -> bytes:
        return self.folder + b"/" + name.encode()
