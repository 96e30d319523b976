"""Every source's folder is furnished alike, and the examples in docstrings are true."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from mock_sources import sources
from mock_sources.app import ROOMS
from mock_sources.faults import KINDS

HOME = Path(sources.__file__).parent
FURNISHED = [*ROOMS.values(), "parking"]
MINE = ["kbo", "div", "best", "parking"]


def card(room: str) -> dict[str, Any]:
    return yaml.safe_load((HOME / room / "mock.yaml").read_text("utf-8"))


def test_every_folder_with_a_mock_is_served() -> None:
    assert sorted(FURNISHED) == sorted(path.parent.name for path in HOME.glob("*/mock.yaml"))


@pytest.mark.parametrize("room", FURNISHED)
def test_a_room_says_whose_it_is_what_it_answers_and_what_it_refuses(room: str) -> None:
    said = card(room)

    assert room == said["source"]
    assert {"nl", "fr", "en"} <= set(said["title"])
    assert {"role", "projection_of", "endpoints", "refusals"} <= set(said)
    assert said["role"] in ("source", "legacy")


@pytest.mark.parametrize("room", FURNISHED)
def test_a_room_can_be_built(room: str) -> None:
    assert callable(importlib.import_module(f"mock_sources.sources.{room}").build)


@pytest.mark.parametrize("room", MINE)
def test_a_room_tells_only_faults_that_exist(room: str) -> None:
    told = {kind.strip() for words in card(room)["faults"] for kind in words.split(",")}

    assert set() == told - KINDS[room]


@pytest.mark.parametrize(
    "module",
    [
        *("asgi", "faults", "memo", "sources.best.geo", "sources.best.ids", "sources.best.spelling"),
        *("sources.div.labels", "sources.div.question", "sources.kbo.words", "sources.parking.layout"),
    ],
)
def test_the_examples_in_docstrings_run(module: str) -> None:
    result = doctest.testmod(importlib.import_module(f"mock_sources.{module}"))

    assert result.failed == 0
    assert result.attempted > 0
