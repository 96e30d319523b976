"""A question desk on the web, of the kind of IRISbox (its API is invented): citizens ask, back offices fetch what was asked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mock_sources.clock import Clock
from mock_sources.packages.pages import Pages


class Desk:
    """Questions, and the pages that show them."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.pages, self._clock = Pages(path, "questions"), clock

    async def ask(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """{ssin, municipality, topic, text, language: NL | FR, reference?} -> {question}. Raises KeyError for what is missing."""
        number = self.pages.next
        self.pages.add(
            {
                "id": f"IB{number:06}",
                "citizen": {"ssin": str(said["ssin"])},
                "reference": str(said.get("reference", f"IB-{number:06}")),
                **{name: str(said[name]) for name in ("municipality", "topic", "text", "language")},
                "submittedAt": self._clock().isoformat(timespec="seconds"),
            }
        )
        return {"question": f"IB{number:06}"}
