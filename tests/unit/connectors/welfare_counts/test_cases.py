"""Every case of connectors/welfare_counts/cases: what centres handed in, and one question about it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.welfare_counts import build
from integrator.contract import Tools
from integrator.indicators.aggregates import name_of, render
from integrator.indicators.definitions import load_indicators
from tests.contract import cases as played

CASES = played.cases("welfare_counts")
ROOM = played.ROOT / "connectors" / "welfare_counts"
CENTRES = ["1982100176", "1982100968"]
WAGE = load_indicators(played.ROOT / "config" / "indicators")["living_wage_persons"].versions[0]


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
async def test_case(path, tmp_path: Path):
    case = played.load(path)
    for centre, said in case["handedIn"].items():
        file = name_of(tmp_path, centre, WAGE.indicator, "2026-10")
        file.parent.mkdir()
        whole = json.loads(render(centre, WAGE, "2026-10", {}))
        file.write_text(json.dumps({**whole, **said}))
    settings = {"folder": str(tmp_path), "centres": CENTRES}
    connector = build(Tools("welfare_counts", ROOM, settings, None, lambda: played.NOW, True))

    told = await played.play(case, connector)

    assert case["expect"] == played.as_expected(case["expect"], told)
