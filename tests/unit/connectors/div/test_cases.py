"""Every case of connectors/div/cases, played without a network."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.div import build
from integrator.contract import Tools
from tests.contract import cases as played

CASES = played.cases("div")
ROOM = played.ROOT / "connectors" / "div"
TOKEN = {"/oauth/token": {"json": {"access_token": "kept.in.tests", "token_type": "Bearer", "expires_in": 300}}}


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
async def test_case(path, tmp_path: Path):
    kit = tmp_path / "div.json"
    kit.write_text(json.dumps({"clientId": "hub", "clientSecret": "s3cret+/"}))
    case = played.load(path)
    send = played.FakeSend.of(case, path.parent, TOKEN)
    connector = build(
        Tools("div", ROOM, {"credentials": str(kit), **case.get("settings", {})}, send, lambda: played.NOW, True)
    )

    told = await played.play(case, connector)

    assert case["expect"] == played.as_expected(case["expect"], told)
    played.check_sent(case, send)
