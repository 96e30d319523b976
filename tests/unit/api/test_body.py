"""Bodies that are not one plain JSON object: each is refused with its place and remedy, and nothing of it comes back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from integrator.api.body import ClientGone, read_json
from integrator.api.limits import Limits
from integrator.errors import ConfigurationError, MalformedRequest
from integrator.strict_json import NotStrict, loads

JSON = {b"content-type": b"application/json"}


def received(*chunks: bytes, gone: bool = False) -> Any:
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": chunk, "more_body": gone or number < len(chunks) - 1}
        for number, chunk in enumerate(chunks)
    ]
    if gone:
        messages.append({"type": "http.disconnect"})

    async def receive() -> Any:
        if not messages:
            await asyncio.Event().wait()  # a caller who says no more
        return messages.pop(0)

    return receive


async def refusal(
    *chunks: bytes, headers: dict[bytes, bytes] | None = None, limits: Limits | None = None
) -> MalformedRequest:
    with pytest.raises(MalformedRequest) as caught:
        await read_json(JSON if headers is None else headers, received(*chunks), limits or Limits())
    return caught.value


async def test_object_in_pieces_is_read_whole() -> None:
    assert {"a": "é", "b": [1]} == await read_json(JSON, received(b'{"a":"\xc3', b'\xa9","b"', b":[1]}"), Limits())


@pytest.mark.parametrize(
    "kind", [b"application/json", b"Application/JSON; charset=utf-8", b'application/json;charset="UTF-8"']
)
async def test_json_may_be_called_json_in_any_case(kind: bytes) -> None:
    assert {} == await read_json({b"content-type": kind}, received(b"{}"), Limits())


@pytest.mark.parametrize(
    "kind",
    [
        b"",
        b"text/plain",
        b"application/xml",
        b"application/json; charset=utf-16",
        b"application/json, text/plain",
        b"application/jsonp",
    ],
)
async def test_other_content_type_is_415(kind: bytes) -> None:
    error = await refusal(b"{}", headers={b"content-type": kind} if kind else {})

    assert (415, "Content-Type") == (error.status, error.issues[0].name)


@pytest.mark.parametrize("coding", [b"gzip", b"br", b"deflate", b"identity, gzip"])
async def test_compressed_body_is_415(coding: bytes) -> None:
    error = await refusal(b"{}", headers=JSON | {b"content-encoding": coding})

    assert (415, "Content-Encoding") == (error.status, error.issues[0].name)


WOUNDS = {
    "empty": b"",
    "not_json": b"hello",
    "half_an_object": b'{"a": 1',
    "two_objects": b"{}{}",
    "trailing_words": b'{"a":1} x',
    "array_on_top": b"[1]",
    "text_on_top": b'"85660812341"',
    "null_on_top": b"null",
    "duplicate_key": b'{"ssin":"1","ssin":"2"}',
    "duplicate_key_far_below": b'{"a":[{"b":{"c":1,"c":2}}]}',
    "duplicate_key_spelled_otherwise": b'{"a\\u0065":1,"ae":2}',
    "nan": b'{"a":NaN}',
    "infinity": b'{"a":-Infinity}',
    "number_beyond_double": b'{"a":1e400}',
    "lone_surrogate": b'{"a":"\\ud800"}',
    "surrogates_the_wrong_way_round": b'{"a":"\\udc00\\ud800"}',
    "lone_surrogate_in_key": b'{"\\ud800":1}',
    "surrogate_in_bytes": b'{"a":"\xed\xa0\x80"}',
    "latin_1": '{"a":"é"}'.encode("latin-1"),
    "utf_16": '{"a":1}'.encode("utf-16"),
    "utf_16_without_mark": '{"a":1}'.encode("utf-16-le"),
    "utf_32": '{"a":1}'.encode("utf-32"),
    "byte_order_mark": b'\xef\xbb\xbf{"a":1}',
    "overlong_utf_8": b'{"a":"\xc0\xaf"}',
    "comment": b'{"a":1 /* x */}',
    "single_quotes": b"{'a':1}",
    "trailing_comma": b'{"a":1,}',
    "leading_zero": b'{"a":01}',
    "control_character": b'{"a":"\x01"}',
    "nested_17_deep": b'{"a":' * 17 + b"1" + b"}" * 17,
    "arrays_17_deep": b'{"a":' + b"[" * 17 + b"]" * 17 + b"}",
    "nested_20_000_deep": b'{"a":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    "unclosed_20_000_deep": b"[" * 20_000,
}


@pytest.mark.parametrize("wound", list(WOUNDS))
async def test_wounded_json_is_400(wound: str) -> None:
    error = await refusal(WOUNDS[wound])

    assert (400, "body", "/") == (error.status, error.issues[0].where, error.issues[0].name)


@pytest.mark.parametrize("wound", list(WOUNDS))
async def test_refusal_repeats_nothing_of_the_body(wound: str) -> None:
    error = await refusal(WOUNDS[wound].replace(b"1", b"85660812341"))

    assert "85660812341" not in f"{error} {error.hint} {error.issues} {error.__cause__}"


def test_sixteen_levels_are_allowed() -> None:
    assert loads(b'{"a":' * 16 + b"1" + b"}" * 16)


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":"x:y"}',
        b'{"a:":"::::"}',
        b'{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}',
        b'{"a":"\\u003a"}',
        b'{"a":"\\"a\\":1"}',
    ],
)
def test_colons_in_texts_and_the_same_key_elsewhere_are_no_duplicates(text: bytes) -> None:
    assert loads(text)


def test_duplicate_is_found_even_when_a_text_without_colon_could_hide_it() -> None:
    with pytest.raises(NotStrict):
        loads(b'{"a":1,"b":{"x":2},"a":3}')


async def test_body_over_the_limit_by_its_own_length_is_413() -> None:
    error = await refusal(b"", headers=JSON | {b"content-length": b"65537"})

    assert (413, 65_536) == (error.status, dict(error.issues[0].extra)["maximum"])


async def test_body_over_the_limit_while_streaming_is_413() -> None:
    assert 413 == (await refusal(*[b" " * 10_000] * 8)).status


async def test_body_over_the_limit_in_one_piece_is_413() -> None:
    assert 413 == (await refusal(b" " * 65_537)).status


async def test_body_of_exactly_the_limit_is_read() -> None:
    assert {} == await read_json(JSON, received(b"{}" + b" " * 65_534), Limits())


async def test_body_that_stops_coming_is_408() -> None:
    async def receive() -> Any:
        return messages.pop(0) if messages else await asyncio.Event().wait()

    messages = [{"type": "http.request", "body": b"{", "more_body": True}]
    with pytest.raises(MalformedRequest) as caught:
        await read_json(JSON, receive, Limits(body_seconds=0.05))

    assert 408 == caught.value.status


async def test_caller_who_hangs_up_is_gone_not_wrong() -> None:
    with pytest.raises(ClientGone):
        await read_json(JSON, received(b'{"a":1}', gone=True), Limits())


@pytest.mark.parametrize(
    "limits", [{"nobody": 1}, {"inFlight": 0}, {"bodySeconds": -1}, {"inFlight": True}, {"inFlight": "many"}]
)
def test_limit_that_permits_nothing_or_is_unknown_is_refused_at_start(limits: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        Limits.read(limits)
