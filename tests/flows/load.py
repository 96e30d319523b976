"""Callers who do not stop asking: several connections to a hub, each answer kept as evidence of what was promised.

Plain sockets on purpose. A client library would hide what matters here: whether an answer came whole, and whether a
connection ended before, between or within answers.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Received:
    """An answer that a caller has, whole."""

    status: int
    trace: str
    shard: str
    entries: tuple[int, ...]  # as its header names them; empty when it has none
    digest: str  # SHA-256 of the body, hexadecimal
    receipt: str = ""  # signed, as the header has it


@dataclass(slots=True)
class Load:
    """What the callers saw."""

    received: list[Received] = field(default_factory=list)
    torn: int = 0  # answers that broke off after their first byte
    unanswered: int = 0  # questions sent on a connection that ended without a byte of an answer
    refused: int = 0  # connections that were not accepted any more


async def press(
    port: int, questions: Sequence[bytes], *, connections: int, seconds: float, then: Callable[[], None]
) -> Load:
    """Ask over all connections without a pause, call `then` `seconds` after the first answer, and go on until every connection
    has ended. A busy machine may let a hub that just started wait: what is cut short then would prove nothing."""
    load = Load()
    callers = [
        asyncio.create_task(_ask_for_ever(port, questions[start:] + questions[:start], load))  # type: ignore[operator]
        for start in (number % len(questions) for number in range(connections))
    ]
    waited = time.monotonic() + 20.0
    while not load.received and time.monotonic() < waited:
        await asyncio.sleep(0.02)
    await asyncio.sleep(seconds)
    then()
    await asyncio.gather(*callers)
    return load


async def once_each(port: int, questions: Sequence[bytes], *, then: Callable[[], object]) -> Load:
    """One question on each of as many connections; `then` is called (in a thread) when all of them are sent."""
    load = Load()
    opened = [await asyncio.open_connection("127.0.0.1", port) for _ in questions]
    for (_, writer), question in zip(opened, questions, strict=True):
        writer.write(question)
        await writer.drain()
    await asyncio.to_thread(then)
    await asyncio.gather(*(_hear(reader, load) for reader, _ in opened))
    for _, writer in opened:
        await _leave(writer)
    return load


def request(method: str, path: str, body: bytes | None, *, host: str, token: str) -> bytes:
    """The bytes of one question."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", f"Authorization: Bearer {token}", "Accept: application/json"]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b"")


async def _ask_for_ever(port: int, questions: Sequence[bytes], load: Load) -> None:
    """On one connection after another, until none is accepted: the hub may end a connection whenever it likes."""
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            load.refused += 1
            return
        try:
            stays = True
            while stays:
                for question in questions:
                    writer.write(question)
                    if not (stays := await _hear(reader, load)):
                        break
        finally:
            await _leave(writer)


async def _hear(reader: asyncio.StreamReader, load: Load) -> bool:
    """Read one answer; False when the connection ended, or ends after it."""
    head = b""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        fields = _fields(head)
        body = await reader.readexactly(int(fields["content-length"]))
    except asyncio.IncompleteReadError as cut:
        load.torn += bool(head or cut.partial)
        load.unanswered += not (head or cut.partial)
        return False
    except OSError:
        load.torn += bool(head)
        load.unanswered += not head
        return False
    shard, _, written = fields.get("integrator-ledger-entries", "").rpartition("/")
    entries = tuple(int(index) for index in written.split(",")) if written else ()
    status = int(head[9:12])
    digest, receipt = hashlib.sha256(body).hexdigest(), fields.get("audit-receipt", "")
    load.received.append(Received(status, fields["belgov-trace-id"], shard, entries, digest, receipt))
    return fields.get("connection", "") != "close"


def _fields(head: bytes) -> dict[str, str]:
    pairs = (line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:] if line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


async def _leave(writer: asyncio.StreamWriter) -> None:
    writer.close()
    try:
        await writer.wait_closed()
    except OSError:
        return  # it was reset: that is what some of these tests are about
