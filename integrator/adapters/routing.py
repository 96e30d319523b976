"""Where a row goes, told by a table of its adapter: to the first choice that fits, or to each that does.

    recipient:
      first:                                                   # each: one message to every one that fits
        - {when: {keeper: [R, B]}, value: "1970000417"}        # all fields named have one of these values
        - {when: {postCode: ["1050"]}, value: "1992100975"}
        - {value: "0207373429"}                                # whatever the row says

A row that fits nothing goes nowhere: it waits with NO_ROUTE, and is never sent to whoever is at hand.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from integrator.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of the table."""

    when: Mapping[str, frozenset[Any]]  # field -> its values; {} = always
    value: Any

    def fits(self, row: Mapping[str, Any]) -> bool:
        return all(row.get(name) in values for name, values in self.when.items())


@dataclass(frozen=True, slots=True)
class Route:
    """The table."""

    choices: Sequence[Choice]
    each: bool

    def ends(self, row: Mapping[str, Any]) -> list[Any]:
        """Where the row goes, without doubles."""
        found = list(dict.fromkeys(one.value for one in self.choices if one.fits(row)))
        return found if self.each else found[:1]

    def key(self, key: str, value: Any) -> str:
        """The Idempotency-Key of one of several, the same each time; of the only one that of the row."""
        return str(uuid.uuid5(uuid.UUID(key), str(value))) if self.each else key


def compile_route(said: Mapping[str, Any], known: Set[str], adapter: str) -> Route:
    """Raises `ConfigurationError` for a field that the layout does not have."""
    lines = said.get("each") or said["first"]
    unknown = sorted({name for line in lines for name in line.get("when", {})} - known)
    if unknown:
        raise ConfigurationError(f"{adapter}: deposit routes by {', '.join(unknown)}, which is no field of the layout")
    choices = [
        Choice({name: frozenset(values) for name, values in line.get("when", {}).items()}, line["value"])
        for line in lines
    ]
    return Route(choices, "each" in said)
