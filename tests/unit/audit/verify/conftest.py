"""One time stamping authority for all verification tests, and a ledger that nothing is wrong with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mock_sources.tsa import Authority
from tests.unit.audit.verify.worlds import World


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def make_world(tmp_path: Path, authority: Authority) -> Iterator[Callable[..., World]]:
    made: list[World] = []

    def make(name: str = "world", **more: Any) -> World:
        made.append(World(tmp_path / name, authority, **more))
        return made[-1]

    yield make
    for world in made:
        world.close()
