"""The file under the connector: replaced, broken, mended, read once for many, and never believed longer than allowed."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.parking_cards import build, client
from connectors.parking_cards.client import ParkingCards
from connectors.parking_cards.layout import Layout
from integrator.contract import Question, Tools
from integrator.errors import ConfigurationError, SourceFault, SourceUnavailable
from tests.contract import cases as played
from tests.unit.connectors.parking_cards import files

ROOM = played.ROOT / "connectors" / "parking_cards"
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp()


class Package:
    """The file as the package keeps it, and a clock."""

    def __init__(self, folder: Path) -> None:
        self.path, self.now = folder / "cards.txt", NOON

    def write(self, *cards: dict[str, str], wound: str | None = None) -> None:
        data = files.wounded(files.whole(cards), wound)
        assert data is not None
        draft = self.path.with_name(".draft")
        draft.write_bytes(data)
        draft.replace(self.path)


@pytest.fixture
def package(tmp_path: Path) -> Package:
    return Package(tmp_path)


@pytest.fixture
def connector(package: Package) -> Callable[..., ParkingCards]:
    def make(**settings: Any) -> ParkingCards:
        return build(
            Tools("parking_cards", ROOM, {"file": str(package.path), **settings}, None, lambda: package.now, True)
        )

    return make


async def count(cards: ParkingCards, plate: str = "1TST101", seconds: float = 5.0) -> int:
    keys = {"plateNumber": plate}
    question = Question("count", keys, frozenset(), False, "t", "", "", time.monotonic() + seconds)
    reply = await cards.ask(question)
    return reply.document["count"]  # type: ignore[index, no-any-return]


async def test_replaced_file_is_read_again(package, connector):
    cards = connector()
    package.write({})
    await count(cards)
    package.write({}, {"street_code": "0043"})

    assert 2 == await count(cards)


async def test_file_changed_in_place_is_read_again(package, connector):
    cards = connector()
    package.write({})
    await count(cards)
    data = package.path.read_bytes().replace(b"20271231A", b"20271231X")
    package.path.write_bytes(data)
    os.utime(package.path, (NOON, NOON + 1))

    assert 0 == await count(cards)


async def test_unchanged_file_is_not_read_again(package, connector, monkeypatch):
    cards = connector()
    package.write({})
    await count(cards)
    monkeypatch.setattr(client, "read", None)

    assert 1 == await count(cards)


async def test_many_questions_at_once_read_the_file_once(package, connector, monkeypatch):
    readings = []
    read = client.read
    monkeypatch.setattr(client, "read", lambda *what: readings.append(1) or read(*what))
    cards = connector()
    package.write({})
    await asyncio.gather(*[count(cards) for _ in range(30)])

    assert [1] == readings


async def test_broken_file_is_not_read_again_for_every_question(package, connector, monkeypatch):
    readings = []
    read = client.read
    monkeypatch.setattr(client, "read", lambda *what: readings.append(1) or read(*what))
    cards = connector()
    package.write({}, wound="missing_trailer")
    for _ in range(5):
        with pytest.raises(SourceUnavailable):
            await count(cards)

    assert [1] == readings


async def test_nothing_of_the_last_good_file_is_kept_by_default(package, connector):
    cards = connector()
    package.write({})
    await count(cards)
    package.write({}, wound="half_record")

    with pytest.raises(SourceUnavailable):
        await count(cards)


async def test_last_good_file_stays_in_use_while_it_is_young(package, connector):
    cards = connector(keepSeconds=3600)
    package.write({})
    await count(cards)
    package.write({}, {"street_code": "0043"}, wound="half_record")
    package.now += 3599

    assert 1 == await count(cards)


async def test_last_good_file_is_young_since_it_was_last_seen_whole(package, connector):
    cards = connector(keepSeconds=3600)
    package.write({})
    await count(cards)
    package.now += 100_000
    await count(cards)
    package.path.unlink()

    assert 1 == await count(cards)


async def test_last_good_file_goes_out_of_use_when_it_is_old(package, connector):
    cards = connector(keepSeconds=3600)
    package.write({})
    await count(cards)
    package.path.unlink()
    package.now += 3601

    with pytest.raises(SourceUnavailable):
        await count(cards)


async def test_file_that_went_out_of_use_does_not_come_back(package, connector):
    cards = connector(keepSeconds=3600)
    package.write({})
    await count(cards)
    package.path.unlink()
    package.now += 3601
    with pytest.raises(SourceUnavailable):
        await count(cards)
    package.now -= 3600

    with pytest.raises(SourceUnavailable):
        await count(cards)


async def test_mended_file_is_used_at_once(package, connector):
    cards = connector()
    package.write({}, wound="half_record")
    with pytest.raises(SourceUnavailable):
        await count(cards)
    package.write({})

    assert 1 == await count(cards)


async def test_file_replaced_while_it_is_read_is_read_again(package, connector, monkeypatch):
    cards = connector()
    package.write({})
    read_bytes, opened = os.open, []

    def slow_open(*what: Any) -> int:
        if not opened:
            opened.append(1)
            package.write({}, {"street_code": "0043"})
        return read_bytes(*what)

    monkeypatch.setattr(client.os, "open", slow_open)

    assert 2 == await count(cards)


async def test_link_to_another_file_is_not_followed(package, connector, tmp_path):
    elsewhere = tmp_path / "elsewhere.txt"
    elsewhere.write_bytes(files.whole([{}]))
    package.path.symlink_to(elsewhere)

    with pytest.raises(SourceUnavailable):
        await count(connector())


@pytest.mark.parametrize("kind", ["folder", "pipe"])
async def test_what_is_no_file_is_not_read(package, connector, kind):
    package.path.mkdir() if kind == "folder" else os.mkfifo(package.path)

    with pytest.raises((SourceFault, SourceUnavailable)):
        await count(connector())


async def test_caller_who_gives_up_does_not_stop_the_reading_for_others(package, connector):
    cards = connector()
    package.write({})
    hasty, patient = asyncio.create_task(count(cards)), asyncio.create_task(count(cards))
    await asyncio.sleep(0)
    hasty.cancel()

    assert 1 == await patient


async def test_question_without_time_left_waits_for_nothing(package, connector, monkeypatch):
    read = client.read
    monkeypatch.setattr(client, "read", lambda *what: time.sleep(0.05) or read(*what))
    cards = connector()
    package.write({})

    with pytest.raises(SourceUnavailable):
        await count(cards, seconds=0.0)
    await asyncio.sleep(0.1)


async def test_bad_rows_are_counted_for_the_operator(package, connector):
    cards = connector()
    package.write({}, *[{"plate": "1TST102", "end": "20271301"}] * 2, {"plate": "1TST103", "nis": "2100X"})
    await count(cards)

    assert {"VALUE": 2, "KEY": 1} == cards.rejected


async def test_check_refuses_a_file_with_bad_rows(package, connector):
    package.write({}, {"end": "20271301"})

    with pytest.raises(SourceFault):
        await connector().check()


async def test_check_is_content_with_a_whole_file(package, connector):
    package.write({})

    assert None is await connector().check()


def test_setting_without_file_is_said_at_start():
    with pytest.raises(ConfigurationError, match="file"):
        build(Tools("parking_cards", ROOM, {}, None, lambda: NOON, True))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("position: 10, length: 5", "position: 9, length: 5"), ("length: 1, form: '[ASX]'", "length: 900, form: '[ASX]'"),
     ("'[ASX]'", "'[ASX'"), ("encoding: cp1252", "encoding: nonsense"), ("counts: [A]", "")],
)  # fmt: skip
def test_layout_that_does_not_hang_together_is_refused_at_start(tmp_path, right, wrong):
    written = (ROOM / "layout.yaml").read_text()
    (tmp_path / "layout.yaml").write_text(written.replace(right, wrong))

    with pytest.raises(ConfigurationError):
        Layout.load(tmp_path / "layout.yaml")
