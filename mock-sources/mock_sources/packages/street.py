"""A desk for reports from the street, of the kind of Fix My Street (its API is invented).

Who reported, and what he wrote, stand beside each report: whoever fetches them must leave out what others need not see.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mock_sources.clock import Clock
from mock_sources.packages.pages import Pages

_CATEGORIES = ("PUT", "LAMP", "BORD", "STORT", "HALTE")
_NETWORKS = ("G", "R")  # of the municipality (gemeente), of the Region


class StreetDesk:
    """Reports, and the pages that show them."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.pages, self._clock = Pages(path, "reports"), clock

    async def report(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """{category, street, postCode, network, reporter, text, number?} -> {number}. Raises KeyError, ValueError."""
        if said["category"] not in _CATEGORIES or said["network"] not in _NETWORKS:
            raise ValueError(f"category: one of {', '.join(_CATEGORIES)}; network: one of {', '.join(_NETWORKS)}")
        place = {"street": str(said["street"]), "postCode": str(said["postCode"]), "network": said["network"]}
        if "number" in said:
            place["number"] = str(said["number"])
        number = f"{self.pages.next:06}"
        self.pages.add(
            {
                "number": number, "category": said["category"], "place": place, "reporter": str(said["reporter"]),
                "text": str(said["text"]), "at": self._clock().isoformat(timespec="seconds"),
            }
        )  # fmt: skip
        return {"number": number}
