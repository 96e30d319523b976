"""One derived person, told in full: every fact from the slot, the block and the seed, nothing looked up."""

from __future__ import annotations

from collections.abc import Callable

from mock_sources.world.arithmetic import key_for, scatter
from mock_sources.world.blocks import BLOCKS, RESIDENT_SEATS, SEATS, SLOTS, YEAR
from mock_sources.world.circumstances import (
    birth_place,
    elsewhere,
    integrations,
    licences,
    living_wage,
    nationalities,
    registers,
    statuses,
    text,
)
from mock_sources.world.facts import (
    CivilState,
    Death,
    Household,
    LegalCohabitation,
    Member,
    Name,
    Person,
    Position,
    Residence,
)
from mock_sources.world.families import HORIZON, Families, Family
from mock_sources.world.municipalities import TERRITORIES
from mock_sources.world.naming import first_names, surname, surname_index
from mock_sources.world.places import Places
from mock_sources.world.roll import Roll


class People:
    """`drives(slot, block)` says which vehicle categories somebody holds: holders mostly have the licence for it."""

    def __init__(
        self, seed: int, roll: Roll, places: Places, families: Families, drives: Callable[[int, int], tuple[str, ...]]
    ) -> None:
        self._roll = roll
        self._places = places
        self._families = families
        self._drives = drives
        self._keys = tuple(key_for(seed, f"person {topic}") for topic in ("origin", "moves", "papers", "help"))
        self._first_key = key_for(seed, "first names")
        self._surname_key = key_for(seed, "surname")

    # --- households

    def household(self, house: int, block: int) -> Household:
        family = self._families.family(house, block)
        address = self._places.address(self._families.home(family.index))
        members = tuple(
            Member(self._roll.number(slot, block), self._code(slot, family), text(self._joined(slot, family)))
            for slot in RESIDENT_SEATS[house]
        )
        return Household(family.index, address, "00", members)

    def _code(self, slot: int, family: Family) -> str:
        code = SLOTS[slot].chair.code
        if code == "02":
            return {"married": "02", "cohabiting": "22"}.get(family.bond, "21")
        return code

    def _joined(self, slot: int, family: Family) -> int:
        """The day somebody joined the household: children at birth or with the family, others as adults."""
        chair = SLOTS[slot].chair
        if chair.code == "01":
            return family.since
        born = self._roll.day(slot, family.block)
        return max(family.since, born if chair.code == "03" else born + round(18 * YEAR))

    # --- names

    def surname_index(self, slot: int, block: int) -> int:
        """Cheap on purpose: searching by name asks this for everybody born on a day."""
        return self._surname(slot, block, *self._families.surname(SLOTS[slot].house, block))

    def _surname(self, slot: int, block: int, shared: int, language: str, origin: str) -> int:
        chair = SLOTS[slot].chair
        if chair.code in ("01", "03", "06", "09") or chair.fate in ("abroad", "struck_off"):
            return shared
        return surname_index(scatter(self._surname_key, slot * BLOCKS + block), language, origin != "150")

    def first_names(self, slot: int, block: int, sex: str) -> tuple[str, ...]:
        return first_names(self._first_key, slot * BLOCKS + block, sex)

    # --- the person

    def person(self, slot: int, block: int) -> Person:
        chair = SLOTS[slot]
        seats = SEATS[chair.house]
        family = self._families.family(chair.house, block)
        origin, moves, papers, help_ = (scatter(key, slot * BLOCKS + block) for key in self._keys)
        born, sex = self._roll.day(slot, block), self._roll.sex(slot, block)
        ssin = self._roll.number_for(slot, born, sex)
        partner = self._partner(slot, block, family)
        died = self._death_day(family, born) if chair.chair.fate == "late" else 0
        residences, arrived = self._residences(slot, family, born, died, moves, origin)
        relatives = {SLOTS[seat].chair.code: seat for seat in seats} if len(seats) > 1 else {}
        wages = living_wage(slot, family, help_, born)
        own = self._surname(slot, block, family.surname, family.language, family.origin)
        held = nationalities(family, origin, born, arrived, chair.chair.code)
        return Person(
            ssin=ssin,
            register="RR",
            sex=sex,
            birth_date=text(born),
            birth_place=birth_place(family, origin, chair.chair.code),
            names=(Name((surname(own),), self.first_names(slot, block, sex), text(born)),),
            nationalities=held,
            civil_states=self._civil_states(slot, family, born, partner),
            residences=residences,
            registers=registers(held),
            legal_cohabitation=LegalCohabitation(partner, text(family.bond_day))
            if family.bond == "cohabiting" and chair.seat < 2
            else None,
            not_communicable=chair.resident and family.since % 500 == 0,
            death=Death(text(died), TERRITORIES[family.quarter].municipality.nis) if died else None,
            licences=licences(self._drives(slot, block), papers, born) if chair.chair.code != "03" and not died else (),
            household_id=family.index if chair.resident else None,
            position=Position(
                "reference" if chair.seat == 0 else "member", self._code(slot, family), text(self._joined(slot, family))
            )
            if chair.resident
            else None,
            parents=self._parents(chair.chair.code, relatives, block),
            children=self._children(chair.chair.code, relatives, seats, block),
            language=family.language,
            living_wage=wages,
            statuses=statuses(wages, help_, born),
            integrations=integrations(wages, papers),
        )

    def _partner(self, slot: int, block: int, family: Family) -> str | None:
        if family.bond in ("none", "divorced") or SLOTS[slot].seat > 1:
            return None
        return self._roll.number(SEATS[family.house][1 - SLOTS[slot].seat], block)

    def _death_day(self, family: Family, born: int) -> int:
        reference = self._roll.day(SEATS[family.house][0], family.block)
        first = max(born, reference) + round(55 * YEAR)
        return first + scatter(self._surname_key, family.index) % (HORIZON - first)

    def _civil_states(self, slot: int, family: Family, born: int, partner: str | None) -> tuple[CivilState, ...]:
        chair, wedding = SLOTS[slot], family.bond_day
        if chair.seat > 1 or family.bond not in ("married", "widowed", "divorced") or chair.chair.code == "03":
            return (CivilState("10", text(born)),)
        single = CivilState("10", text(born), text(wedding))
        if family.bond == "divorced":
            parted = wedding + 365 + scatter(self._surname_key, ~family.index) % max(HORIZON - wedding - 400, 1)
            return CivilState("40", text(parted)), CivilState("20", text(wedding), text(parted)), single
        if family.bond == "widowed":
            late = self._death_day(family, self._roll.day(SEATS[family.house][1], family.block))
            married = CivilState("20", text(wedding), text(late), partner)
            return (married, single) if chair.seat else (CivilState("30", text(late), None, partner), married, single)
        return CivilState("20", text(wedding), None, partner), single

    def _residences(
        self, slot: int, family: Family, born: int, died: int, moves: int, origin: int
    ) -> tuple[tuple[Residence, ...], int]:
        """Newest first, and the day the first of them began (for foreigners: the day they arrived)."""
        chair = SLOTS[slot]
        adult = born + round(18 * YEAR)
        if chair.resident:
            began = self._joined(slot, family)
            home = self._places.address(self._families.home(family.index))
            current = Residence("main", home, None, None, text(began))
        else:
            began = died or adult + moves % (HORIZON - adult)
            current = elsewhere(chair.chair.fate, began, family, moves)
        older: list[Residence] = []
        first = adult if moves % 100 < 70 or family.origin != "150" else born
        for _ in range(2 if not chair.resident else moves % 3):
            if began - first < 400:
                break
            start = max(first, began - 300 - moves % 4000)
            older.append(
                Residence("main", self._places.anywhere(scatter(moves, start)), None, None, text(start), text(began))
            )
            began = start
        return ((*older,) if died else (current, *older)), began

    def _parents(self, code: str, relatives: dict[str, int], block: int) -> tuple[str | None, ...]:
        if code == "03":
            second = relatives.get("02")
            return (self._roll.number(relatives["01"], block), self._roll.number(second, block) if second else None)
        if code in ("01", "09") and "06" in relatives:
            return self._roll.number(relatives["06"], block), None
        return ()

    def _children(self, code: str, relatives: dict[str, int], seats: tuple[int, ...], block: int) -> tuple[str, ...]:
        if code == "06":
            wanted: tuple[str, ...] = ("01", "09")
        elif code == "02" or (code == "01" and "03" in relatives):
            wanted = ("03",)
        else:
            return ()
        return tuple(self._roll.number(seat, block) for seat in seats if SLOTS[seat].chair.code in wanted)
