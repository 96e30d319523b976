"""The life of a request as states.yaml writes it, and the one function that says whether somebody may take a step."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from integrator.consoles.rights import Person
from integrator.errors import ConfigurationError, RequestRefused
from integrator.places import read_yaml

_KEYS = frozenset({"from", "to", "roles", "prepares", "second", "op", "needs"})
_ROLES = frozenset({"dpo", "hub_dpo", "system"})


class StepRefused(RequestRefused):
    """This step cannot be taken; `reason` says what stands in the way. The file is as it was."""

    code, where = "STEP_REFUSED", "C2"
    advice = "Open the file again: it shows which steps can be taken now, and by whom."

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason  # NOT_NOW | NOT_YOURS | SECOND_PERSON | INCOMPLETE | MEANWHILE | TOO_LATE


@dataclass(frozen=True, slots=True)
class Step:
    """One line of `steps`."""

    name: str
    sources: frozenset[str]
    to: str | None  # None = the state stays
    roles: frozenset[str]
    op: str
    prepares: bool = False
    second: bool = False
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Machine:
    """All of states.yaml."""

    states: Mapping[str, str]
    steps: Mapping[str, Step]
    kept_years: int
    kept_basis: str

    def check(self, step: str, state: str | None, person: Person, org: str | None, hands: Collection[str]) -> Step:
        """The step, if this person may take it now; else `StepRefused`.

        `state` None = there is no file yet; `org`: whose file it is, None = the hub's own; `hands`: ids of everybody
        who had a part in preparing it.
        """
        found = self.steps[step]
        if (state not in found.sources) if state else found.sources:
            raise StepRefused("NOT_NOW")
        if role_for(person, org) not in found.roles:
            raise StepRefused("NOT_YOURS")
        if found.second and person.id in hands:
            raise StepRefused("SECOND_PERSON")
        return found

    def open_to(self, state: str, person: Person, org: str | None, hands: Collection[str]) -> list[str]:
        """Names of the steps this person may take, in the order of the file."""
        found = []
        for name in self.steps:
            try:
                self.check(name, state, person, org, hands)
            except StepRefused:
                continue
            found.append(name)
        return found


def role_for(person: Person, org: str | None) -> str | None:
    """The role in which somebody handles a file of `org` (None = the hub's own), the narrowest first; None = not at all."""
    if "dpo" in person.roles and person.org is not None and person.org == org:
        return "dpo"
    return "hub_dpo" if "hub_dpo" in person.roles else None


@cache
def machine() -> Machine:
    """Read states.yaml. Raises `ConfigurationError` for a state or a word that does not exist."""
    data = read_yaml(Path(__file__).parent / "states.yaml")
    states, steps = data["states"], {}
    for name, row in data["steps"].items():
        if (
            set(row) - _KEYS
            or set(row["roles"]) - _ROLES
            or {*row["from"], row.get("to", row["from"][:1] and row["from"][0])} - set(states)
        ):
            raise ConfigurationError(f"states.yaml: step {name} names a state, a role or a word that does not exist")
        steps[name] = _step(name, row)
    if any(step.second and step.prepares for step in steps.values()):
        raise ConfigurationError("states.yaml: a step of the second person prepares nothing")
    return Machine(states, steps, int(data["kept"]["years"]), str(data["kept"]["legalBasis"]))


def _step(name: str, row: Mapping[str, Any]) -> Step:
    return Step(
        name, frozenset(row["from"]), row.get("to"), frozenset(row["roles"]), row["op"], bool(row.get("prepares")),
        bool(row.get("second")), tuple(row.get("needs", ())),
    )  # fmt: skip
