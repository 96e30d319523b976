"""What the docstrings of the tree show really happens."""

from __future__ import annotations

import doctest
import pkgutil
from importlib import import_module
from pathlib import Path

import pytest

import audit.tree


@pytest.mark.parametrize("module", [module.name for module in pkgutil.iter_modules(audit.tree.__path__)])
def test_the_examples_in_docstrings_run(module: str) -> None:
    assert 0 == doctest.testmod(import_module(f"audit.tree.{module}")).failed


def test_the_example_of_the_readme_runs() -> None:
    results = doctest.testfile(
        str(Path(audit.tree.__path__[0]) / "README.md"), module_relative=False, optionflags=doctest.ELLIPSIS
    )

    assert (0, True) == (results.failed, results.attempted > 10)
