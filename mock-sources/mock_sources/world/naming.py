"""Which name somebody bears: families share a surname, everybody has one to three first names."""

from __future__ import annotations

from mock_sources.world.arithmetic import scatter
from mock_sources.world.namebook import (
    DUTCH_SURNAMES,
    FIRST_NAMES,
    FRENCH_SURNAMES,
    SURNAMES,
    WORLD_SURNAMES,
)


def surname_index(draw: int, language: str, foreign: bool) -> int:
    """Place in `SURNAMES` for 32 random bits; language and origin of the household weigh in."""
    dice = draw % 100
    if foreign:
        first, count = WORLD_SURNAMES if dice < 85 else FRENCH_SURNAMES
    elif language == "nl":
        first, count = DUTCH_SURNAMES
    else:
        first, count = DUTCH_SURNAMES if dice < 35 else FRENCH_SURNAMES if dice < 65 else WORLD_SURNAMES
    return first + draw // 100 % count


def surname(index: int) -> str:
    return SURNAMES[index]


def first_names(key: int, value: int, sex: str) -> tuple[str, ...]:
    """One, two or three different first names; the first is the one used."""
    draw = scatter(key, value)
    pool = FIRST_NAMES[sex]
    count = (1, 2, 2, 3)[draw & 3]
    place, step = (draw >> 2) % len(pool), 7 + (draw >> 20) % 5
    return tuple(pool[(place + step * turn) % len(pool)] for turn in range(count))
