"""Reads what each centre handed in for a month, and says of each what is known. No file of theirs has a person in it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from integrator.contract import Question, Reply, Tools
from integrator.errors import ConfigurationError
from integrator.indicators.aggregates import MOST_BYTES, name_of, state_of, total_of
from integrator.indicators.definitions import Version, load_indicators
from integrator.places import folder
from integrator.transport.faults import Faults


class WelfareCounts:
    """The connector. `document` is {"indicator", "version", "period", "organisations": […], "total"}."""

    def __init__(self, tools: Tools) -> None:
        try:
            self._folder = Path(tools.settings["folder"])
            self._centres = [str(one) for one in tools.settings["centres"]]
        except KeyError as error:
            raise ConfigurationError(f"connectors/welfare_counts: sources.welfare_counts has no {error}") from None
        definitions = tools.settings.get("definitions")
        self._indicators = load_indicators(Path(definitions) if definitions else folder("config") / "indicators")
        self._faults = Faults.load("welfare_counts", tools.room / "faults.yaml")

    async def ask(self, question: Question) -> Reply:
        """One indicator of one month. Raises `SourceUnavailable` when nothing is known of any centre."""
        version, period = self._version(question), str(question.keys["period"])
        states = await asyncio.to_thread(self._states, version, period)
        unknown = sum(one["state"] == "unknown" for one in states)
        if unknown == len(states):
            raise self._faults.error("NOBODY")
        document = {
            "indicator": version.indicator, "version": version.number, "period": period,
            "organisations": states, "total": total_of(states),
        }  # fmt: skip
        return Reply(document, incomplete=unknown > 0)

    async def check(self) -> None:
        """Nothing to prove: a folder in which nobody has put anything yet is in order."""

    def _version(self, question: Question) -> Version:
        """The one asked for, else the one that the month is counted by."""
        indicator, number = self._indicators.get(str(question.keys["indicator"])), question.keys.get("version")
        valid = indicator.at(str(question.keys["period"])) if indicator is not None else None
        if valid is None or number not in (None, valid.number):
            raise self._faults.error("NO_VERSION")
        return valid

    def _states(self, version: Version, period: str) -> list[dict[str, Any]]:
        return [
            {"organisation": one, **state_of(self._read(one, version.indicator, period), one, version, period)}
            for one in self._centres
        ]

    def _read(self, organisation: str, indicator: str, period: str) -> bytes | None:
        path = name_of(self._folder, organisation, indicator, period)
        try:
            with path.open("rb") as file:
                data = file.read(MOST_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError:
            return b""
        return data if len(data) <= MOST_BYTES else b""
