"""Every case of connectors/parking_cards/cases: a file of cards, possibly wounded, and one question about it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.parking_cards import build
from integrator.contract import Tools
from tests.contract import cases as played
from tests.unit.connectors.parking_cards import files

CASES = played.cases("parking_cards")
ROOM = played.ROOT / "connectors" / "parking_cards"
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp()


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
async def test_case(path, tmp_path: Path):
    case = played.load(path)
    data = files.wounded(files.whole(case["file"]["cards"]), case["file"].get("wound"))
    if data is not None:
        (tmp_path / "cards.txt").write_bytes(data)
    settings = {"file": str(tmp_path / "cards.txt"), **case.get("settings", {})}
    connector = build(Tools("parking_cards", ROOM, settings, None, lambda: NOON, True))

    told = await played.play(case, connector)

    assert case["expect"] == played.as_expected(case["expect"], told)
