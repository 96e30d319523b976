"""Every case of connectors/best/cases, played without a network."""

from __future__ import annotations

import pytest

from connectors.best import build
from integrator.contract import Tools
from tests.contract import cases as played

CASES = played.cases("best")
ROOM = played.ROOT / "connectors" / "best"


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
async def test_case(path):
    case = played.load(path)
    send = played.FakeSend.of(case, path.parent)
    connector = build(Tools("best", ROOM, case.get("settings", {}), send, lambda: played.NOW, True))

    told = await played.play(case, connector)

    assert case["expect"] == played.as_expected(case["expect"], told)
    played.check_sent(case, send)
