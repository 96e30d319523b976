from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.agents.town import Town
from tests.unit.audit.kit import ENGINES, engine_url


@pytest.fixture(params=ENGINES)
def town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    """On both engines: for what the database decides."""
    with engine_url(request.param, tmp_path) as url:
        made = Town(tmp_path, url)
        yield made
        made.close()


@pytest.fixture
def village(tmp_path: Path) -> Iterator[Town]:
    """On SQLite only: for what no database decides."""
    made = Town(tmp_path, f"sqlite:///{tmp_path / 'agents.db'}")
    yield made
    made.close()
