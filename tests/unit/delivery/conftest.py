"""One house per test, over both engines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.audit.kit import ENGINES
from tests.unit.delivery.kit import House, house


@pytest.fixture(params=ENGINES)
def hub(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    with house(request.param, tmp_path) as built:
        yield built


@pytest.fixture
def small(tmp_path: Path) -> Iterator[House]:
    """One engine only, for what does not depend on the engine."""
    with house("sqlite", tmp_path) as built:
        yield built
