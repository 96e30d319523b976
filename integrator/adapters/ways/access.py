"""Where a package stands and how we get in: one YAML file for each adapter, of this machine alone, never in adapter.yaml.

    database: postgresql://reader@db.example/population?password=…           # view
    host, port, user, hostKey, and password or key                            # sftp
    url, and headers: {Authorization: Bearer …}                               # rest

It holds secrets, so nobody but its owner may read it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from integrator.errors import ConfigurationError
from integrator.places import parse_yaml


def read_access(path: Path, *, needs: tuple[str, ...], may: tuple[str, ...] = ()) -> Mapping[str, Any]:
    """What stands in it. Raises `ConfigurationError` naming the file: not there, open to others, a word missing or too many."""
    said = parse_yaml(path.name, secret(path))
    if not isinstance(said, dict):
        raise ConfigurationError(f"{path}: an access file is a mapping")
    missing, unknown = sorted(set(needs) - set(said)), sorted(map(str, set(said) - {*needs, *may}))
    if missing or unknown:
        raise ConfigurationError(
            f"{path}: " + (f"{missing[0]} is missing" if missing else f"{unknown[0]} is no word of it")
        )
    return said


def secret(path: Path) -> bytes:
    """A file that holds a secret. Raises `ConfigurationError` when it is not there, or open to others than its owner."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise ConfigurationError(
            f"no access file {path}", advice="docs/adapters.md says what stands in it; mode 0600."
        ) from error
    with os.fdopen(descriptor, "rb") as stream:
        if stat.S_IMODE(os.fstat(descriptor).st_mode) & 0o077:
            raise ConfigurationError(f"{path} can be read by others", advice="It holds secrets: chmod 600.")
        return stream.read(65_536)
