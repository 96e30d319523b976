"""What the documentation of the reports shows really happens."""

from __future__ import annotations

import doctest
import pkgutil
from importlib import import_module
from pathlib import Path

import pytest

import audit.reports


def test_the_example_of_the_readme_runs() -> None:
    readme = Path(audit.reports.__file__).with_name("README.md")
    results = doctest.testfile(str(readme), module_relative=False)

    assert (0, True) == (results.failed, results.attempted > 5)


@pytest.mark.parametrize("module", [module.name for module in pkgutil.iter_modules(audit.reports.__path__)])
def test_the_examples_in_docstrings_run(module: str) -> None:
    assert 0 == doctest.testmod(import_module(f"audit.reports.{module}")).failed
