"""The file that leaves a centre, and how it is believed: figures of one indicator and one month, by one meaning.

    <folder>/<number of the centre>/<indicator>.<month>.json

Written whole or not at all. A month that was handed in is not handed in again: two figures for one month would tell the
difference between them, and that may be somebody.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from integrator.errors import ConfigurationError
from integrator.figures.suppression import ALL
from integrator.indicators.definitions import Version

MOST_BYTES = 65_536
_MEMBERS = {"format", "organisation", "indicator", "version", "definition", "period", "figures"}


def name_of(folder: Path, organisation: str, indicator: str, period: str) -> Path:
    return folder / organisation / f"{indicator}.{period}.json"


def render(organisation: str, version: Version, period: str, figures: Mapping[str, int]) -> bytes:
    """What leaves: nothing in it is about anybody. A figure that was kept back is not there."""
    said = {"format": 1, "organisation": organisation, "indicator": version.indicator, "version": version.number}
    return orjson.dumps(
        {**said, "definition": version.digest, "period": period, "figures": figures}, option=orjson.OPT_INDENT_2
    )


def hand_in(folder: Path, organisation: str, version: Version, period: str, figures: Mapping[str, int]) -> Path:
    """Durable when it returns. Raises `ConfigurationError` when this month was handed in with other figures."""
    path, data = (
        name_of(folder, organisation, version.indicator, period),
        render(organisation, version, period, figures),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    with aside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(aside, path)  # never over another one
    except FileExistsError:
        if path.read_bytes() != data:
            raise ConfigurationError(
                f"{version.indicator} of {period} was handed in already, with other figures",
                advice="What was told stays: a second figure would tell the difference. Count the next month rightly.",
            ) from None
    finally:
        aside.unlink()
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return path


def state_of(data: bytes | None, organisation: str, version: Version, period: str) -> dict[str, Any]:
    """What is known of one centre: {"state": "known", …}, "suppressed", or "unknown" with the reason. Never 0 for not knowing.

    `data`: the file, None when there is none.
    """
    if data is None:
        return {"state": "unknown", "reason": "MISSING"}
    try:
        said = orjson.loads(data)
        figures = said["figures"]
        sound = set(said) == _MEMBERS and said["format"] == 1 and _sound(figures, version)
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return {"state": "unknown", "reason": "UNREADABLE"}
    if not sound:
        return {"state": "unknown", "reason": "UNREADABLE"}
    if (said["organisation"], said["indicator"], said["period"]) != (organisation, version.indicator, period):
        return {"state": "unknown", "reason": "NOT_THIS_ONE"}
    if (said["version"], said["definition"]) != (version.number, version.digest):
        return {"state": "unknown", "reason": "OTHER_DEFINITION"}
    groups = [{"ageGroup": group, "value": figures[group]} for group in version.groups if group in figures]
    told = {"groups": groups} if groups else {}
    return {"state": "known", "value": figures[ALL], **told} if ALL in figures else {"state": "suppressed", **told}


def _sound(figures: Any, version: Version) -> bool:
    """Only groups of the definition, and whole numbers that may be told at all."""
    known = {ALL, *version.groups}
    return isinstance(figures, dict) and all(
        name in known and type(n) is int and n >= version.at_least for name, n in figures.items()
    )


def total_of(states: list[dict[str, Any]]) -> dict[str, Any]:
    """Of all centres: known when every one is; else what those that are known make together, which is no total."""
    values = [one["value"] for one in states if one["state"] == "known"]
    if len(values) == len(states) and values:
        return {"state": "known", "value": sum(values)}
    return {"state": "unknown"} | ({"knownTogether": sum(values)} if values else {})
