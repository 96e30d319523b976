"""The examples in the docstrings of the world are true."""

from __future__ import annotations

import doctest
from importlib import import_module
from pkgutil import iter_modules

import pytest

import mock_sources.world

MODULES = [module.name for module in iter_modules(mock_sources.world.__path__) if not module.ispkg]


@pytest.mark.parametrize("name", MODULES)
def test_examples_hold(name: str) -> None:
    assert 0 == doctest.testmod(import_module(f"mock_sources.world.{name}")).failed
