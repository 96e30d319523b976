"""Where the data rooms are: beside the hub, opened as folders, never imported (an import could be shadowed)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

from integrator.errors import ConfigurationError

YamlLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # both build plain values only


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


def source_names() -> list[str]:
    """Every connector's id: the folders of connectors/ with a manifest."""
    return [path.parent.name for path in sorted(folder("connectors").glob("*/connector.yaml"))]


def read_yaml(path: Path) -> Any:
    """One YAML file. Raises `ConfigurationError` naming the file and the line."""
    return parse_yaml(path.name, path.read_bytes())


def parse_yaml(name: str, text: bytes) -> Any:
    """The same from bytes, for texts whose digest matters."""
    try:
        return yaml.load(text, Loader=YamlLoader)  # noqa: S506 (a safe loader, in C)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{name}:{mark.line + 1}" if mark else name
        raise ConfigurationError(f"{where}: not YAML: {getattr(error, 'problem', None) or 'see the file'}") from error
