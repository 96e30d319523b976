"""One world for all tests here: it holds nothing, so nobody can spoil it. Today is a fixed day."""

from __future__ import annotations

from datetime import date

import pytest

from mock_sources.world import World

TODAY = date(2026, 11, 23)


@pytest.fixture(scope="session")
def world() -> World:
    return World.build(seed=7, today=lambda: TODAY)
