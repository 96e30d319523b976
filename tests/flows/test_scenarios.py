"""Every scenario of config/scenarios in every case, as `integrator scenario run` plays it: all of them on one stage."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from rich.console import Console

from integrator.commands.scenario import script
from integrator.commands.scenario.playing import Play
from integrator.commands.scenario.screen import Screen
from integrator.commands.scenario.stage import Stage, stage
from tests.flows.sandboxes import plain_environment

SCENARIOS = script.load_all()
CASES = [(name, case) for name, one in SCENARIOS.items() for case in one.cases]


class Told(io.StringIO):
    """What a person would have read."""


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with (
        plain_environment(),
        stage(tmp_path_factory.mktemp("stage"), list(SCENARIOS.values()), _screen(Told())) as opened,
    ):
        yield opened


@pytest.fixture(scope="module")
def begun(ready: Stage) -> dict[str, Play]:
    """Scenarios whose `before` was played already: once, however many of its cases follow."""
    return {}


@pytest.mark.parametrize(("name", "case"), CASES, ids=["-".join(one) for one in CASES])
def test_it_goes_as_the_scenario_says(ready: Stage, begun: dict[str, Play], name: str, case: str) -> None:
    told = Told()
    playing = begun.get(name)
    if playing is None:
        playing = begun[name] = Play(ready, SCENARIOS[name], _screen(told))
        assert 0 == playing.begin(), told.getvalue()
    playing.screen = _screen(told)

    assert 0 == playing.case(case), told.getvalue()


def _screen(told: Told) -> Screen:
    return Screen(Console(file=told, highlight=False, width=160), "en")
