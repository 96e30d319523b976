"""Every scenario of config/scenarios in every case, as `integrator scenario run` plays it."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from rich.console import Console

from integrator.commands.scenario import script
from integrator.commands.scenario.playing import Play
from integrator.commands.scenario.screen import Screen
from integrator.commands.scenario.stage import stage
from tests.flows.sandboxes import plain_environment

SCENARIOS = script.load_all()
CASES = [(name, case) for name, one in SCENARIOS.items() for case in one.cases]


class Told(io.StringIO):
    """What a person would have read."""


@pytest.fixture(scope="module")
def playing(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    """A stage of its own for each scenario: who keeps a file or follows in one tells nothing in another."""
    scenario, told = SCENARIOS[request.param], Told()
    with plain_environment(), stage(tmp_path_factory.mktemp("stage"), [scenario], _screen(told)) as ready:
        play = Play(ready, scenario, _screen(told))
        assert 0 == play.begin(), told.getvalue()
        yield play


@pytest.mark.parametrize(
    ("playing", "case"), CASES, indirect=["playing"], ids=["-".join(one) for one in CASES], scope="module"
)
def test_it_goes_as_the_scenario_says(playing: Play, case: str) -> None:
    told = Told()
    playing.screen = _screen(told)

    assert 0 == playing.case(case), told.getvalue()


def _screen(told: Told) -> Screen:
    return Screen(Console(file=told, highlight=False, width=160), "en")
