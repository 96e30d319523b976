"""What these rooms' documentation shows really happens."""

from __future__ import annotations

import doctest
import pkgutil
from importlib import import_module
from pathlib import Path

import pytest

import audit.timestamps
import audit.witness

MODULES = [
    f"{room.__name__}.{found.name}"
    for room in (audit.witness, audit.timestamps)
    for found in pkgutil.iter_modules(room.__path__)
]


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_in_docstrings_run(module: str) -> None:
    assert 0 == doctest.testmod(import_module(module)).failed


def test_the_example_of_the_readme_runs() -> None:
    results = doctest.testfile(str(Path(audit.witness.__file__).with_name("README.md")), module_relative=False)

    assert (0, True) == (results.failed, results.attempted > 10)
