"""`integrator agent …`: what an operator does beside a running hub counts there, and is recorded by it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from integrator.cli import main
from tests.unit.agents.town import IXELLES, Town


@pytest.fixture
def file(village: Town, tmp_path: Path) -> str:
    path = tmp_path / "local.yaml"
    path.write_text(f"state: {tmp_path}\n", encoding="utf-8")
    return str(path)


async def test_who_works_where(village: Town, file: str, capsys: pytest.CaptureFixture[str]) -> None:
    id_ = await village.user("anna", "clerk", unit="Population")
    await village.user("theirs", hr=village.hr_anderlecht)

    assert 0 == main(["agent", "list", "--organisation", "ixelles", "--json", "--settings", file])
    listed = json.loads(capsys.readouterr().out)
    assert [{"id": id_, "organisation": IXELLES, "active": True, "unit": "Population", "roles": ["clerk"]}] == listed
    assert 0 == main(["agent", "list", "--settings", file])
    assert "2 agents" in capsys.readouterr().out


async def test_who_is_made_to_leave_is_refused_by_the_hub_that_runs(
    village: Town, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    id_ = await village.user("anna", "clerk")
    await village.token("anna")

    assert 0 == main(["agent", "leave", id_, "--settings", file])
    await village.agents.standing.look()
    await village.agents.acts.record()

    assert not village.agents.standing.holds({id_: 1})
    assert "agent.left" == village.shelf.names[-1]
    assert "no access from now on" in capsys.readouterr().out


async def test_an_operator_delegates_within_the_same_bounds(
    village: Town, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    giver, taker = await village.user("greta", "clerk"), await village.user("tom")
    words = ["agent", "delegate", giver, taker, "--settings", file, "--until"]

    assert 1 == main([*words, "2099-01-01T00:00:00Z", "--role", "clerk"])
    assert 1 == main([*words, "tomorrow", "--role", "clerk"])
    assert "roles that the one who delegates has" in _said(main, [*words, _soon(), "--role", "mayor"], capsys)
    assert 0 == main([*words, _soon(), "--role", "clerk", "--json"])
    made = json.loads(capsys.readouterr().out)["id"]
    assert 0 == main(["agent", "show", taker, "--settings", file])
    assert [made] == [one["id"] for one in json.loads(capsys.readouterr().out)["delegations"]]


def test_nobody_is_said_to_be_nobody(village: Town, file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no such agent" in _said(main, ["agent", "leave", "a-nobody", "--settings", file], capsys)


def _soon() -> str:
    import time

    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))


def _said(run: object, words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert 1 == main(words)
    return capsys.readouterr().err
