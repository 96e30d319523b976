"""A package answers in JSON: every item once, whatever its paging does, and nothing it says makes us go elsewhere or wait for ever."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from integrator.adapters.book import Book
from integrator.adapters.drops import Drop
from integrator.adapters.intake import Intake, Taken
from integrator.adapters.posts import Post
from integrator.adapters.ways.journal import Journal
from integrator.adapters.ways.opening import open_way
from integrator.adapters.ways.paging import next_link
from integrator.database import Database
from tests.unit.adapters import kit

REST: dict[str, Any] = {"path": "/questions", "items": "questions", "everySeconds": 0, "seconds": 1, "bytes": 20_000}
DATA: dict[str, Any] = {
    "adapter": "desk",
    "format": {"kind": "records"},
    "fields": {
        "id": {"column": "id", "required": True},
        "resident": {"path": "person.ssin", "type": "ssin", "required": True},
        "fee": {"column": "fee", "type": "decimal", "separator": "."},
        "text": {"column": "text", "max": 40},
    },
    "key": ["id"],
}
Answer = Callable[[web.Request], Any]


def item(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"Q{number}",
        "person": {"ssin": kit.PEOPLE[number % 3]},
        "text": f"question {number}",
        "fee": 12.5,
        **more,
    }


class Desk:
    """A server that answers as it is told, and the adapter that reads it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.time = folder, 1_000_000.0
        self.asked: list[str] = []
        self.headers: list[Any] = []
        self.effects: list[str] = []
        self.values: list[dict[str, Any]] = []
        self.told: list[str] = []
        self.answer: Answer = lambda request: web.json_response({"questions": []})
        self.database = Database(f"sqlite:///{folder}/adapters.db", "adapters")

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self._answer)
        self.runner = web.AppRunner(app)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        self.port = self.runner.addresses[0][1]
        self.open()

    def open(self, **rest: Any) -> None:
        file = self.folder / "access.yaml"
        file.write_text(
            json.dumps({"url": f"http://127.0.0.1:{self.port}/api", "headers": {"Authorization": "Bearer x"}})
        )
        file.chmod(0o600)
        layout = kit.layout({**DATA, "rest": {**REST, **rest}})
        plain = lambda use, text: text
        drop = Drop(self.folder / "drop")
        intake = Intake(layout, self.database, self._effect, seal=plain, unseal=plain, now=time.time)
        self.way = open_way(layout, file, self.database, drop, lambda: self.time, self._tell)
        self.post = Post("desk", drop, intake, self.database, time.time, self._tell, self.way)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.raw_path)
        self.headers.append(request.headers)
        answer: web.StreamResponse = self.answer(request)
        return answer

    async def _effect(self, rows: Sequence[Taken]) -> None:
        self.effects += [one.values["id"] for one in rows]
        self.values += [one.values for one in rows]

    def _tell(self, event: str, **words: Any) -> None:
        if event == "adapter_way":
            self.told.append(words["reason"])

    async def turn(self, wait: float = 1_000.0) -> list[str]:
        self.time += wait
        before = len(self.effects)
        await self.post.turn()
        return self.effects[before:]

    def waiting(self) -> list[tuple[str | None, str]]:
        return [one.reasons[0] for one in self.database.now(lambda c: Book(c).waiting("desk"))]

    def position(self) -> Any:
        return self.database.now(lambda c: Journal(c, "desk").state().position)

    async def stop(self) -> None:
        await self.way.close()
        await self.runner.cleanup()
        self.database.close()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    opened = Desk(tmp_path)
    await opened.start()
    yield opened
    await opened.stop()


def questions(*numbers: int, **more: Any) -> Answer:
    return lambda request: web.json_response({"questions": [item(number) for number in numbers], **more})


async def test_what_is_listed_has_its_effect_once_with_nested_fields_and_exact_amounts(desk: Desk) -> None:
    desk.answer = questions(1, 2)

    assert (["Q1", "Q2"], []) == (await desk.turn(), await desk.turn())
    assert (kit.PEOPLE[1], "12.50") == (desk.values[0]["resident"], format(desk.values[0]["fee"], "f"))
    assert "Bearer x" == desk.headers[0]["Authorization"]


async def test_an_item_that_changed_is_another_effect(desk: Desk) -> None:
    desk.answer = questions(1, 2)
    await desk.turn()

    desk.answer = lambda request: web.json_response({"questions": [item(1), item(2, text="changed")]})

    assert ["Q2"] == await desk.turn()


async def test_a_cursor_is_kept_and_asked_again_by_the_next_process(desk: Desk) -> None:
    pages = {None: ([1, 2], "c1"), "c1": ([3], "c2"), "c2": ([], "c2")}

    def answer(request: web.Request) -> web.Response:
        numbers, cursor = pages[request.query.get("after")]
        return web.json_response({"questions": [item(one) for one in numbers], "next": cursor})

    desk.answer = answer
    desk.open(next={"cursor": "next", "as": "after"})
    first = await desk.turn()
    pages["c2"] = ([4], "c3")
    pages["c3"] = ([], "c3")
    await desk.way.close()
    desk.asked.clear()
    desk.open(next={"cursor": "next", "as": "after"})

    assert (["Q1", "Q2", "Q3"], ["Q4"]) == (first, await desk.turn())
    assert "/api/questions?after=c2" == desk.asked[0]


@pytest.mark.parametrize("by", ["link", "field"])
async def test_next_pages_are_followed_at_the_same_address_only(desk: Desk, by: str) -> None:
    def answer(request: web.Request) -> web.Response:
        page = int(request.query.get("page", 1))
        following = f"/api/questions?page={page + 1}&x=1&x=2" if page < 3 else None
        headers = {"Link": f'<{following}>; rel="next"'} if following and by == "link" else {}
        return web.json_response({"questions": [item(page)], "paging": {"next": following}}, headers=headers)

    desk.answer = answer
    desk.open(next="link" if by == "link" else {"field": "paging.next"})

    assert ["Q1", "Q2", "Q3"] == await desk.turn()
    assert "/api/questions?page=3&x=1&x=2" in desk.asked


async def test_the_latest_time_that_came_is_asked_for_a_little_earlier(desk: Desk) -> None:
    at = "2026-11-20T10:00:00+01:00"
    desk.time = 1_795_200_000.0  # 20 November 2026
    far = item(2, changedAt="2999-01-01T00:00:00+01:00")
    desk.answer = lambda request: web.json_response({"questions": [item(1, changedAt=at), far]})
    desk.open(since={"field": "changedAt", "as": "changedSince", "overlap": 600})

    await desk.turn()
    await desk.turn()

    assert "/api/questions?changedSince=2026-11-20T09:50:00+01:00" == desk.asked[-1].replace("%3A", ":").replace(
        "%2B", "+"
    )


async def test_what_did_not_change_is_not_read_again(desk: Desk) -> None:
    def answer(request: web.Request) -> web.Response:
        if request.headers.get("If-None-Match") == '"7"':
            return web.Response(status=304)
        return web.json_response({"questions": [item(1)]}, headers={"ETag": '"7"'})

    desk.answer = answer
    await desk.turn()
    await desk.way.close()
    desk.open()

    assert [] == await desk.turn()
    assert '"7"' == desk.headers[-1]["If-None-Match"]
    assert [] == desk.told[1:]


async def test_not_there_yet_is_no_trouble_where_the_adapter_says_so(desk: Desk) -> None:
    desk.answer = lambda request: web.json_response({}, status=404)
    desk.open(notYet=[404])
    early = await desk.turn()
    desk.answer = questions(1)

    assert ([], ["Q1"], []) == (early, await desk.turn(), desk.told)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda r: web.json_response({}, status=404), "NO_SUCH_PAGE"),
        (lambda r: web.json_response({}, status=401), "WAY_DENIED"),
        (lambda r: web.json_response({}, status=500), "WAY_CLOSED"),
        (lambda r: web.Response(status=503), "WAY_CLOSED"),
        (lambda r: web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"}), "WAY_REDIRECTS"),
        (lambda r: web.Response(text="<html>", content_type="text/html"), "NOT_THIS_FORMAT"),
        (lambda r: web.Response(text='{"questions": [', content_type="application/json"), "NOT_WELL_FORMED"),
        (lambda r: web.Response(text='{"a": 1, "a": 2}', content_type="application/json"), "NOT_WELL_FORMED"),
        (lambda r: web.Response(text="[" * 100_000, content_type="application/json"), "TOO_LARGE"),
        (lambda r: web.Response(text="[" * 19_000, content_type="application/json"), "NOT_WELL_FORMED"),
        (lambda r: web.Response(body=b'{"questions": ["\xff"]}', content_type="application/json"), "NOT_WELL_FORMED"),
        (lambda r: web.json_response({"answers": []}), "OTHER_LAYOUT"),
        (lambda r: web.json_response([]), "OTHER_LAYOUT"),
    ],
)
async def test_an_answer_that_cannot_be_used_is_a_finding_and_the_position_stays(
    desk: Desk, answer: Answer, reason: str
) -> None:
    desk.answer = answer

    assert ([], [reason]) == (await desk.turn(), desk.told)
    assert None is desk.position()
    desk.answer = questions(1)
    assert (["Q1"], [reason, "OK"]) == (await desk.turn(), desk.told)


@pytest.mark.parametrize(
    ("following", "reason"),
    [
        ("/api/questions", "POINTS_TO_ITSELF"),
        ("/api/questions?page=1", "POINTS_TO_ITSELF"),
        ("http://other.example/api/questions?page=2", "POINTS_ELSEWHERE"),
        ("//other.example/api/questions", "POINTS_ELSEWHERE"),
        ("/elsewhere", "POINTS_ELSEWHERE"),
        ("/api/../admin", "POINTS_ELSEWHERE"),
        ("file:///etc/passwd", "POINTS_ELSEWHERE"),
        ("http://[", "POINTS_ELSEWHERE"),
    ],
)
async def test_a_next_page_that_leads_nowhere_good_is_told_and_not_followed(
    desk: Desk, following: str, reason: str
) -> None:
    desk.answer = questions(1, paging={"next": following})
    desk.open(next={"field": "paging.next"})

    assert ["Q1"] == await desk.turn()
    await desk.turn()
    assert reason == desk.told[-1]
    assert len(desk.asked) <= 6


async def test_pages_without_end_are_not_followed_for_ever(desk: Desk) -> None:
    def answer(request: web.Request) -> web.Response:
        page = int(request.query.get("page", 0)) + 1
        return web.json_response({"questions": [], "paging": {"next": f"/api/questions?page={page}"}})

    desk.answer = answer
    desk.open(next={"field": "paging.next"})

    assert [] == await desk.turn()
    assert len(desk.asked) <= 1_001


async def test_somebody_who_says_too_often_is_left_alone_as_long_as_they_say(desk: Desk) -> None:
    desk.answer = lambda request: web.Response(status=429, headers={"Retry-After": "120"})
    await desk.turn()
    desk.answer = questions(1)

    early = await desk.turn(100.0)

    assert ([], 1, ["WAY_BUSY"]) == (early, len(desk.asked), desk.told)
    assert ["Q1"] == await desk.turn(30.0)


async def test_a_server_that_fails_is_asked_less_and_less_often(desk: Desk) -> None:
    desk.answer = lambda request: web.json_response({}, status=500)
    for _ in range(60):
        await desk.turn(1.0)

    assert len(desk.asked) < 10


async def test_a_server_that_hangs_is_left_at_the_deadline(desk: Desk) -> None:
    async def hang(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        await response.write(b"{")
        await asyncio.sleep(5)
        return response

    desk._answer = hang  # type: ignore[method-assign, assignment]
    await desk.runner.cleanup()
    await desk.start()
    begun = time.monotonic()

    assert [] == await desk.turn()
    assert "WAY_SLOW" == desk.told[-1]
    assert time.monotonic() - begun < 4


async def test_items_that_are_wrong_wait_and_the_others_go_on(desk: Desk) -> None:
    wrong = [7, {"id": "Q7"}, item(8, text="a\0b"), item(9, text="\ud800"), {**item(3), "fee": True}]
    desk.answer = lambda request: web.json_response({"questions": [item(1), *wrong, item(2)]})

    assert ["Q1", "Q2"] == await desk.turn()
    assert 5 == len(desk.waiting())
    assert [] == await desk.turn()


@pytest.mark.parametrize(
    ("header", "target"),
    [
        ('<https://a/b?page=3>; rel="next"', "https://a/b?page=3"),
        ('<https://a/1>; rel="prev", <https://a/3>; title="x"; rel=next', "https://a/3"),
        ('<https://a/3>; rel="last next"', "https://a/3"),
        ('<https://a/3>; rel="nextish"', None),
        ("", None),
    ],
)
def test_links_are_read(header: str, target: str | None) -> None:
    assert target == next_link(header)
