"""Registrations of the sandbox, read from a file: stands in for the directory of references where a hub has none.

    await seeded(path, organisations)("1982100968", "85610100147", "social_inquiry", day)   frozenset({"2"})

Sandbox only: a production hub without a directory refuses whatever needs a registration (503), and never guesses.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from integrator.places import read_yaml
from integrator.policy import members


def seeded(path: Path, organisations: Mapping[str, Any]) -> Callable[[str, str, str, date], Awaitable[frozenset[str]]]:
    """Who keeps a file about whom, as the file says. Raises `ConfigurationError`."""
    lines = [
        (frozenset(members(line["organisations"], organisations)), line["purpose"], frozenset(line.get("except", ())), frozenset(line["qualities"]))
        for line in read_yaml(path)["registrations"]
    ]  # fmt: skip

    async def registered(organisation: str, subject: str, purpose: str, day: date) -> frozenset[str]:
        del day  # the files of the sandbox have no end
        found = (
            qualities
            for numbers, code, strangers, qualities in lines
            if organisation in numbers and purpose == code and subject not in strangers
        )
        return frozenset().union(*found)

    return registered
