"""The desk of street reports keeps what it took in, refuses nonsense, and goes on counting after a restart."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mock_sources.packages.street import StreetDesk

PLACE = {"street": "Rue du Trône", "postCode": "1050", "network": "G", "reporter": "r@example.org", "text": "deep"}


def desk(folder: Path) -> StreetDesk:
    return StreetDesk(folder / "reports.json", lambda: datetime(2026, 11, 1, tzinfo=UTC))


async def test_a_report_has_the_next_number_also_after_a_restart(tmp_path: Path) -> None:
    first = await desk(tmp_path).report({**PLACE, "category": "PUT"})
    second = await desk(tmp_path).report({**PLACE, "category": "LAMP"})

    assert ["000001", "000002"] == [first["number"], second["number"]]


@pytest.mark.parametrize("wrong", [{"category": "OTHER"}, {"category": "PUT", "network": "X"}])
async def test_nonsense_is_refused_and_leaves_nothing(tmp_path: Path, wrong: dict[str, Any]) -> None:
    opened = desk(tmp_path)

    with pytest.raises(ValueError, match="one of"):
        await opened.report({**PLACE, **wrong})

    assert 1 == opened.pages.next
