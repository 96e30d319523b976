"""What the tests of the commands share."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from integrator import places


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data rooms, to be written in."""
    here = places.home()
    for name in ("config", "connectors", "policies", "mappings"):
        shutil.copytree(here / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setenv("INTEGRATOR_HOME", str(tmp_path))
    return tmp_path
