"""states.yaml is a whole: every state is reached, every step and state has words, and no letter leaves with one signature."""

from __future__ import annotations

import pytest

from integrator.consoles.casefiles.machine import StepRefused, machine
from integrator.consoles.rendering import words
from tests.unit.consoles.casefiles.rig import AUDITOR, FIRST, HUB, OTHER
from tests.unit.consoles.desk import IXELLES


def test_every_state_is_reached_from_the_first() -> None:
    reached = {"opened"}
    for _ in machine().states:
        reached |= {step.to for step in machine().steps.values() if step.to and step.sources & reached}

    assert set(machine().states) == reached


def test_every_way_to_a_closed_answer_passes_the_second_person() -> None:
    steps = machine().steps
    assert steps["release"].second and {"released"} == steps["send"].sources
    assert ["release"] == [step.name for step in steps.values() if step.to == "released"]


def test_every_step_and_state_has_words() -> None:
    named = [f"casefiles.state_{name}" for name in machine().states] + [
        f"casefiles.step_{name}" for name in machine().steps
    ]

    assert [] == [name for name in named if name not in words()]


@pytest.mark.parametrize("person", [AUDITOR, OTHER])
def test_no_step_is_open_to_who_has_no_part_in_it(person: object) -> None:
    assert [] == machine().open_to("collected", person, IXELLES, ())  # type: ignore[arg-type]


def test_an_organisations_officer_takes_no_step_in_the_hubs_own_files() -> None:
    with pytest.raises(StepRefused, match="NOT_YOURS"):
        machine().check("identify", "opened", FIRST, None, ())
    assert "identify" == machine().check("identify", "opened", HUB, None, ()).name


def test_a_program_never_takes_the_step_of_the_system() -> None:
    with pytest.raises(StepRefused, match="NOT_YOURS"):
        machine().check("erase", "closed", HUB, IXELLES, ())
