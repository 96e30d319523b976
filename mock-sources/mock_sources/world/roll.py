"""The roll of the Region: which number belongs to which chair of which block, and back. See `blocks` for the idea.

A derived person is a pair (slot, block). `locate(number(slot, block)) == (slot, block)`, and nothing else is found.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from mock_sources.world.arithmetic import Shuffle, key_for, scatter
from mock_sources.world.blocks import BLOCKS, HOUSEHOLDS_IN_BLOCK, SEATS, SLOTS
from mock_sources.world.identifiers import LAST_DERIVED_SERIAL, TEST_MONTH, birth_year, national_check

Place = tuple[int, int]  # (slot, block)

_PAIRS = LAST_DERIVED_SERIAL // 2  # every slot has an odd serial for men and the even one above it for women


class Roll:
    """Birth dates, sexes and national numbers of everybody derived from one seed."""

    def __init__(self, seed: int) -> None:
        self._days = tuple(Shuffle(BLOCKS, key_for(seed, f"birth dates {house}")) for house in range(len(SEATS)))
        self._spreads = tuple(Shuffle(slot.chair.spread, key_for(seed, f"spread {slot.index}")) for slot in SLOTS)
        self._sex_key = key_for(seed, "sex")
        # 7 has no factor in common with 440, so every slot gets a pair of serials of its own.
        pairs = [(slot.index * 7 + seed) % _PAIRS for slot in SLOTS]
        self._first_serial = tuple(2 * pair + 1 for pair in pairs)
        self._slot_of_pair = {pair: slot.index for pair, slot in zip(pairs, SLOTS, strict=True)}

    def day(self, slot: int, block: int) -> int:
        """Birth date, as a proleptic ordinal."""
        chair = SLOTS[slot]
        day = self._days[chair.house][block]
        spread = chair.chair.spread
        if spread > 1:
            day += self._spreads[slot][day % spread] - day % spread
        return chair.first_day + day

    def sex(self, slot: int, block: int) -> str:
        """1 or 2; partners differ, except three couples in a hundred."""
        chair = SLOTS[slot]
        if chair.chair.code == "02" or chair.chair.fate == "late":
            reference = scatter(self._sex_key, SEATS[chair.house][0] * BLOCKS + block) & 1
            same = scatter(self._sex_key, ~(chair.house * BLOCKS + block)) % 100 < 3
            return "12"[reference if same else 1 - reference]
        return "12"[scatter(self._sex_key, slot * BLOCKS + block) & 1]

    def number(self, slot: int, block: int) -> str:
        return self.number_for(slot, self.day(slot, block), self.sex(slot, block))

    def number_for(self, slot: int, day: int, sex: str) -> str:
        """The national number of who sits in this slot, when birth date and sex are known already."""
        born = date.fromordinal(day)
        serial = self._first_serial[slot] + (sex == "2")
        first_nine = ((born.year % 100 * 100 + born.month + TEST_MONTH) * 100 + born.day) * 1000 + serial
        return f"{first_nine:09d}{national_check(first_nine, born.year):02d}"

    def locate(self, number: str) -> Place | None:
        """Whose number this is; None for a number that fails its check or belongs to nobody derived."""
        year = birth_year(number)
        if year is None:
            return None
        serial = int(number[6:9])
        slot = self._slot_of_pair.get((serial - 1) // 2)
        if slot is None:
            return None
        try:
            born = date(year, int(number[2:4]) - TEST_MONTH, int(number[4:6])).toordinal()
        except ValueError:  # no such day, or not a test month: nobody's
            return None
        block = self._block(slot, born)
        if block is None or self._first_serial[slot] + (self.sex(slot, block) == "2") != serial:
            return None
        return slot, block

    def _block(self, slot: int, born: int) -> int | None:
        """Which block's person in this slot was born on that day; exactly one for every day of the window."""
        chair = SLOTS[slot]
        day = born - chair.first_day
        if not 0 <= day < BLOCKS:
            return None
        spread = chair.chair.spread
        if spread > 1:
            day += self._spreads[slot].back(day % spread) - day % spread
        return self._days[chair.house].back(day)

    def born_on(self, day: int) -> Iterator[Place]:
        """Everybody born on that day: at most one per slot, some dozens in all."""
        for slot in range(len(SLOTS)):
            block = self._block(slot, day)
            if block is not None:
                yield slot, block


def household_index(slot: int, block: int) -> int:
    """0 … 559 999 for residents."""
    return block * HOUSEHOLDS_IN_BLOCK + SLOTS[slot].house
