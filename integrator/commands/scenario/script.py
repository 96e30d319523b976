"""A scenario as it stands in its file. `integrator check` has read it by its schema before anybody plays it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from integrator import places
from integrator.errors import ConfigurationError

VERBS = (
    "ask", "send", "call", "drop", "finds", "waiting", "mend", "recorded", "act", "sees", "fault", "heal", "command", "crash",
    "pause",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that somebody does, in words and as data: exactly one of VERBS, and what is expected of it."""

    say: Mapping[str, str]
    verb: str
    what: Any
    more: Mapping[str, Any]  # expect, without, refused, until, keep


@dataclass(frozen=True, slots=True)
class Case:
    title: Mapping[str, str]
    steps: tuple[Step, ...]
    leaves: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """`people`: a query each. `applications`: organisation and purposes each."""

    name: str
    title: Mapping[str, str]
    story: Mapping[str, str]
    adapters: tuple[str, ...]
    people: Mapping[str, str]
    applications: Mapping[str, Mapping[str, Any]]
    before: tuple[Step, ...]
    cases: Mapping[str, Case]


def load_all() -> dict[str, Scenario]:
    """Every scenario by name, sorted. Raises `ConfigurationError` naming file and step."""
    return {
        path.stem: read(path.name, places.read_yaml(path))
        for path in sorted(places.folder("config").glob("scenarios/*.yaml"))
    }


def read(name: str, data: Mapping[str, Any]) -> Scenario:
    """One scenario from the data of its file. Raises `ConfigurationError`."""
    cases = {
        case: Case(said["title"], tuple(_steps(f"{name}: {case}", said["steps"])), said["leaves"])
        for case, said in data["cases"].items()
    }  # fmt: skip
    return Scenario(
        data["scenario"], data["title"], data["story"], tuple(data.get("adapters") or ()), data.get("people") or {},
        data["applications"], tuple(_steps(f"{name}: before", data.get("before") or ())), cases,
    )  # fmt: skip


def _steps(where: str, steps: Sequence[Mapping[str, Any]]) -> Iterator[Step]:
    for number, step in enumerate(steps, start=1):
        verbs = [verb for verb in VERBS if verb in step]
        if len(verbs) != 1:
            raise ConfigurationError(f"{where}, step {number}: exactly one of {', '.join(VERBS)}")
        more = {name: value for name, value in step.items() if name not in ("say", verbs[0])}
        yield Step(step["say"], verbs[0], step[verbs[0]], more)
