"""Every scenario of config/scenarios in every case, as `integrator scenario run` plays it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from integrator.commands.scenario import script
from integrator.commands.scenario.playing import Play
from integrator.commands.scenario.screen import Screen
from integrator.commands.scenario.stage import stage
from tests.flows.sandboxes import plain_environment

SCENARIOS = script.load_all()


class Told(io.StringIO):
    """What a person would have read."""


@pytest.mark.parametrize("name", SCENARIOS)
def test_it_goes_as_the_scenario_says_main_first_then_refused_then_with_something_out(
    name: str, tmp_path: Path
) -> None:
    """A stage of its own for each scenario: who keeps a file or follows in one tells nothing in another."""
    scenario, told = SCENARIOS[name], Told()
    screen = Screen(Console(file=told, highlight=False, width=160), "en")
    with plain_environment(), stage(tmp_path, [scenario], screen) as ready:
        play = Play(ready, scenario, screen)
        wrong = {"before": play.begin()} | {case: play.case(case) for case in scenario.cases}

    assert {"before": 0, **dict.fromkeys(scenario.cases, 0)} == wrong, told.getvalue()
    assert list(scenario.cases) == ["main", "refused", "outage"]
