"""The door against rude callers, over real sockets: each test is one way to hold, flood or fool a server."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

ORDINARY = b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n"


def test_ordinary_question_is_answered_and_the_connection_lives_on(live: Any) -> None:
    with live.connect() as wire:
        first = wire.send(live.question()).reply()
        second = wire.send(live.question()).reply()

    assert (200, 200) == (first.status, second.status)


def test_answers_do_not_name_the_software(live: Any) -> None:
    with live.connect() as wire:
        assert "server" not in wire.send(live.question()).reply().headers


def test_head_that_never_ends_is_closed_with_408(serve: Callable[..., Any]) -> None:
    with serve(headSeconds=0.2).connect() as wire:
        answer = wire.send(b"POST /person/v1/persons/get HTTP/1.1\r\nhost: hub.example\r\n").reply()

        assert (408, "close", True) == (answer.status, answer.headers["connection"], wire.closed())


def test_head_in_drops_does_not_renew_its_deadline(serve: Callable[..., Any]) -> None:
    with serve(headSeconds=0.3).connect() as wire:
        wire.send(b"GET /livez HTTP/1.1\r\n")
        for _ in range(8):
            try:
                wire.send(b"x: y\r\n")
            except ConnectionError:
                break
            time.sleep(0.1)

        assert wire.closed()


def test_connection_that_says_nothing_is_closed_when_idle_too_long(serve: Callable[..., Any]) -> None:
    with serve(idleSeconds=1).connect() as wire:
        assert wire.closed()


def test_second_head_on_a_kept_connection_has_a_deadline_too(serve: Callable[..., Any]) -> None:
    live = serve(headSeconds=0.2)
    with live.connect() as wire:
        wire.send(live.question()).reply()

        assert 408 == wire.send(b"GET /li").reply().status


def test_body_that_never_comes_is_answered_with_408_and_closed(serve: Callable[..., Any]) -> None:
    live = serve(bodySeconds=0.2)
    with live.connect() as wire:
        answer = wire.send(live.head(50)).reply()

        assert (408, True) == (answer.status, wire.closed())
    assert [] == live.hub.exchange.asked


def test_body_in_drops_does_not_renew_its_deadline(serve: Callable[..., Any]) -> None:
    live = serve(bodySeconds=0.3)
    with live.connect() as wire:
        wire.send(live.head(5000))
        for _ in range(8):
            try:
                wire.send(b" ")
            except ConnectionError:
                break
            time.sleep(0.1)

        assert 408 == wire.reply().status


def test_slow_body_of_a_stranger_ends_within_the_drain(serve: Callable[..., Any]) -> None:
    live = serve(earlySeconds=0.2)
    with live.connect() as wire:
        answer = wire.send(live.head(50).replace(live.token.encode(), b"nobody")).reply()

        assert (401, "close", True) == (answer.status, answer.headers["connection"], wire.closed())


def test_body_nobody_reads_does_not_keep_the_connection(live: Any) -> None:
    with live.connect() as wire:
        answer = wire.send(b"GET /livez HTTP/1.1\r\nhost: x\r\ncontent-length: 900\r\n\r\nabc").reply()

        assert (200, True) == (answer.status, wire.closed())


def test_refused_question_with_its_body_leaves_a_usable_connection(live: Any) -> None:
    with live.connect() as wire:
        refused = wire.send(live.question().replace(live.token.encode(), b"nobody")).reply()
        answered = wire.send(live.question()).reply()

    assert (401, 200) == (refused.status, answered.status)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/person/v1/persons/get", b"{"),
        ("/person/v1/persons/get", b'{"ssin":"85660812342"}'),
        ("/oauth/token", b"x"),
        ("/nowhere", b"{}"),
        ("/docs", b"{}"),
    ],
    ids=["no_json", "wrong_number", "token_as_json", "unknown_address", "other_method"],
)
def test_refusal_after_a_whole_body_comes_at_once_and_the_connection_lives_on(
    serve: Callable[..., Any], path: str, body: bytes
) -> None:
    live = serve(earlySeconds=60)
    with live.connect() as wire:
        refused = wire.send(live.head(len(body), path) + body).reply()
        answered = wire.send(live.question()).reply()

    assert (True, 200) == (400 <= refused.status < 500, answered.status)
    assert "connection" not in refused.headers


AMBIGUOUS = {
    "length_and_chunked": b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked_and_length": b"transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n",
    "two_lengths_that_differ": b"content-length: 5\r\ncontent-length: 6\r\n\r\nhello!",
    "two_lengths_alike": b"content-length: 5\r\ncontent-length: 5\r\n\r\nhello",
    "length_list": b"content-length: 5, 5\r\n\r\nhello",
    "length_with_plus": b"content-length: +5\r\n\r\nhello",
    "length_in_hex": b"content-length: 0x5\r\n\r\nhello",
    "length_negative": b"content-length: -1\r\n\r\n",
    "length_of_twenty_digits": b"content-length: 00000000000000000005\r\n\r\nhello",
    "coding_unknown": b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
    "coding_gzip_then_chunked": b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "coding_twice": b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding_identity": b"transfer-encoding: identity\r\n\r\n",
    "coding_with_control_byte": b"transfer-encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "space_before_colon": b"content-length : 5\r\n\r\nhello",
    "folded_header": b"x-one: a\r\n b\r\n\r\n",
    "bare_cr_in_header": b"x-one: a\rcontent-length: 5\r\n\r\n",
    "nul_in_header": b"x-one: a\x00b\r\n\r\n",
    "header_without_colon": b"nonsense\r\n\r\n",
    "empty_header_name": b": x\r\n\r\n",
}


@pytest.mark.parametrize("wound", list(AMBIGUOUS))
def test_framing_with_two_readings_is_refused_and_closed(live: Any, wound: str) -> None:
    with live.connect() as wire:
        head = live.head(0).partition(b"content-length")[0]
        answer = wire.send(head + AMBIGUOUS[wound] + b"GET /smuggled HTTP/1.1\r\nhost: hub.example\r\n\r\n").reply()

        assert (400, "close", "application/problem+json") == (
            answer.status, answer.headers["connection"], answer.headers["content-type"],
        )  # fmt: skip
        assert wire.closed()
    assert [] == live.hub.exchange.asked


def test_chunked_body_before_http_1_1_is_refused(live: Any) -> None:
    with live.connect() as wire:
        head = live.head(0).partition(b"content-length")[0].replace(b"HTTP/1.1", b"HTTP/1.0")

        assert 400 == wire.send(head + b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n").reply().status


@pytest.mark.parametrize(
    "bad",
    [b"5 x\r\nhello\r\n0\r\n\r\n", b"zz\r\nhello\r\n0\r\n\r\n", b"5\r\nhelloX\r\n0\r\n\r\n", b"fffffffffffffffff\r\n"],
)
def test_broken_chunks_end_the_connection_and_nothing_is_asked(live: Any, bad: bytes) -> None:
    with live.connect() as wire:
        head = live.head(0).partition(b"content-length")[0]
        wire.send(head + b"transfer-encoding: chunked\r\n\r\n" + bad)

        assert wire.closed()
    assert [] == live.hub.exchange.asked


def test_refusal_behind_a_question_under_way_is_not_taken_for_its_answer(serve: Callable[..., Any]) -> None:
    live = serve()
    live.hub.exchange.seconds = 0.3
    with live.connect() as wire:
        answer = wire.send(live.question() + b"NONSENSE\r\n\r\n").reply()

        assert (200, True) == (answer.status, wire.closed())


@pytest.mark.parametrize("size", [20_000, 300_000, 3_000_000])
def test_one_header_too_large_is_refused_with_431(live: Any, size: int) -> None:
    with live.connect() as wire:
        try:
            wire.send(b"GET /livez HTTP/1.1\r\nhost: x\r\nx-long: " + b"a" * size + b"\r\n\r\n")
            answer = wire.reply()
        except (ConnectionError, EOFError):
            return  # closed while we were still sending: refused just as well

        assert 431 == answer.status


def test_header_that_grows_without_end_is_cut_off_long_before_memory(live: Any) -> None:
    with live.connect() as wire:
        wire.send(b"GET /livez HTTP/1.1\r\nx-long: ")
        sent = 0
        try:
            while sent < 50_000_000:
                wire.send(b"a" * 65_536)
                sent += 65_536
        except ConnectionError:
            pass

    assert sent < 20_000_000


def test_ten_thousand_small_headers_are_refused(serve: Callable[..., Any]) -> None:
    with serve(headBytes=1_000_000).connect() as wire:
        answer = wire.send(
            b"GET /livez HTTP/1.1\r\n" + b"".join(b"x%d: y\r\n" % n for n in range(10_000)) + b"\r\n"
        ).reply()

        assert 431 == answer.status


def test_address_too_long_is_refused(live: Any) -> None:
    with live.connect() as wire:
        assert 431 == wire.send(b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n").reply().status


@pytest.mark.parametrize(
    "line", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", b"GET /livez\r\n\r\n", b"G\xc3\x89T / HTTP/1.1\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"CONNECT evil:80 HTTP/1.1\r\nhost: x\r\n\r\n"]
)  # fmt: skip
def test_what_is_not_our_http_is_refused_and_closed(live: Any, line: bytes) -> None:
    with live.connect() as wire:
        answer = wire.send(line).reply()

        assert answer.status in (400, 408)
        assert wire.closed()


def test_many_idle_connections_refuse_nobody(serve: Callable[..., Any]) -> None:
    live = serve(inFlight=8, perApplication=8, publicInFlight=8)
    idle = [live.connect() for _ in range(400)]
    try:
        statuses = set()
        for _ in range(20):
            with live.connect() as wire:
                statuses.add(wire.send(live.question()).reply().status)
    finally:
        for wire in idle:
            wire.socket.close()

    assert {200} == statuses


def test_many_unfinished_heads_refuse_nobody(serve: Callable[..., Any]) -> None:
    live = serve(inFlight=8, perApplication=8, publicInFlight=8)
    slow = [live.connect().send(b"POST /x HTTP/1.1\r\nhost:") for _ in range(200)]
    try:
        with live.connect() as wire:
            status = wire.send(live.question()).reply().status
    finally:
        for wire in slow:
            wire.socket.close()

    assert 200 == status


def test_slow_bodies_of_strangers_take_no_place_from_applications(serve: Callable[..., Any]) -> None:
    live = serve(inFlight=2, publicInFlight=4)
    head = b"POST /oauth/token HTTP/1.1\r\nhost: hub.example\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 90\r\n\r\n"
    slow = [live.connect().send(head) for _ in range(30)]
    try:
        with live.connect() as wire:
            status = wire.send(live.question()).reply().status
    finally:
        for wire in slow:
            wire.socket.close()

    assert 200 == status


def test_caller_who_does_not_read_the_answer_is_cut_off(serve: Callable[..., Any]) -> None:
    live = serve(writeSeconds=0.5, idleSeconds=1)
    live.hub.exchange.body = {"familyName": "x" * 8_000_000}
    with live.connect() as wire:
        assert wire.send(live.question()).was_reset()


def test_caller_who_reads_slowly_but_reads_gets_the_whole_answer(serve: Callable[..., Any]) -> None:
    live = serve(writeSeconds=5)
    live.hub.exchange.body = {"familyName": "x" * 8_000_000}
    with live.connect() as wire:
        wire.send(live.question())
        time.sleep(0.3)

        assert 8_000_017 == len(wire.reply().body)


def test_caller_who_hangs_up_does_not_stop_what_was_asked(serve: Callable[..., Any]) -> None:
    live = serve()
    live.hub.exchange.seconds = 0.3
    with live.connect() as wire:
        wire.send(live.question())
        _until(lambda: live.hub.exchange.asked)
    _until(lambda: live.hub.exchange.finished)

    assert 1 == len(live.hub.exchange.finished)


def test_caller_who_hangs_up_in_the_middle_of_the_body_asks_nothing(live: Any) -> None:
    with live.connect() as wire:
        wire.send(live.head(50) + b'{"ssin":')
    with live.connect() as wire:
        wire.send(live.question()).reply()

    assert 1 == len(live.hub.exchange.asked)


def test_question_accepted_before_the_end_is_still_answered(serve: Callable[..., Any]) -> None:
    live = serve()
    live.hub.exchange.seconds = 0.5
    with live.connect() as wire:
        wire.send(live.question())
        _until(lambda: live.hub.exchange.asked)
        live.begin_stop()
        answer = wire.reply()

        assert (200, "close") == (answer.status, answer.headers["connection"])
    live.stop()


def test_exchange_that_outlives_the_drain_does_not_hold_the_end(serve: Callable[..., Any]) -> None:
    live = serve(drainSeconds=1)
    live.hub.exchange.seconds = 60
    with live.connect() as wire:
        wire.send(live.question())
        _until(lambda: live.hub.exchange.asked)
        live.stop()

        assert wire.closed()


def test_expect_100_is_answered_by_the_refusal_alone(live: Any) -> None:
    with live.connect() as wire:
        head = (
            live.head(50)
            .replace(live.token.encode(), b"nobody")
            .replace(b"\r\n\r\n", b"\r\nexpect: 100-continue\r\n\r\n")
        )

        assert 401 == wire.send(head).reply().status


def test_upgrade_is_not_followed(live: Any) -> None:
    with live.connect() as wire:
        head = b"GET /livez HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"

        assert 200 == wire.send(head).reply().status


def _until(condition: Callable[[], Any], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)
