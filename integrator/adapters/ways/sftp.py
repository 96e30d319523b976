"""A package's folder behind SFTP. The same rules as for a folder of ours: what stood still is renamed away, fetched, removed.

    sftp:
      folder: export                # that the package writes into; where `deliver:` writes, that it reads
      pattern: "register*.txt"
      settleSeconds: 5
      sidecar: .ok
      seconds: 20                   # for one step of the server's

    NAME ─► .taken-… ─► work/<digest> ─► removed there
    stood still  rename   fetched whole, durable here

A server may say anything: names that lead elsewhere are not touched, links and folders are no files, what does not end is
left at the limit, and what hangs is left at the deadline. A file larger than the limit stays there as .refused-….
"""

from __future__ import annotations

import asyncio
import os
import re
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh

from integrator.adapters.drops import Drop
from integrator.adapters.ways.failing import WayFailed
from integrator.adapters.ways.looks import Looks
from integrator.adapters.ways.ssh import Server

MOST = 10_000  # names of one listing
_CLAIM, _REFUSED = b".taken-", b".refused-"
_OURS = re.compile(
    rb"\.taken-\d{20}-[0-9a-f]{8}"
).fullmatch  # as we rename them; a server may list others that begin so
_PIECE = 32 * 1024  # bytes of one request; every server has so many
_PATIENCE = 60  # a whole file may take so many times as long as one step
_Mark = tuple[int | None, int | None]  # size, seconds of its last change


@dataclass(slots=True)
class SftpFolder:
    """The way into a folder on a server: `Way` of a post. Its drop says which names are wanted."""

    server: Server
    folder: bytes
    drop: Drop
    looks: Looks
    _seen: dict[bytes, tuple[_Mark, float]] = field(default_factory=dict)

    async def bring(self) -> bool:
        """Everything that is whole by now."""
        brought, finding = 0, None
        try:
            async with self.server.sftp() as sftp:
                there = await self._list(sftp)
                finding = "STRANGE_NAMES" if any(_leads_out(name) for name in there) else None
                for name in self._still(there):
                    await self._claim(sftp, name, there)
                for name in sorted(filter(_OURS, await self._list(sftp))):
                    brought += await self._fetch(sftp, name)
        except WayFailed as failed:
            await self.looks.told(failed.reason, more=brought > 0)
            return brought > 0
        await self.looks.told(finding, more=brought > 0)
        return brought > 0

    async def sample(self) -> Path | None:
        """The newest file that is wanted, copied into work/ and left where it is; None when there is none. Raises `WayFailed`."""
        async with self.server.sftp() as sftp:
            there = await self._list(sftp)
            wanted = [
                name
                for name, status in there.items()
                if not _leads_out(name) and self.drop.wanted(os.fsdecode(name)) and _plain(status)
            ]
            if not wanted:
                return None
            landing = self.drop.landing()
            try:
                await self._copied(sftp, max(wanted, key=lambda name: there[name].mtime or 0), landing)
            except BaseException:
                landing.leave()
                raise
            return landing.keep()

    async def settled(self, path: Path, state: str) -> None:
        """Nothing: what lies in work/ is gone there already."""

    async def close(self) -> None:
        await self.server.close()

    async def _list(self, sftp: asyncssh.SFTPClient) -> dict[bytes, asyncssh.SFTPAttrs]:
        found: dict[bytes, asyncssh.SFTPAttrs] = {}
        async with asyncio.timeout(self.server.seconds):
            async for entry in sftp.scandir(self.folder):
                if len(found) >= MOST:  # the others come when these are gone
                    break
                if entry.filename not in (b".", b".."):
                    found[_bytes(entry.filename)] = entry.attrs
        return found

    def _still(self, there: Mapping[bytes, asyncssh.SFTPAttrs]) -> list[bytes]:
        """Names that are whole as far as anybody can tell."""
        now, seen, still = self.drop.clock(), {}, []
        for name, status in there.items():
            if _leads_out(name) or not self.drop.wanted(os.fsdecode(name)) or not _plain(status):
                continue
            if self.drop.sidecar:
                if name + self.drop.sidecar.encode() in there:
                    still.append(name)
                continue
            mark = _mark(status)
            before, since = self._seen.get(name, (None, now))
            seen[name] = (mark, since if before == mark else now)
            if before == mark and now - since >= self.drop.settle:
                still.append(name)
        self._seen = seen
        return sorted(still, key=lambda name: (there[name].mtime or 0, name))

    async def _claim(self, sftp: asyncssh.SFTPClient, name: bytes, there: Mapping[bytes, Any]) -> None:
        """By renaming; gone means that somebody else was first."""
        claim = _CLAIM + f"{time.time_ns():020d}-{os.urandom(4).hex()}".encode()
        async with asyncio.timeout(self.server.seconds):
            try:
                await sftp.rename(self._at(name), self._at(claim))
            except asyncssh.SFTPNoSuchFile:
                return
            sidecar = name + self.drop.sidecar.encode()
            if self.drop.sidecar and sidecar in there:
                await sftp.remove(self._at(sidecar))

    async def _fetch(self, sftp: asyncssh.SFTPClient, claim: bytes) -> int:
        """1 when it lies in work/ now, 0 when it does not."""
        before = await self._status(sftp, claim)
        if not _plain(before):
            await self._put_by(sftp, claim)
            return 0
        landing = self.drop.landing()
        try:
            async with asyncio.timeout(self.server.seconds * _PATIENCE):
                whole = await self._copied(sftp, claim, landing)
        except BaseException:
            landing.leave()
            raise
        if not whole:
            landing.leave()
            await self._put_by(sftp, claim)
            await self.looks.told("TOO_LARGE")
            return 0
        after = await self._status(sftp, claim)
        if _mark(after) != _mark(before) or after.size not in (None, landing.size):
            landing.leave()  # somebody still writes into it, or it broke off: the next look sees
            return 0
        await asyncio.to_thread(landing.keep, None if before.mtime is None else before.mtime * 1_000_000_000)
        async with asyncio.timeout(self.server.seconds):
            await sftp.remove(self._at(claim))
        return 1

    async def _copied(self, sftp: asyncssh.SFTPClient, claim: bytes, landing: Any) -> bool:
        """False when there is more of it than we take."""
        async with asyncio.timeout(self.server.seconds):
            file = await sftp.open(self._at(claim), "rb", encoding=None, block_size=0)
        while True:
            async with asyncio.timeout(self.server.seconds):
                piece = await file.read(_PIECE, landing.size)
            if not piece:
                break
            await asyncio.to_thread(landing.write, piece)
            if landing.size > self.drop.largest:
                break
        async with asyncio.timeout(self.server.seconds):
            await file.close()
        return bool(landing.size <= self.drop.largest)

    async def _status(self, sftp: asyncssh.SFTPClient, name: bytes) -> asyncssh.SFTPAttrs:
        async with asyncio.timeout(self.server.seconds):
            return await sftp.lstat(self._at(name))

    async def _put_by(self, sftp: asyncssh.SFTPClient, claim: bytes) -> None:
        async with asyncio.timeout(self.server.seconds):
            await sftp.rename(self._at(claim), self._at(_REFUSED + claim.removeprefix(_CLAIM)))

    def _at(self, name: bytes) -> bytes:
        return self.folder + b"/" + name


def _bytes(name: bytes | str) -> bytes:
    return name.encode() if isinstance(name, str) else name


def _leads_out(name: bytes) -> bool:
    return not name or name in (b".", b"..") or any(sign in name for sign in (b"/", b"\\", b"\0"))


def _plain(status: asyncssh.SFTPAttrs) -> bool:
    if status.permissions is not None and stat.S_IFMT(status.permissions):
        return stat.S_ISREG(status.permissions)
    return bool(status.type == asyncssh.FILEXFER_TYPE_REGULAR)


def _mark(status: asyncssh.SFTPAttrs) -> _Mark:
    return status.size, status.mtime
