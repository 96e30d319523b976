"""The channel against a real socket on loopback that is wounded in one way at a time; over both of its clients."""

from __future__ import annotations

import asyncio
import gzip
import socket
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, suppress

import aiohttp
import pytest

from integrator.contract import HttpAnswer
from integrator.errors import ConfigurationError, SourceFault, SourceThrottled, SourceUnavailable
from integrator.registry import Limits
from integrator.transport import pool
from integrator.transport.channel import Channel, Lines

Peer = Callable[["Visit"], Awaitable[None]]
QUICK = Limits(timeout=0.4, connect=0.3, attempts=1)
CLIENTS = {"lines": Lines, "aiohttp": pool.open_session}  # what the hub uses, and what it is compared with
chosen = "lines"


@pytest.fixture(params=list(CLIENTS), autouse=True)
def client(request: pytest.FixtureRequest) -> str:
    """Every situation here is played twice: the lean client may allow nothing that aiohttp refuses."""
    global chosen
    chosen = request.param
    return chosen


def open_session():
    return CLIENTS[chosen]()


class Visit:
    """One request that reached the peer: its head, and the ways to answer it."""

    def __init__(self, number: int, head: bytes, body: bytes, writer: asyncio.StreamWriter, connection: int) -> None:
        self.number, self.head, self.body, self.writer, self.connection = number, head, body, writer, connection

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, body: bytes = b"{}", status: str = "200 OK", **headers: str) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        await self.say("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def reset(self) -> None:
        self.writer.transport.abort()

    def close(self) -> None:
        self.writer.close()


class Source:
    """A peer that keeps what it was asked."""

    def __init__(self, peer: Peer) -> None:
        self.peer, self.visits, self.connections, self.port = peer, list[Visit](), 0, 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        connection = self.connections
        try:
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")), b":0"
                )
                body = await reader.readexactly(int(length.partition(b":")[2]))
                visit = Visit(len(self.visits) + 1, head, body, writer, connection)
                self.visits.append(visit)
                await self.peer(visit)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def calling(
    peer: Peer,
    limits: Limits = QUICK,
    observe: Callable[[str, str, float], None] | None = None,
    gzip: bool = False,
    conditional: bool = False,
) -> AsyncIterator[tuple[Channel, Source]]:
    source = Source(peer)
    server = await asyncio.start_server(source.serve, "127.0.0.1", 0)
    source.port = server.sockets[0].getsockname()[1]
    try:
        async with open_session() as session:
            yield (
                Channel(
                    "div",
                    f"http://127.0.0.1:{source.port}/div",
                    session,
                    limits,
                    observe=observe,
                    gzip=gzip,
                    conditional=conditional,
                ),
                source,
            )
    finally:
        server.close()
        for visit in source.visits:
            visit.writer.close()
        await asyncio.sleep(0)


def soon(seconds: float = 5.0) -> float:
    return time.monotonic() + seconds


async def ask(channel: Channel, **options: object) -> HttpAnswer:
    return await channel("GET", "/v1/things", **{"deadline": soon(), **options})  # type: ignore[arg-type]


async def well(visit: Visit) -> None:
    await visit.answer(b'{"a":1}', Content_Type="Application/JSON; charset=utf-8")


async def hang(visit: Visit) -> None:
    await asyncio.sleep(30)


async def reset(visit: Visit) -> None:
    visit.reset()


@pytest.fixture
def deaf_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


@pytest.fixture
def full_port() -> Iterator[int]:
    """A port whose queue is full, so that connecting hangs."""
    with ExitStack() as held:
        listening = held.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):
            waiting = held.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]


# --- an ordinary answer -----------------------------------------------------------------------------------------------


async def test_answer_comes_back_as_bytes():
    async with calling(well) as (channel, _):
        assert b'{"a":1}' == (await ask(channel)).body


async def test_content_type_is_lowercased_and_bare():
    async with calling(well) as (channel, _):
        assert "application/json" == (await ask(channel)).content_type


async def test_headers_are_found_whatever_their_case():
    async def peer(visit: Visit) -> None:
        await visit.answer(BelGov_Trace_Id="abc")

    async with calling(peer) as (channel, _):
        assert "abc" == (await ask(channel)).headers["belgov-trace-id"]


async def test_error_statuses_are_the_connectors_to_read():
    async def peer(visit: Visit) -> None:
        await visit.answer(b"<Fault/>", "500 Internal Server Error", Content_Type="text/xml")

    async with calling(peer) as (channel, _):
        assert (500, b"<Fault/>") == ((answer := await ask(channel)).status, answer.body)


async def test_no_content_is_an_empty_body():
    async def peer(visit: Visit) -> None:
        await visit.say(b"HTTP/1.1 204 No Content\r\n\r\n")

    async with calling(peer) as (channel, _):
        assert (204, b"") == ((answer := await ask(channel)).status, answer.body)


async def test_chunked_answer_is_put_together():
    async def peer(visit: Visit) -> None:
        await visit.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        await asyncio.sleep(0.02)
        await visit.say(b"3\r\ndef\r\n0\r\n\r\n")

    async with calling(peer) as (channel, _):
        assert b"abcdef" == (await ask(channel)).body


async def test_query_values_arrive_percent_encoded():
    async with calling(well) as (channel, source):
        await ask(channel, query={"streetName": "Rue de l'Été & 1/2 +"})

        expected = b"GET /div/v1/things?streetName=Rue%20de%20l%27%C3%89t%C3%A9%20%26%201%2F2%20%2B HTTP/1.1"
        assert expected == source.visits[0].head.split(b"\r\n")[0]


async def test_encoded_path_arrives_as_it_was_written():
    async with calling(well) as (channel, source):
        await channel("GET", "/v2/addresses/https%3A%2F%2Fdatabrussels.be%2Fid%2F1", deadline=soon())

        expected = b"GET /div/v2/addresses/https%3A%2F%2Fdatabrussels.be%2Fid%2F1 HTTP/1.1"
        assert expected == source.visits[0].head.split(b"\r\n")[0]


@pytest.mark.parametrize("path", ["things", "/a b", "/a?x=1", "/a#b", "/a/../b", "/a/..", "/a\r\nX: y", "/é"])
async def test_path_that_could_say_something_else_is_never_sent(path):
    async with calling(well) as (channel, source):
        with pytest.raises(ValueError, match="path"):
            await channel("GET", path, deadline=soon())

        assert [] == source.visits


async def test_header_with_a_line_break_is_never_sent():
    async with calling(well) as (channel, source):
        with pytest.raises(ValueError):
            await ask(channel, headers={"BelGov-Trace-Id": "a\r\nX-Evil: 1"})

        assert [] == source.visits


async def test_body_is_sent_with_its_length():
    async with calling(well) as (channel, source):
        await channel("POST", "/soap", body=b"<e/>", headers={"Content-Type": "text/xml"}, deadline=soon())

        assert b"<e/>" == source.visits[0].body


async def test_body_that_is_written_anew_for_every_attempt():
    written = iter((b"<first/>", b"<second/>"))

    async def peer(visit: Visit) -> None:
        await (reset(visit) if visit.number == 1 else well(visit))

    async with calling(peer, Limits(attempts=2)) as (channel, source):
        await channel("POST", "/soap", body=lambda: next(written), deadline=soon())

        assert [b"<first/>", b"<second/>"] == [visit.body for visit in source.visits]


async def test_connection_is_kept_for_the_next_question():
    async with calling(well) as (channel, source):
        for _ in range(3):
            await ask(channel)

        assert 1 == source.connections


@pytest.mark.parametrize("url", ["ftp://h/", "http:///x", "http://u:p@h/", "http://h/?a=1", "h:80"])
async def test_address_of_a_source_with_anything_odd_is_refused_at_start(url):
    async with open_session() as session:
        with pytest.raises(ConfigurationError):
            Channel("div", url, session, QUICK)


# --- time -------------------------------------------------------------------------------------------------------------


async def test_source_that_hangs_is_unavailable():
    async with calling(hang) as (channel, _):
        with pytest.raises(SourceUnavailable, match="within the time"):
            await ask(channel)


async def test_slow_drip_is_unavailable_however_often_a_byte_comes():
    async def peer(visit: Visit) -> None:
        await visit.say(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(100):
            await visit.say(b"x")
            await asyncio.sleep(0.02)

    async with calling(peer) as (channel, _):
        with pytest.raises(SourceUnavailable):
            await ask(channel)


async def test_headers_that_drip_are_unavailable_too():
    async def peer(visit: Visit) -> None:
        await visit.say(b"HTTP/1.1 200 OK\r\n")
        for number in range(100):
            await visit.say(b"X-%d: y\r\n" % number)
            await asyncio.sleep(0.02)

    async with calling(peer) as (channel, _):
        with pytest.raises(SourceUnavailable):
            await ask(channel)


async def test_callers_deadline_holds_when_it_is_nearer_than_the_timeout():
    async with calling(hang, Limits(timeout=60, attempts=1)) as (channel, _):
        with pytest.raises(SourceUnavailable):
            await ask(channel, deadline=soon(0.05))


async def test_deadline_already_past_means_no_question_leaves():
    async with calling(well) as (channel, source):
        with pytest.raises(SourceUnavailable):
            await ask(channel, deadline=soon(-1))

        assert [] == source.visits


async def test_timeout_is_not_retried():
    async with calling(hang, Limits(timeout=0.05, attempts=3)) as (channel, source):
        with pytest.raises(SourceUnavailable):
            await ask(channel)

        assert 1 == len(source.visits)


async def test_nobody_listens_is_unavailable(deaf_port):
    async with open_session() as session:
        channel = Channel("div", f"http://127.0.0.1:{deaf_port}", session, QUICK)

        with pytest.raises(SourceUnavailable, match=r"no connection$"):
            await ask(channel)


async def test_nobody_accepts_is_unavailable_after_the_connect_time(full_port):
    async with open_session() as session:
        channel = Channel("div", f"http://127.0.0.1:{full_port}", session, Limits(timeout=60, connect=0.05, attempts=1))

        with pytest.raises(SourceUnavailable, match="no connection in time"):
            await ask(channel)


# --- size and packing -------------------------------------------------------------------------------------------------


async def test_answer_announced_too_large_is_a_fault():
    async def peer(visit: Visit) -> None:
        await visit.answer(b"x" * 1001)

    async with calling(peer, Limits(answer_bytes=1000)) as (channel, _):
        with pytest.raises(SourceFault) as caught:
            await ask(channel)

    assert "TOO_LARGE" == caught.value.reason


async def test_answer_that_never_ends_is_cut_off_while_reading():
    async def peer(visit: Visit) -> None:
        await visit.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            await visit.say(b"400\r\n" + b"x" * 1024 + b"\r\n")

    async with calling(peer, Limits(answer_bytes=100_000)) as (channel, _):
        with pytest.raises(SourceFault) as caught:
            await ask(channel)

    assert "TOO_LARGE" == caught.value.reason


async def test_answer_of_exactly_the_limit_is_read():
    async def peer(visit: Visit) -> None:
        await visit.answer(b"x" * 1000)

    async with calling(peer, Limits(answer_bytes=1000)) as (channel, _):
        assert 1000 == len((await ask(channel)).body)


async def test_packed_answer_that_nobody_asked_for_is_a_fault():
    async def peer(visit: Visit) -> None:
        await visit.answer(gzip.compress(b"{}"), Content_Encoding="gzip")

    async with calling(peer) as (channel, _):
        with pytest.raises(SourceFault) as caught:
            await ask(channel)

    assert "ENCODING" == caught.value.reason


async def test_source_is_told_that_nothing_is_to_be_packed():
    async with calling(well) as (channel, source):
        await ask(channel)

        assert b"Accept-Encoding: identity" in source.visits[0].head


async def test_packed_answer_is_unpacked_where_it_was_agreed():
    async def peer(visit: Visit) -> None:
        await visit.answer(gzip.compress(b'{"a":1}'), Content_Encoding="gzip")

    async with calling(peer, Limits(), gzip=True) as (channel, _):
        assert b'{"a":1}' == (await ask(channel)).body


async def test_gzip_bomb_stops_at_the_limit():
    async def peer(visit: Visit) -> None:
        await visit.answer(gzip.compress(b"x" * 50_000_000), Content_Encoding="gzip")

    async with calling(peer, Limits(answer_bytes=100_000), gzip=True) as (channel, _):
        with pytest.raises(SourceFault) as caught:
            await ask(channel)

    assert "TOO_LARGE" == caught.value.reason


@pytest.mark.parametrize("wound", ["cut", "tail", "not_gzip", "brotli"])
async def test_packed_answer_that_does_not_hold_is_a_fault(wound):
    packed = gzip.compress(b'{"a":1}' * 100)
    body = {"cut": packed[:-9], "tail": packed + b"more", "not_gzip": b"{}", "brotli": packed}[wound]

    async def peer(visit: Visit) -> None:
        await visit.answer(body, Content_Encoding="br" if wound == "brotli" else "gzip")

    async with calling(peer, Limits(), gzip=True) as (channel, _):
        with pytest.raises(SourceFault) as caught:
            await ask(channel)

    assert "ENCODING" == caught.value.reason


# --- what a source may not do -----------------------------------------------------------------------------------------


async def test_cookie_of_a_source_is_never_sent_back():
    async def peer(visit: Visit) -> None:
        await visit.answer(Set_Cookie="session=of-somebody-else; Path=/")

    async with calling(peer) as (channel, source):
        await ask(channel)
        await ask(channel)

        assert b"cookie" not in source.visits[1].head.lower()


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent", "304 Not Modified"])
async def test_redirect_is_a_fault_and_not_followed(status):
    async def peer(visit: Visit) -> None:
        await visit.answer(b"", status, Location="/elsewhere")

    async with calling(peer) as (channel, source):
        with pytest.raises(SourceFault) as caught:
            await ask(channel)

        assert ("REDIRECT", 1) == (caught.value.reason, len(source.visits))


async def test_an_answer_that_did_not_change_is_an_answer_where_questions_are_conditional():
    async def peer(visit: Visit) -> None:
        await visit.answer(b"", "304 Not Modified")

    async with calling(peer, conditional=True) as (channel, _):
        assert 304 == (await ask(channel)).status


async def test_proxy_of_the_environment_is_not_used(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with calling(well) as (channel, _):
        assert 200 == (await ask(channel)).status


async def test_bytes_that_are_no_http_are_a_fault():
    async def peer(visit: Visit) -> None:
        await visit.say(b"220 smtp.example ESMTP\r\n\r\n")

    async with calling(peer) as (channel, _):
        with pytest.raises(SourceFault) as caught:
            await ask(channel)

    assert "HTTP" == caught.value.reason


# --- no answer --------------------------------------------------------------------------------------------------------


async def test_reset_is_unavailable():
    async with calling(reset) as (channel, _):
        with pytest.raises(SourceUnavailable):
            await ask(channel)


async def test_reset_is_asked_once_when_no_retry_is_planned():
    async with calling(reset) as (channel, source):
        with pytest.raises(SourceUnavailable):
            await ask(channel)

        assert 1 == len(source.visits)


async def test_truncated_body_is_unavailable_and_not_half_an_answer():
    async def peer(visit: Visit) -> None:
        await visit.say(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
        visit.close()

    async with calling(peer) as (channel, _):
        with pytest.raises(SourceUnavailable, match="broke off"):
            await ask(channel)


async def test_503_is_unavailable_with_the_time_the_source_asked():
    async def peer(visit: Visit) -> None:
        await visit.answer(status="503 Service Unavailable", Retry_After="17")

    async with calling(peer) as (channel, _):
        with pytest.raises(SourceUnavailable) as caught:
            await ask(channel)

    assert 17 == caught.value.retry_after


async def test_429_is_throttled_with_the_time_the_source_asked():
    async def peer(visit: Visit) -> None:
        await visit.answer(status="429 Too Many Requests", Retry_After="3")

    async with calling(peer, Limits(attempts=3)) as (channel, source):
        with pytest.raises(SourceThrottled) as caught:
            await ask(channel)

        assert (3, 1) == (caught.value.retry_after, len(source.visits))


# --- second attempts --------------------------------------------------------------------------------------------------


def first(wound: Peer) -> Peer:
    async def peer(visit: Visit) -> None:
        await (wound(visit) if visit.number == 1 else well(visit))

    return peer


async def unavailable(visit: Visit) -> None:
    await visit.answer(status="503 Service Unavailable")


async def truncated(visit: Visit) -> None:
    await visit.say(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
    visit.close()


@pytest.mark.parametrize("wound", [reset, truncated, unavailable])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_read_that_failed_fast_is_asked_again(wound, method):
    async with calling(first(wound), Limits(attempts=2)) as (channel, _):
        assert 200 == (await channel(method, "/x", deadline=soon())).status


@pytest.mark.parametrize("wound", [reset, truncated, unavailable])
async def test_question_that_changes_something_is_never_asked_twice(wound):
    async with calling(first(wound), Limits(attempts=3)) as (channel, source):
        with pytest.raises(SourceUnavailable):
            await channel("POST", "/x", deadline=soon(), repeatable=False)

        assert 1 == len(source.visits)


async def test_503_that_asks_more_time_than_there_is_is_not_asked_again():
    async def peer(visit: Visit) -> None:
        await visit.answer(status="503 Service Unavailable", Retry_After="60")

    async with calling(peer, Limits(attempts=5)) as (channel, source):
        with pytest.raises(SourceUnavailable):
            await ask(channel)

        assert 1 == len(source.visits)


async def test_retries_of_a_source_that_is_down_stay_a_small_share():
    async with calling(reset, Limits(attempts=2, breaker_of=10_000)) as (channel, source):
        for _ in range(60):
            with pytest.raises(SourceUnavailable):
                await ask(channel)

        assert 60 + 10 <= len(source.visits) <= 60 + 10 + 6


# --- kept-alive connections that went away ----------------------------------------------------------------------------


async def closing_after_first(visit: Visit) -> None:
    """Answer the first question; be gone when the second one comes over the same connection."""
    if visit.number == 2:
        visit.reset()
    else:
        await well(visit)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_stale_connection_is_replaced_without_a_planned_retry(method):
    async with calling(closing_after_first) as (channel, source):
        await channel(method, "/x", deadline=soon())
        await channel(method, "/x", deadline=soon())

        assert [1, 1, 2] == [visit.connection for visit in source.visits]


async def test_stale_connection_is_no_failure_of_the_source():
    outcomes: list[str] = []
    async with calling(closing_after_first, observe=lambda _, outcome, __: outcomes.append(outcome)) as (channel, _):
        await ask(channel)
        await ask(channel)

    assert ["ok", "ok"] == outcomes


async def test_stale_connection_is_not_tried_again_for_what_changes_something():
    async with calling(closing_after_first) as (channel, source):
        await channel("POST", "/x", deadline=soon(), repeatable=False)
        with pytest.raises(SourceUnavailable):
            await channel("POST", "/x", deadline=soon(), repeatable=False)

        assert 2 == len(source.visits)


async def test_connection_closed_between_questions_is_not_noticed():
    async def peer(visit: Visit) -> None:
        await well(visit)
        visit.close()

    async with calling(peer) as (channel, source):
        await ask(channel)
        await asyncio.sleep(0.02)
        await channel("POST", "/x", deadline=soon(), repeatable=False)

        assert 2 == source.connections


# --- bulkhead and breaker ---------------------------------------------------------------------------------------------


async def test_no_more_questions_are_under_way_than_the_limit():
    under_way, most = 0, 0

    async def peer(visit: Visit) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.01)
        under_way -= 1
        await well(visit)

    async with calling(peer, Limits(concurrency=3)) as (channel, _):
        await asyncio.gather(*[ask(channel) for _ in range(12)])

    assert 3 == most


async def test_waiting_for_a_place_counts_to_the_deadline():
    async with calling(hang, Limits(timeout=60, concurrency=1)) as (channel, source):
        first = asyncio.create_task(ask(channel))
        await asyncio.sleep(0.02)
        with pytest.raises(SourceUnavailable, match="every place"):
            await ask(channel, deadline=soon(0.05))
        first.cancel()

        assert 1 == len(source.visits)


async def test_waiting_for_a_place_is_no_failure_of_the_source():
    async with calling(hang, Limits(timeout=60, concurrency=1, breaker_of=1)) as (channel, _):
        first = asyncio.create_task(ask(channel))
        await asyncio.sleep(0.02)
        with pytest.raises(SourceUnavailable):
            await ask(channel, deadline=soon(0.05))
        first.cancel()

        assert "closed" == channel.breaker.state


async def fail(channel: Channel, times: int) -> None:
    for _ in range(times):
        with pytest.raises(SourceUnavailable):
            await ask(channel)


async def test_source_that_keeps_failing_is_not_asked_for_a_while():
    async with calling(reset) as (channel, source):
        await fail(channel, 25)

        assert 20 == len(source.visits)


async def test_open_breaker_says_when_to_come_back():
    async with calling(reset, Limits(attempts=1, open_seconds=9)) as (channel, _):
        await fail(channel, 20)
        with pytest.raises(SourceUnavailable) as caught:
            await ask(channel)

    assert 9 == caught.value.retry_after


async def test_source_that_recovered_is_asked_again():
    async def peer(visit: Visit) -> None:
        await (reset(visit) if visit.number <= 20 else well(visit))

    async with calling(peer, Limits(attempts=1, open_seconds=0.05)) as (channel, _):
        await fail(channel, 20)
        await asyncio.sleep(0.06)

        assert 200 == (await ask(channel)).status


async def test_throttling_does_not_open_the_breaker():
    async def peer(visit: Visit) -> None:
        await visit.answer(status="429 Too Many Requests")

    async with calling(peer) as (channel, _):
        await fail(channel, 25)

        assert "closed" == channel.breaker.state


async def test_faults_told_in_a_500_do_not_open_the_breaker():
    async def peer(visit: Visit) -> None:
        await visit.answer(b"<Fault/>", "500 Internal Server Error", Content_Type="application/soap+xml; charset=utf-8")

    async with calling(peer) as (channel, _):
        for _ in range(25):
            await ask(channel)

        assert "closed" == channel.breaker.state


async def test_error_pages_of_a_500_are_no_answer_and_open_the_breaker():
    async def peer(visit: Visit) -> None:
        await visit.answer(b"<h1>oops</h1>", "500 Internal Server Error", Content_Type="text/html")

    async with calling(peer) as (channel, _):
        with pytest.raises(SourceUnavailable):
            await ask(channel)
        await fail(channel, 24)

        assert "open" == channel.breaker.state


async def test_answers_too_large_do_not_close_the_source_to_others():
    async def peer(visit: Visit) -> None:
        await visit.answer(b"x" * 1001)

    async with calling(peer, Limits(answer_bytes=1000)) as (channel, _):
        for _ in range(25):
            with pytest.raises(SourceFault):
                await ask(channel)

        assert "closed" == channel.breaker.state


async def test_peer_that_speaks_no_http_is_not_asked_for_a_while():
    async def peer(visit: Visit) -> None:
        await visit.say(b"220 smtp.example ESMTP\r\n\r\n")

    async with calling(peer) as (channel, _):
        for _ in range(20):
            with pytest.raises(SourceFault):
                await ask(channel)

        assert "open" == channel.breaker.state


async def test_callers_in_a_hurry_do_not_open_the_breaker():
    async with calling(hang, Limits(timeout=60, attempts=1)) as (channel, _):
        for _ in range(25):
            with pytest.raises(SourceUnavailable):
                await ask(channel, deadline=soon(0.005))

        assert "closed" == channel.breaker.state


# --- cancellation and what is told ------------------------------------------------------------------------------------


async def test_cancelled_question_gives_its_place_back():
    async def peer(visit: Visit) -> None:
        await (hang(visit) if visit.number == 1 else well(visit))

    async with calling(peer, Limits(concurrency=1)) as (channel, _):
        task = asyncio.create_task(ask(channel))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert 200 == (await ask(channel)).status


async def test_cancelled_question_does_not_leave_its_answer_to_the_next_one():
    asked = asyncio.Event()

    async def peer(visit: Visit) -> None:
        if visit.number == 1:
            asked.set()
            await asyncio.sleep(0.05)
        await visit.answer(b"answer %d" % visit.number)

    async with calling(peer) as (channel, _):
        task = asyncio.create_task(ask(channel))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert b"answer 2" == (await ask(channel)).body


async def test_answer_after_the_timeout_is_not_given_to_the_next_question():
    async def peer(visit: Visit) -> None:
        if visit.number == 1:
            await asyncio.sleep(0.1)
        await visit.answer(b"answer %d" % visit.number)

    async with calling(peer, Limits(timeout=0.05, attempts=1)) as (channel, _):
        with pytest.raises(SourceUnavailable):
            await ask(channel)
        await asyncio.sleep(0.08)

        assert b"answer 2" == (await ask(channel)).body


@pytest.mark.parametrize(
    ("expected", "peer"),
    [("ok", well), ("unavailable", reset), ("timeout", hang), ("fault", None), ("throttled", None)],
)
async def test_every_question_is_counted_once_by_its_outcome(expected, peer):
    seen: list[tuple[str, str]] = []

    async def redirect(visit: Visit) -> None:
        await visit.answer(status="302 Found" if expected == "fault" else "429 Slow down")

    limits = Limits(timeout=0.1, attempts=1)
    async with calling(peer or redirect, limits, lambda *it: seen.append(it[:2])) as (channel, _):
        with suppress(SourceUnavailable, SourceFault):
            await ask(channel)

    assert [("div", expected)] == seen


@pytest.mark.parametrize("wound", ["hang", "reset", "refused", "not_http", "redirect", "connect"])
async def test_no_exception_holds_the_question(wound, deaf_port, full_port):
    key = "85660812341"
    peers = {"hang": hang, "reset": reset}

    async def other(visit: Visit) -> None:
        if wound == "not_http":
            await visit.say(b"nonsense\r\n\r\n")
        await visit.answer(status="302 Found")

    async with (
        calling(peers.get(wound, other), Limits(timeout=0.1, connect=0.05)) as (channel, _),
        open_session() as session,
    ):
        if wound == "refused":
            channel = Channel("div", f"http://127.0.0.1:{deaf_port}", session, QUICK)
        if wound == "connect":
            channel = Channel(
                "div", f"http://127.0.0.1:{full_port}", session, Limits(timeout=60, connect=0.02, attempts=1)
            )
        with pytest.raises((SourceUnavailable, SourceFault)) as caught:
            await ask(channel, query={"nationalNr": key}, headers={"X": key})

    told = "".join(traceback.format_exception(caught.value, chain=True)) + repr(caught.value.__context__)
    assert key not in told


async def test_session_closes_without_a_word():
    async with pool.open_session() as session:
        assert isinstance(session.cookie_jar, aiohttp.DummyCookieJar)
