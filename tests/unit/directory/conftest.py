from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from integrator.directory import Directory
from tests.unit.audit.kit import ENGINES, engine_url
from tests.unit.directory.kit import Clock, a_directory


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with engine_url(request.param, tmp_path) as place:
        yield place


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def directory(url: str, tmp_path: Path, clock: Clock) -> Iterator[Directory]:
    with a_directory(url, tmp_path, clock) as opened:
        yield opened
