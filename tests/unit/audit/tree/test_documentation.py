"""What the docstrings of the tree show really happens."""

from __future__ import annotations

import doctest
import pkgutil
from importlib import import_module

import pytest

import audit.tree


@pytest.mark.parametrize("module", [module.name for module in pkgutil.iter_modules(audit.tree.__path__)])
def test_the_examples_in_docstrings_run(module: str) -> None:
    assert 0 == doctest.testmod(import_module(f"audit.tree.{module}")).failed
