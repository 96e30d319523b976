"""Eleven enterprises per block, 110 000 in all: four of residents, seven legal persons, a few of those lease cars.

A company's name is three words, and the words are its number in another notation: so finding companies by name is
arithmetic too. Derived numbers start at 1.5 milliard, where the KBO has issued none.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from mock_sources.world.arithmetic import Shuffle, key_for, scatter
from mock_sources.world.blocks import BLOCKS, YEAR
from mock_sources.world.circumstances import text
from mock_sources.world.facts import (
    Activity,
    Address,
    Coded,
    Denomination,
    Enterprise,
    Establishment,
    PlacedAt,
    Situation,
)
from mock_sources.world.families import HORIZON
from mock_sources.world.identifiers import checked_first_eight, enterprise_number
from mock_sources.world.motors import LEASING_ENTERPRISE, LEASING_EVERY, Motors
from mock_sources.world.people import People
from mock_sources.world.phonetic import plain
from mock_sources.world.places import Places
from mock_sources.world.roll import Roll
from mock_sources.world.words import words

ENTERPRISES_IN_BLOCK = 11
_NATURAL = 4  # places 0 … 3: enterprises of natural persons
_LEGAL = ENTERPRISES_IN_BLOCK - _NATURAL
_OWNER_PLACES = (7, 21, 39, 61)  # in the circle of adults
_ESTABLISHMENTS = 3  # at most, per enterprise
_FIRST_EIGHT = 15_000_000  # enterprises: 15 000 000 … 17 999 999
_ROOM = 3_000_000
_FIRST_UNIT = 70_000_000  # establishment units

_WORDS = (words("firms_activities"), words("firms_names"), words("firms_endings"))
_NACE = ("47110", "56101", "62010", "43320", "69101", "86210", "96021", "45320", "10711", "70220", "81300", "49410")


class Firms:
    def __init__(self, seed: int, roll: Roll, places: Places, people: People, motors: Motors) -> None:
        self._roll, self._places, self._people, self._motors = roll, places, people, motors
        self._key = key_for(seed, "enterprise")
        self._numbers = Shuffle(_ROOM, key_for(seed, "enterprise numbers"))
        self._units = Shuffle(BLOCKS * ENTERPRISES_IN_BLOCK * _ESTABLISHMENTS, key_for(seed, "establishment numbers"))
        self._sizes = tuple(len(words) for words in _WORDS)
        combinations = self._sizes[0] * self._sizes[1] * self._sizes[2]
        self._titles = Shuffle(combinations, key_for(seed, "enterprise names"))
        self._folded = tuple(tuple(plain(word) for word in words) for words in _WORDS)

    # --- numbers

    def number(self, block: int, place: int) -> str:
        return enterprise_number(_FIRST_EIGHT + self._numbers[block * ENTERPRISES_IN_BLOCK + place])

    def locate(self, number: str) -> tuple[int, int] | None:
        first_eight = checked_first_eight(number)
        if first_eight is None or not 0 <= first_eight - _FIRST_EIGHT < _ROOM:
            return None
        block, place = divmod(self._numbers.back(first_eight - _FIRST_EIGHT), ENTERPRISES_IN_BLOCK)
        return (block, place) if block < BLOCKS else None

    def locate_unit(self, number: str) -> tuple[int, int, int] | None:
        """(block, place, rank) of an establishment unit number."""
        first_eight = checked_first_eight(number)
        if first_eight is None or not 0 <= first_eight - _FIRST_UNIT < self._units.size:
            return None
        index, rank = divmod(self._units.back(first_eight - _FIRST_UNIT), _ESTABLISHMENTS)
        block, place = divmod(index, ENTERPRISES_IN_BLOCK)
        return (block, place, rank) if rank < self._unit_count(block, place) else None

    def _unit_count(self, block: int, place: int) -> int:
        return (1, 1, 1, 2, 3)[self._draw(block, place) // 3 % 5]

    def _draw(self, block: int, place: int) -> int:
        return scatter(self._key, block * ENTERPRISES_IN_BLOCK + place)

    # --- owners

    def owner(self, block: int, place: int) -> int | None:
        """Slot of the natural person behind it."""
        return self._motors.slot_at(_OWNER_PLACES[place], block) if place < _NATURAL else None

    def owned_by(self, slot: int, block: int) -> tuple[int, ...]:
        return tuple(place for place in range(_NATURAL) if self.owner(block, place) == slot)

    # --- names

    def title(self, block: int, place: int) -> str:
        """Three words: a legal person's rank in another notation."""
        rest = self._titles[block * _LEGAL + place - _NATURAL]
        rest, third = divmod(rest, self._sizes[2])
        first, second = divmod(rest, self._sizes[1])
        return f"{_WORDS[0][first]} {_WORDS[1][second]} {_WORDS[2][third]}"

    def named(self, words_asked: str) -> Iterator[tuple[int, int]]:
        """Legal persons whose name holds every word asked, whole or from its beginning, in any order."""
        asked = [plain(word) for word in words_asked.split() if plain(word)]
        if not asked or len(asked) > 3:
            return
        columns = [[rank for rank, word in enumerate(words)] for words in self._folded]
        seen: set[tuple[int, int]] = set()
        for seats in product(range(3), repeat=len(asked)):
            if len(set(seats)) < len(seats):
                continue
            chosen = [
                [
                    rank
                    for rank in column
                    if all(
                        self._folded[seat][rank].startswith(word)
                        for word, taken in zip(asked, seats, strict=True)
                        if taken == seat
                    )
                ]
                for seat, column in enumerate(columns)
            ]
            for first, second, third in product(*chosen):
                place = (first * self._sizes[1] + second) * self._sizes[2] + third
                block, rank = divmod(self._titles.back(place), _LEGAL)
                if block < BLOCKS and (block, rank) not in seen:
                    seen.add((block, rank))
                    yield block, rank + _NATURAL

    # --- the enterprise

    def enterprise(self, block: int, place: int) -> Enterprise:
        draw = self._draw(block, place)
        owner = self.owner(block, place)
        started = HORIZON - 200 - draw % 9000
        if owner is not None:
            started = max(started, self._roll.day(owner, block) + round(18 * YEAR))
        leasing = place == LEASING_ENTERPRISE and block % LEASING_EVERY == 0
        dice = 0 if leasing else draw // 9000 % 100
        status = "AC" if dice < 88 else "ST" if dice < 98 else "AN"
        closed = None if status == "AC" else text(started + (HORIZON - started) * (dice % 10 + 1) // 12)
        start, number = text(started), self.number(block, place)
        seat = self._seat(block, place, owner, draw)
        units = tuple(self._unit(block, place, rank, start, closed) for rank in range(self._unit_count(block, place)))
        form = "014" if leasing else ("610", "610", "610", "014", "017")[draw // 7 % 5]
        return Enterprise(
            number=number,
            kind="2" if owner is None else "1",
            status=status,
            names=self._names(block, place, owner, leasing, start, draw),
            legal_forms=(Coded(form, start, closed),) if owner is None else (),
            situations=_situations(status, start, closed),
            addresses=(PlacedAt("REGO" if owner is None else "OBAD", seat, start, closed),),
            establishments=units,
            start=start,
            close=closed,
            owner_ssin=None if owner is None else self._roll.number(owner, block),
            activities=(Activity("77110" if leasing else _NACE[draw // 5 % len(_NACE)], "MAIN", "001", start, closed),),
            private_hidden=owner is not None and draw % 4 == 0,
        )

    def _seat(self, block: int, place: int, owner: int | None, draw: int) -> Address:
        """Legal persons sit anywhere; for a natural person the public sees the oldest establishment, not the home."""
        return self._places.anywhere(draw) if owner is None else self._unit_address(block, place, 0)

    def _unit_address(self, block: int, place: int, rank: int) -> Address:
        return self._places.anywhere(scatter(self._key, ~(self._draw(block, place) * _ESTABLISHMENTS + rank)))

    def _unit(self, block: int, place: int, rank: int, start: str, closed: str | None) -> Establishment:
        index = (block * ENTERPRISES_IN_BLOCK + place) * _ESTABLISHMENTS + rank
        number = enterprise_number(_FIRST_UNIT + self._units[index])
        return Establishment(
            number,
            self.number(block, place),
            (),
            self._unit_address(block, place, rank),
            start,
            closed,
            "AC" if closed is None else "ST",
        )

    def _names(
        self, block: int, place: int, owner: int | None, leasing: bool, start: str, draw: int
    ) -> tuple[Denomination, ...]:
        language = "12"[draw // 11 % 5 == 0]
        if owner is None:
            title = self.title(block, place) + (" Lease" if leasing else "")
            return (Denomination(title, language, "001", start),)
        person = self._people.person(owner, block).name
        name = Denomination(f"{person.last[0]}, {' '.join(person.first)}", "0", "001", start)
        return (name, Denomination(f"Chez {person.first[0]}", language, "003", start)) if draw % 3 == 0 else (name,)


def _situations(status: str, start: str, closed: str | None) -> tuple[Situation, ...]:
    if closed is None:
        return (Situation("000", start),)
    return Situation("012", closed, None, status), Situation("000", start, closed)
