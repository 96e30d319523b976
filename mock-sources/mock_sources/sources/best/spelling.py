"""Finding things by name: exact, `*part*` and `~fuzzy`, in any language, whatever the accents."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from mock_sources.world.facts import Names

Thing = TypeVar("Thing")
_NEAR_ENOUGH = 0.5  # share of three-letter pieces that two spellings have in common (Dice)


def fold(text: str) -> str:
    """Lower case without accents, every run of other signs one space.

    >>> fold("Rue de l’Église")
    'rue de l eglise'
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return " ".join(re.findall(r"\w+", plain))


class Spellings(Generic[Thing]):
    """Things under all their names."""

    def __init__(self, things: Iterable[tuple[Thing, Names]]) -> None:
        self._things: list[tuple[Thing, tuple[str, ...]]] = [(thing, _spellings(names)) for thing, names in things]
        self._exact: dict[str, list[Thing]] = {}
        for thing, spellings in self._things:
            for spelling in dict.fromkeys(spellings):
                self._exact.setdefault(spelling, []).append(thing)
        self._pieces: list[tuple[Thing, tuple[frozenset[str], ...]]] | None = None

    def find(self, wanted: str) -> list[Thing]:
        """What the text means, in order; `~` gives the nearest first."""
        if wanted.startswith("~"):
            return self._near(wanted[1:])
        if "*" in wanted:
            return self._like(wanted)
        return list(self._exact.get(fold(wanted), ()))

    def _like(self, wanted: str) -> list[Thing]:
        matches = _pattern(wanted)
        return [thing for thing, spellings in self._things if any(map(matches, spellings))]

    def _near(self, wanted: str) -> list[Thing]:
        asked = _three(fold(wanted))
        if self._pieces is None:
            self._pieces = [(thing, tuple(map(_three, spellings))) for thing, spellings in self._things]
        scored = [
            (max(2 * len(asked & held) / (len(asked) + len(held)) for held in every), place, thing)
            for place, (thing, every) in enumerate(self._pieces)
        ]
        return [thing for score, _, thing in sorted(scored, key=lambda s: (-s[0], s[1])) if score >= _NEAR_ENOUGH]


def _spellings(names: Names) -> tuple[str, ...]:
    return tuple(fold(name) for name in (names.nl, names.fr, names.de) if name)


def _pattern(wanted: str) -> Callable[[str], object]:
    """A test for folded text: each star stands for anything, also nothing."""
    parts = [re.escape(fold(part)) for part in wanted.split("*")]
    return re.compile(".*".join(parts)).fullmatch


def _three(text: str) -> frozenset[str]:
    padded = f"  {text} "
    return frozenset(padded[at : at + 3] for at in range(len(padded) - 2))
