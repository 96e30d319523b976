"""What is delivered reaches the package as a file, once, wherever it stops; the hub is told only what the package has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integrator.adapters.book import Book
from integrator.adapters.drops import Drop
from integrator.adapters.posts import Outgoing
from integrator.adapters.serving import Serving, delivery
from integrator.adapters.shelves import Folder
from integrator.database import Database
from integrator.errors import ConfigurationError
from tests.unit.adapters import kit
from tests.unit.audit.kit import ENGINES, engine_url

DATA: dict[str, Any] = {
    "adapter": "population",
    "format": {"kind": "delimited", "encoding": "cp1252", "lineEnd": "crlf", "separator": ";"},
    "fields": {
        "note": {"column": "Note", "required": True}, "resident": {"column": "NISS", "type": "ssin", "required": True},
        "seen": {"column": "Constat", "max": 20},
    },
    "ending": {"starts": "FIN", "count": {"column": 2}},
    "deliver": {
        "service": "person.reportDifference", "organisation": "ixelles", "application": "a-package", "purpose": "file_update",
        "suffix": ".csv", "rows": {"note": "id", "resident": "ssin", "seen": "content.observed"},
    },
}  # fmt: skip


def event(number: int, seen: str = "a door") -> dict[str, Any]:
    return {"id": f"m{number}", "data": {"ssin": kit.PEOPLE[number % 3], "content": {"observed": seen}}}


class Feed:
    """As the hub's: what is not acknowledged comes again; may lose power before or after it answered."""

    def __init__(self, *pages: list[dict[str, Any]]) -> None:
        self.pages = list(pages)
        self.given = ""
        self.acknowledged: list[str] = []

    async def __call__(self, cursor: str | None) -> Any:
        if cursor is not None and cursor == self.given:
            self.acknowledged += [one["id"] for one in self.pages.pop(0)]
            self.given = ""
        if not self.pages:
            return [], None
        self.given = f"cursor-{len(self.pages)}"
        return self.pages[0], self.given


@pytest.fixture(params=ENGINES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with engine_url(request.param, tmp_path) as url:
        opened = Database(url, "adapters")
        yield opened
        opened.close()


def serving(database: Database, folder: Path, feed: Feed, **more: Any) -> Serving:
    layout = kit.layout({**DATA, "deliver": {**DATA["deliver"], **more}})
    made = delivery(layout)
    assert made is not None
    return Serving(layout, made, Folder(folder / "out"), database, feed, lambda use, text: text[::-1], lambda: 1.0)


def written(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "out").iterdir())


async def test_a_page_is_a_file_with_its_ending_and_the_next_turn_acknowledges_it(
    database: Database, tmp_path: Path
) -> None:
    feed = Feed([event(1), event(2)])
    post = serving(database, tmp_path, feed)

    first, told, then = await post.turn(), list(feed.acknowledged), await post.turn()

    assert (2, [], 0, ["m1", "m2"]) == (first, told, then, feed.acknowledged)
    assert ["population-000001.csv"] == written(tmp_path)
    assert [b"Note;NISS;Constat", b"FIN;2"] == (tmp_path / "out/population-000001.csv").read_bytes().splitlines()[::3]


async def test_a_package_that_writes_receipts_is_waited_for(database: Database, tmp_path: Path) -> None:
    feed = Feed([event(1)], [event(2)])
    post = serving(database, tmp_path, feed, receipt=".ack")

    await post.turn()
    waiting = (await post.turn(), list(feed.acknowledged))
    (tmp_path / "out/population-000001.csv.ack").touch()
    await post.turn()

    assert ((0, []), ["m1"]) == (waiting, feed.acknowledged)
    assert "population-000002.csv" in written(tmp_path)


@pytest.mark.parametrize("step", ["aside", "rename", "placed", "told"])
async def test_a_kill_at_any_step_loses_no_file_and_repeats_none(
    database: Database, tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = Feed([event(1)], [event(2)])

    class PowerCut(Exception):
        pass

    def cut(*_: Any) -> Any:
        raise PowerCut

    with monkeypatch.context() as patch:
        if step == "aside":
            patch.setattr(Database, "run", _only_reads(Database.run, cut))
        elif step == "rename":
            patch.setattr(Folder, "_place", cut)
        else:
            patch.setattr(Serving, "_turned", cut)
        post = serving(database, tmp_path, feed)
        for _ in range(2 if step == "told" else 1):
            with pytest.raises(PowerCut):
                await post.turn()
    again = serving(database, tmp_path, feed)
    while await again.turn():
        pass

    assert ["m1", "m2"] == feed.acknowledged
    assert ["population-000001.csv", "population-000002.csv"] == written(tmp_path)
    notes = [
        line.split(b";")[0]
        for path in sorted((tmp_path / "out").iterdir())
        for line in path.read_bytes().splitlines()[1:2]
    ]
    assert [b"m1", b"m2"] == notes


def _only_reads(run: Any, cut: Any) -> Any:
    async def some(self: Any, work: Any) -> Any:
        return cut() if work.__name__ == "kept" else await run(self, work)

    return some


async def test_what_the_file_cannot_hold_waits_and_the_others_go_on(database: Database, tmp_path: Path) -> None:
    feed = Feed([event(1, "far longer than twenty signs"), event(2), event(3, "日本")])
    post = serving(database, tmp_path, feed)

    assert 1 == await post.turn()
    waiting = database.now(lambda c: Book(c).waiting("population"))
    assert [("NOT_FOR_PACKAGE",)] * 2 == [tuple(reason for _, reason in one.reasons) for one in waiting]
    assert not any(kit.PEOPLE[1] in one.piece for one in waiting)


@pytest.mark.parametrize("receipt", ["", ".ack"])
async def test_a_page_of_which_nothing_fits_leaves_no_empty_file(
    database: Database, tmp_path: Path, receipt: str
) -> None:
    feed = Feed([event(1, "far longer than twenty signs")], [event(2)])
    post = serving(database, tmp_path, feed, receipt=receipt)

    counts = [await post.turn(), await post.turn()]

    assert [0, 1] == counts
    assert "population-000001.csv" not in written(tmp_path)


async def test_what_the_package_could_not_hold_is_given_up_when_it_waited_too_long(
    database: Database, tmp_path: Path
) -> None:
    feed = Feed([event(1, "x" * 30)])
    made, told = serving(database, tmp_path, feed), []
    await made.turn()
    made.now = lambda: 91 * 86_400.0
    await Outgoing("population", Drop(tmp_path), made, lambda word, **more: told.append((word, more["count"]))).turn()

    assert {"dropped": 1} == database.now(lambda c: Book(c).counts("population"))
    assert ("adapter_rows_given_up", 1) in told


def test_a_field_that_the_layout_does_not_have_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no field door"):
        delivery(kit.layout({**DATA, "deliver": {**DATA["deliver"], "rows": {"door": "id"}}}))


async def test_an_event_with_a_list_becomes_a_row_for_each_of_it_or_waits_whole(
    database: Database, tmp_path: Path
) -> None:
    whole = {"id": "m1", "data": {"ssin": kit.PEOPLE[0], "content": {"seen": [{"what": "a door"}, {"what": "a bell"}]}}}
    half = {"id": "m2", "data": {"ssin": kit.PEOPLE[1], "content": {"seen": [{"what": "a"}, {"what": "x" * 21}]}}}
    post = serving(
        database, tmp_path, Feed([whole, half]), each="content.seen",
        rows={"note": "id", "resident": "ssin", "seen": "item.what"},
    )  # fmt: skip

    assert 2 == await post.turn()
    lines = (tmp_path / "out/population-000001.csv").read_text().splitlines()
    assert ["a door", "a bell"] == [line.rpartition(";")[2] for line in lines[1:-1]]
    assert [(("seen", "NOT_FOR_PACKAGE"),)] == [
        one.reasons for one in database.now(lambda c: Book(c).waiting("population"))
    ]


def test_nothing_is_delivered_into_a_view() -> None:
    view = {"name": "v", "position": ["id"], "overlap": 0}
    data = {name: value for name, value in DATA.items() if name != "ending"}
    with pytest.raises(ConfigurationError, match="not into a view"):
        delivery(kit.layout({**data, "format": {"kind": "records"}, "view": view}))
