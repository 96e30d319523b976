"""Households come in blocks of 56 that hold exactly 125 people, so person and household index need no table.

Ten thousand blocks make the Region: 560 000 households, 1 250 000 residents. A *slot* is one chair in the block
("the second child of household 41"). A slot has a window of 10 000 birth dates (27 years) and a serial number of its
own for the national number; block b takes day shuffle[b] of the window. So a national number says the slot (serial)
and the block (date), and nobody shares a number. Relatives take nearly the same day of *their* window, which lies the
right number of years away: that is all it takes to keep parents older than children and partners of an age.

Six more slots per block hold people who live in no household: late spouses, gone abroad, struck off.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

BLOCKS = 10_000  # also the number of birth dates in a window
HOUSEHOLDS_IN_BLOCK = 56
PEOPLE_IN_BLOCK = 125
YEAR = 365.25


@dataclass(frozen=True, slots=True)
class Chair:
    """One person in a kind of household. `years`: how much younger (+) or older (-) than the reference person's day,
    give or take `spread` days; `code`: IT140 position, "" for those who live nowhere."""

    code: str
    years: float = 0.0
    spread: int = 1  # days; divides 10 000; 1 = exactly the reference person's day
    fate: str = ""  # "" | late (deceased spouse of the reference) | abroad | struck_off


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of household: how many per block, the first birth year of the reference person's window, its chairs."""

    name: str
    times: int
    since: int
    chairs: tuple[Chair, ...]


_REF = Chair("01")
_PARTNER = Chair("02", 0.5, 1250)  # ± 3.4 years; 22 or 21 when they are not married
_MATE = Chair("12", 0.0, 2000)
_PARENT = Chair("06", -27.0, 1000)


def _children(*years: float, spread: int = 500) -> tuple[Chair, ...]:
    return tuple(Chair("03", after, spread) for after in years)  # ± 1.4 years: siblings keep nine months apart


KINDS: tuple[Kind, ...] = (
    Kind("young single", 5, 1977, (_REF,)),
    Kind("single", 7, 1960, (_REF,)),
    Kind("divorced", 4, 1955, (_REF,)),
    Kind("widowed", 4, 1928, (_REF, Chair("", -1.0, 1250, "late"))),
    Kind("old single", 4, 1935, (_REF,)),
    Kind("young couple", 3, 1972, (_REF, _PARTNER)),
    Kind("couple", 3, 1955, (_REF, _PARTNER)),
    Kind("old couple", 3, 1932, (_REF, _PARTNER)),
    Kind("parent and child", 2, 1965, (_REF, *_children(28, spread=2500))),
    Kind("with a parent", 1, 1955, (_REF, _PARENT)),
    Kind("flatmates", 1, 1976, (_REF, _MATE)),
    Kind("couple and child", 5, 1968, (_REF, _PARTNER, *_children(27.5, spread=1250))),
    Kind("parent and two", 2, 1965, (_REF, *_children(25, 29))),
    Kind("three flatmates", 1, 1976, (_REF, _MATE, Chair("12", -1.5, 2500))),
    Kind("couple and two", 5, 1966, (_REF, _PARTNER, *_children(26, 30))),
    Kind("parent and three", 1, 1964, (_REF, *_children(24, 28, 32))),
    Kind("couple and three", 2, 1963, (_REF, _PARTNER, *_children(24, 28, 32))),
    Kind("three generations", 1, 1963, (_REF, _PARTNER, *_children(25, 29), _PARENT)),
    Kind("couple and four", 1, 1962, (_REF, _PARTNER, *_children(23.5, 27, 30.5, 34))),
    Kind("a brother or sister too", 1, 1964, (_REF, _PARTNER, *_children(25, 29), _PARENT, Chair("09", 3.0, 1000))),
    Kind("abroad", 1, 1965, (Chair("", 0, 1, "abroad"),)),
    Kind("struck off", 1, 1968, (Chair("", 0, 1, "struck_off"),)),
)


@dataclass(frozen=True, slots=True)
class Slot:
    """A chair at its place in the block. Residents have slots 0 … 124 in household order, the others follow."""

    index: int
    house: int  # household in the block, 0 … 55; 56 and 57 are no households
    seat: int  # place in the household, reference person 0
    kind: Kind
    chair: Chair
    first_day: int  # proleptic ordinal of the first birth date in the window

    @property
    def resident(self) -> bool:
        return bool(self.chair.code)

    @property
    def adult(self) -> bool:
        """Old enough, in every block, to hold a vehicle or an enterprise."""
        return self.resident and self.chair.code != "03"


def _slots() -> tuple[tuple[Slot, ...], tuple[tuple[int, ...], ...]]:
    houses = [kind for kind in KINDS for _ in range(kind.times)]
    chairs = [(house, seat) for house, kind in enumerate(houses) for seat in range(len(kind.chairs))]
    residents = [place for place in chairs if houses[place[0]].chairs[place[1]].code]
    ordered = residents + [place for place in chairs if place not in residents]
    slots = []
    for index, (house, seat) in enumerate(ordered):
        kind = houses[house]
        chair = kind.chairs[seat]
        first_day = date(kind.since, 1, 1).toordinal() + round(chair.years * YEAR)
        slots.append(Slot(index, house, seat, kind, chair, first_day))
    seats = tuple(tuple(slot.index for slot in slots if slot.house == house) for house in range(len(houses)))
    return tuple(slots), seats


# Every slot, and for every house of the block the slots that sit in it (a late spouse sits with the widowed).
SLOTS, SEATS = _slots()
RESIDENT_SEATS = tuple(tuple(slot for slot in seats if SLOTS[slot].resident) for seats in SEATS)
ADULTS = tuple(slot.index for slot in SLOTS if slot.adult)
HOUSEHOLD_OF_PERSON = tuple(slot.house for slot in SLOTS)
