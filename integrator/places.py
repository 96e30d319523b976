"""Where the data rooms are: beside the hub, opened as folders, never imported (an import could be shadowed)."""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """The folder that holds policies/, mappings/, connectors/ and config/ (override: INTEGRATOR_HOME)."""
    return Path(os.environ.get("INTEGRATOR_HOME") or Path(__file__).resolve().parent.parent)


def folder(name: str) -> Path:
    """An existing data room.

    >>> folder("config").name
    'config'
    """
    path = home() / name
    if not path.is_dir():
        raise FileNotFoundError(f"no folder {name!r} beside the hub; set INTEGRATOR_HOME")
    return path
