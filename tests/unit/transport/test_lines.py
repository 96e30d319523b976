"""The lean client against answers written byte by byte: what aiohttp reads it reads alike, and nothing is let through
that aiohttp would refuse. Where it is stricter, the table says so."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st
from yarl import URL

from integrator.errors import IntegratorError, SourceFault, SourceUnavailable
from integrator.registry import Limits
from integrator.transport.channel import Channel, Lines, open_session
from integrator.transport.lines import OURS

LIMITS = Limits(timeout=0.5, connect=0.3, attempts=1, answer_bytes=1000)
OK = b"HTTP/1.1 200 OK\r\n"


class Peer:
    """Answers every request with the next of its texts; "close" and "reset" end the connection."""

    def __init__(self, *texts: bytes | str, server_ssl: ssl.SSLContext | None = None) -> None:
        self.texts, self.heads, self.connections = list(texts), list[bytes](), 0
        self._ssl = server_ssl

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                self.heads.append(head)
                lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                await reader.readexactly(int(lengths[0].partition(b":")[2]) if lengths else 0)
                text = self.texts.pop(0) if len(self.texts) > 1 else self.texts[0]
                for piece in text.split(b"|") if isinstance(text, bytes) else [text]:
                    if piece in ("close", b"<close>"):
                        writer.close()
                    elif piece in ("reset", b"<reset>"):
                        writer.transport.abort()
                    else:
                        writer.write(piece)
                        await writer.drain()
                        await asyncio.sleep(0)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._ssl)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()


@asynccontextmanager
async def calling(peer: Peer, client: Any = Lines, limits: Limits = LIMITS) -> AsyncIterator[Channel]:
    async with peer.listening() as port, client() as wires:
        yield Channel("div", f"http://127.0.0.1:{port}", wires, limits)


async def ask(channel: Channel, **options: Any) -> Any:
    return await channel("GET", "/x", **{"deadline": time.monotonic() + 5, **options})


async def told(text: bytes | str, client: Any) -> tuple[Any, ...]:
    """What a channel makes of one answer: status, body and type, or the kind of failure."""
    async with calling(Peer(text), client) as channel:
        try:
            answer = await ask(channel)
        except IntegratorError as error:
            return type(error).__name__, getattr(error, "reason", ""), getattr(error, "retry_after", None)
        return answer.status, answer.body, answer.content_type


ALIKE = {
    "length": OK + b"Content-Length: 2\r\nContent-Type: text/XML; a=b\r\n\r\nab",
    "nothing": OK + b"Content-Length: 0\r\n\r\n",
    "in pieces": b"HTTP/1.1 |200 OK\r\nContent-Le|ngth: 4\r\n\r|\na|bcd",
    "chunks": OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n2;x=y\r\nbc\r\n0\r\n\r\n",
    "chunks in pieces": OK + b"Transfer-Encoding: chunked\r\n\r\n|1|\r\na\r\n|2\r\nb|c\r\n0\r\n\r\n",
    "trailers": OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nContent-Type: text/evil\r\n\r\n",
    "until the end": OK + b"Content-Type: text/plain\r\n\r\nall of it|<close>",
    "until the end, announced": OK + b"Connection: close\r\n\r\nall|<close>",
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\nold|<close>",
    "no content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "an interim answer": b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\na",
    "early hints": b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n|" + OK + b"Content-Length: 1\r\n\r\na",
    "not found": b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno",
    "moved": b"HTTP/1.1 301 Moved\r\nLocation: http://evil/\r\nContent-Length: 0\r\n\r\n",
    "busy": b"HTTP/1.1 503 Busy\r\nRetry-After: 9\r\nContent-Length: 0\r\n\r\n",
    "slow down": b"HTTP/1.1 429 Slow\r\nRetry-After: 9\r\nContent-Length: 0\r\n\r\n",
    "an error page": b"HTTP/1.1 500 Oops\r\nContent-Type: text/html\r\nContent-Length: 1\r\n\r\nx",
    "a fault": b"HTTP/1.1 500 Oops\r\nContent-Type: text/xml\r\nContent-Length: 1\r\n\r\nx",
    "too long, announced": OK + b"Content-Length: 1001\r\n\r\n" + b"x" * 1001,
    "too long, in chunks": OK + b"Transfer-Encoding: chunked\r\n\r\n3e9\r\n" + b"x" * 1001 + b"\r\n0\r\n\r\n",
    "too long, until the end": OK + b"\r\n" + b"x" * 1001 + b"|<close>",
    "cut off": OK + b"Content-Length: 9\r\n\r\nab|<close>",
    "cut off in a chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n9\r\nab|<close>",
    "cut off before the last chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n|<close>",
    "cut off in the head": OK + b"Content-Le|<close>",
    "not a word": "close",
    "reset": "reset",
    "another protocol": b"220 smtp.example ESMTP\r\n\r\n",
    "two lengths": OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "a signed length": OK + b"Content-Length: +2\r\n\r\nab",
    "a length that is none": OK + b"Content-Length: 2x\r\n\r\nab",
    "length and chunks": OK + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a chunk size that is none": OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\na\r\n0\r\n\r\n",
    "a line break alone": OK + b"X: a\rContent-Length: 0\r\n\r\n",
    "a NUL in a field": OK + b"X: a\0b\r\nContent-Length: 0\r\n\r\n",
    "HTTP/3.7": b"HTTP/3.7 200 OK\r\nContent-Length: 0\r\n\r\n",
}
STRICTER = {  # what aiohttp reads, or takes for a connection that broke, and we call a fault of the source
    "a space before the colon": OK + b"Content-Length : 2\r\n\r\nab",
    "a folded line in no field": b"HTTP/1.1 200 OK\r\n x: y\r\n\r\n",
    "packed framing": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    "chunks before HTTP/1.1": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    "another protocol agreed": b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
    "fields without end": OK + b"".join(b"X-%d: %s\r\n" % (n, b"y" * 5000) for n in range(9)) + b"\r\n",
}


@pytest.mark.parametrize("what", list(ALIKE))
async def test_both_clients_tell_the_same(what):
    assert await told(ALIKE[what], open_session) == await told(ALIKE[what], Lines)


@pytest.mark.parametrize("what", list(STRICTER))
async def test_what_is_a_fault_of_the_source_though_others_read_it(what):
    assert ("SourceFault", "HTTP") == (await told(STRICTER[what], Lines))[:2]


@settings(max_examples=60, deadline=None)
@given(body=st.binary(max_size=300), cuts=st.lists(st.integers(1, 400), max_size=6), chunked=st.booleans())
def test_an_answer_is_the_same_however_it_is_cut(body, cuts, chunked):
    framed = (
        b"Transfer-Encoding: chunked\r\n\r\n"
        + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[i : i + 7] for i in range(0, len(body), 7)))
        + b"0\r\n\r\n"
        if chunked
        else b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    )
    whole = OK + framed
    places = sorted({min(cut, len(whole)) for cut in cuts})
    pieces = [whole[a:b] for a, b in zip([0, *places], [*places, len(whole)], strict=True)]

    class Cut(Peer):
        async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            writer.close()

    async def play() -> bytes:
        async with calling(Cut()) as channel:
            return bytes((await ask(channel)).body)

    assert body == asyncio.run(play())


# --- one answer never becomes another's ---------------------------------------------------------------------------------


EVIL = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL"


@pytest.mark.parametrize("gap", [b"", b"|"])
async def test_a_second_answer_behind_the_first_is_never_given_to_the_next_question(gap):
    peer = Peer(OK + b"Content-Length: 2\r\n\r\nok" + gap + EVIL, OK + b"Content-Length: 4\r\n\r\ntrue")
    async with calling(peer) as channel:
        first = await ask(channel)
        await asyncio.sleep(0.02)
        second = await ask(channel)

    assert (b"ok", b"true", 2) == (first.body, second.body, peer.connections)


async def test_an_answer_that_comes_before_its_question_costs_the_connection():
    peer = Peer(OK + b"Content-Length: 2\r\n\r\nok|", OK + b"Content-Length: 4\r\n\r\ntrue")
    async with calling(peer) as channel:
        await ask(channel)
        line: Any = channel._wire
        [kept] = line._idle
        kept.data_received(EVIL)  # as the loop would: nobody asked

        assert b"true" == (await ask(channel)).body
        assert 2 == peer.connections


async def test_bytes_after_an_answer_without_body_cost_the_connection():
    peer = Peer(b"HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nEVIL", OK + b"Content-Length: 4\r\n\r\ntrue")
    async with calling(peer) as channel:
        first = await ask(channel)
        await asyncio.sleep(0.02)

        assert (204, b"", b"true") == (first.status, first.body, (await ask(channel)).body)


async def test_refusal_read_from_the_head_leaves_no_rest_for_the_next_question():
    peer = Peer(b"HTTP/1.1 302 Found\r\nContent-Length: 40\r\n\r\nEVIL", OK + b"Content-Length: 4\r\n\r\ntrue")
    async with calling(peer) as channel:
        with pytest.raises(SourceFault):
            await ask(channel)

        assert b"true" == (await ask(channel)).body


async def test_trailer_is_no_header():
    peer = Peer(OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nBelGov-Trace-Id: x\r\n\r\n")
    async with calling(peer) as channel:
        assert "belgov-trace-id" not in (await ask(channel)).headers


async def test_first_of_two_fields_of_one_name_counts():
    peer = Peer(OK + b"Content-Length: 0\r\nContent-Type: a/b\r\nContent-Type: c/d\r\n\r\n")
    async with calling(peer) as channel:
        assert "a/b" == (await ask(channel)).content_type


# --- what costs without end ----------------------------------------------------------------------------------------------


async def test_interim_answers_without_end_are_cut_off():
    peer = Peer(b"|".join([b"HTTP/1.1 100 Continue\r\nX: " + b"y" * 1000 + b"\r\n\r\n"] * 40))
    async with calling(peer) as channel:
        with pytest.raises(SourceFault) as caught:
            await ask(channel)

    assert "HTTP" == caught.value.reason


async def test_more_fields_than_anybody_sends_are_no_http():
    peer = Peer(OK + b"X: y\r\n" * 200 + b"Content-Length: 0\r\n\r\n")
    async with calling(peer) as channel:
        with pytest.raises(SourceFault) as caught:
            await ask(channel)

    assert "HTTP" == caught.value.reason


async def test_chunks_that_frame_next_to_nothing_stop_at_the_limit():
    ones = b"1;%s\r\na\r\n" % (b"x" * 200)
    peer = Peer(OK + b"Transfer-Encoding: chunked\r\n\r\n|" + b"|".join([ones * 20] * 30))
    async with calling(peer, limits=Limits(timeout=5, attempts=1, answer_bytes=1000)) as channel:
        with pytest.raises(SourceFault) as caught:
            await ask(channel)

    assert "TOO_LARGE" == caught.value.reason


async def test_connection_that_waited_too_long_is_let_go():
    peer = Peer(OK + b"Content-Length: 0\r\n\r\n")
    async with peer.listening() as port, Lines(keep_alive=3600) as lines:
        channel = Channel("div", f"http://127.0.0.1:{port}", lines, LIMITS)
        await ask(channel)
        line: Any = channel._wire
        line._idle[0].since -= 3601

        assert not line.sweep()
        await ask(channel)
        line._idle[0].since -= 3601
        await ask(channel)

    assert 3 == peer.connections


async def test_closing_ends_what_is_kept_and_what_is_asked():
    peer = Peer(b"")
    async with peer.listening() as port:
        lines = Lines()
        channel = Channel("div", f"http://127.0.0.1:{port}", lines, Limits(timeout=30, attempts=1))
        asked = asyncio.create_task(ask(channel))
        while not peer.heads:
            await asyncio.sleep(0.001)
        await lines.close()
        with pytest.raises(SourceUnavailable):
            await asked


# --- what may be sent ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*sorted(OURS), "Host", "bad name", "", "X:Y", "é", "X\r\nY"])
async def test_field_that_frames_a_request_is_not_a_connectors_to_send(name):
    peer = Peer(OK + b"Content-Length: 0\r\n\r\n")
    async with calling(peer) as channel:
        with pytest.raises(ValueError):
            await ask(channel, headers={name: "1"})

    assert [] == peer.heads


@pytest.mark.parametrize("value", ["a\r\nX: 1", "a\nX: 1", "a\rb", "a\0b", "a\r\n\r\nGET / HTTP/1.1", "€"])
async def test_value_that_could_end_its_line_is_never_sent(value):
    peer = Peer(OK + b"Content-Length: 0\r\n\r\n")
    async with calling(peer) as channel:
        with pytest.raises(ValueError):
            await ask(channel, headers={"X": value})

    assert [] == peer.heads


@pytest.mark.parametrize("method", ["HEAD", "CONNECT", "get", "GET / HTTP/1.1\r\nX:", ""])
async def test_method_with_another_framing_is_never_sent(method):
    peer = Peer(OK + b"Content-Length: 0\r\n\r\n")
    async with calling(peer) as channel:
        with pytest.raises(ValueError):
            await channel(method, "/x", deadline=time.monotonic() + 5)

    assert [] == peer.heads


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("body", [None, b"", b"<a/>"])
async def test_both_clients_frame_a_question_alike(method, body):
    heads = []
    for client in (open_session, Lines):
        peer = Peer(OK + b"Content-Length: 0\r\n\r\n")
        async with calling(peer, client) as channel:
            await channel(method, "/x", body=body, headers={"Content-Type": "a/b"}, deadline=time.monotonic() + 5)
        first, *fields = peer.heads[0].split(b"\r\n")
        heads.append((first, sorted(field.lower() for field in fields if not field.lower().startswith(b"host:"))))

    assert heads[0] == heads[1]


# --- TLS -----------------------------------------------------------------------------------------------------------------


def certificate(folder: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    """A self-signed certificate for localhost or for somebody else, and a server that has it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    pem = made.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(pem + private)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    return path, server


@pytest.mark.parametrize("client", [Lines, open_session])
@pytest.mark.parametrize(
    ("name", "trusted", "expected"),
    [("localhost", True, 200), ("localhost", False, "TLS"), ("elsewhere.example", True, "TLS")],
)
async def test_source_is_believed_by_its_certificate_only(tmp_path, client, name, trusted, expected):
    path, server = certificate(tmp_path, name)
    ours = ssl.create_default_context(cafile=path if trusted else None)
    peer = Peer(OK + b"Content-Length: 0\r\n\r\n", server_ssl=server)
    async with peer.listening() as port, client() as wires:
        channel = Channel("div", f"https://localhost:{port}", wires, Limits(timeout=5, connect=5, attempts=1), tls=ours)
        try:
            found: Any = (await ask(channel)).status
        except SourceFault as fault:
            found = fault.reason

    assert expected == found


async def test_plain_http_behind_an_https_address_is_no_answer():
    peer = Peer(OK + b"Content-Length: 0\r\n\r\n")
    async with peer.listening() as port, Lines() as lines:
        channel = Channel("div", f"https://127.0.0.1:{port}", lines, LIMITS)
        with pytest.raises((SourceUnavailable, SourceFault)):
            await ask(channel)

    assert [] == peer.heads


async def test_port_and_name_of_an_address_stand_in_the_host_field():
    heads = []
    for client in (open_session, Lines):
        peer = Peer(OK + b"Content-Length: 0\r\n\r\n")
        async with peer.listening() as port, client() as wires:
            channel = Channel("div", str(URL(f"http://LOCALHOST:{port}/a/")), wires, LIMITS)
            await ask(channel)
        heads.append(peer.heads[0].replace(str(port).encode(), b"PORT").split(b"\r\n")[:2])

    assert heads[0] == heads[1]
