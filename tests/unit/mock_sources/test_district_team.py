"""The police's package refuses nonsense, keeps what it could not hand over, and has one key for ever."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mock_sources.packages.district_team import DistrictTeam


def package(folder: Path) -> DistrictTeam:
    return DistrictTeam(folder, lambda: datetime(2026, 11, 1, tzinfo=UTC))


async def test_the_certificate_is_the_same_after_a_restart(tmp_path: Path) -> None:
    first = Path((await package(tmp_path).certificate({}))["file"]).read_bytes()

    assert first == Path((await package(tmp_path).certificate({}))["file"]).read_bytes()


@pytest.mark.parametrize(
    "visit",
    [
        {"investigation": "0" * 32, "result": "confirmed", "on": "2026-11-01"},
        {"investigation": "0" * 32, "result": "perhaps", "on": "2026-11-01"},
        {"investigation": "0" * 32, "result": "absent", "on": "yesterday"},
    ],
)
async def test_a_visit_to_nobody_or_with_nonsense_is_refused(tmp_path: Path, visit: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"open|one of|isoformat"):
        await package(tmp_path).visit(visit)


async def test_without_a_hub_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="connect first"):
        await package(tmp_path).sync({})

    opened = package(tmp_path)
    await opened.connect({"hub": "http://127.0.0.1:9"})
    with pytest.raises(ValueError, match="cannot be reached"):
        await opened.sync({})
