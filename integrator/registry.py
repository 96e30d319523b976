"""Finds the rooms: every folder of connectors/ with a manifest is a source. All are built at start, or none."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from integrator.contract import Connector, Tools
from integrator.errors import ConfigurationError
from integrator.model import LocalizedString
from integrator.places import read_yaml


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of the hub one source may take."""

    timeout: float = 6.0  # seconds for one question, retries included
    connect: float = 1.0  # seconds
    concurrency: int = 50  # calls in flight per process
    answer_bytes: int = 1_000_000
    attempts: int = 2  # including the first; 1 = never retry
    breaker_failures: float = 0.5  # share of …
    breaker_of: int = 20  # … at least so many calls
    open_seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class Manifest:
    """connector.yaml, read: who the source is and what it can be asked."""

    id: str
    title: LocalizedString
    role: str  # source | legacy
    protocol: str  # soap | rest | file
    owner: str
    operations: Mapping[str, Mapping[str, Any]]
    limits: Limits
    room: Path


def manifests(folder: Path) -> dict[str, Manifest]:
    """Every room's manifest, by id. Raises `ConfigurationError` when an id is not the folder's name."""
    found = {}
    for path in sorted(folder.glob("*/connector.yaml")):
        data = read_yaml(path)
        if data.get("connector") != path.parent.name:
            raise ConfigurationError(f"{path.parent.name}/connector.yaml: `connector:` must be the folder's name")
        try:
            found[path.parent.name] = Manifest(
                data["connector"], LocalizedString.read(data["title"]), data["role"], data["protocol"], data["owner"],
                data["operations"], _limits(data.get("limits") or {}), path.parent,
            )  # fmt: skip
        except KeyError as error:
            raise ConfigurationError(f"{path.parent.name}/connector.yaml: {error} is missing") from error
    return found


async def build(manifest: Manifest, tools: Tools) -> Connector:
    """One connector, from its room's `build(tools)`."""
    module = load_room(manifest.room)
    make: Callable[[Tools], Any] | None = getattr(module, "build", None)
    if make is None:
        raise ConfigurationError(f"connectors/{manifest.id} has no build(tools)")
    built = make(tools)
    connector: Connector = await built if inspect.isawaitable(built) else built
    return connector


def load_room(room: Path) -> ModuleType:
    """Import `connectors.<id>` from exactly this folder, wherever the hub was started from."""
    name = f"connectors.{room.name}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, room / "__init__.py", submodule_search_locations=[str(room)])
    if spec is None or spec.loader is None:
        raise ConfigurationError(f"connectors/{room.name} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _limits(data: Mapping[str, Any]) -> Limits:
    breaker = data.get("breaker") or {}
    default = Limits()
    return Limits(
        float(data.get("timeout", default.timeout)), float(data.get("connect", default.connect)),
        int(data.get("concurrency", default.concurrency)), int(data.get("answerBytes", default.answer_bytes)),
        int(data.get("attempts", default.attempts)), float(breaker.get("failures", default.breaker_failures)),
        int(breaker.get("of", default.breaker_of)), float(breaker.get("openSeconds", default.open_seconds)),
    )  # fmt: skip
