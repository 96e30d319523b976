"""What a household shares: home, language, origin, surname, and how its couple came together. All from its index."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from mock_sources.world.arithmetic import Shuffle, key_for, scatter
from mock_sources.world.blocks import BLOCKS, HOUSEHOLDS_IN_BLOCK, SEATS, SLOTS, YEAR, Kind
from mock_sources.world.municipalities import TERRITORIES
from mock_sources.world.naming import surname_index
from mock_sources.world.places import HOUSEHOLDS, Places
from mock_sources.world.roll import Roll

HORIZON = date(2026, 1, 1).toordinal()  # derived events all lie before this day, whatever today is

# NIS codes of countries (general knowledge beyond the nine in the MAGDA set): how often out of 100 foreign households.
_ORIGINS = (
    ("111", 17),
    ("124", 13),
    ("354", 10),
    ("128", 9),
    ("109", 9),
    ("123", 7),
    ("122", 7),
    ("262", 5),
    ("103", 4),
    ("306", 4),
    ("129", 4),
    ("106", 4),
    ("114", 3),
    ("261", 2),
    ("402", 2),
)
COUNTRY_LABELS = {
    "111": "France",
    "124": "Roumanie",
    "354": "Maroc",
    "128": "Italie",
    "109": "Espagne",
    "123": "Portugal",
    "122": "Pologne",
    "262": "Turquie",
    "103": "Allemagne",
    "306": "Congo (RD)",
    "129": "Pays-Bas",
    "106": "Bulgarie",
    "114": "Grèce",
    "261": "Syrie",
    "402": "États-Unis",
}
_ORIGIN_BY_PERCENT = tuple(code for code, share in _ORIGINS for _ in range(share))


@dataclass(frozen=True, slots=True)
class Family:
    """A household before its members are told apart. Days are proleptic ordinals."""

    index: int  # household 0 … 559 999; -1 for people in no household
    house: int
    block: int
    quarter: int  # municipality, place in TERRITORIES
    language: str
    origin: str  # NIS country code, 150 = Belgium
    surname: int
    since: int  # the day the reference person moved in
    bond: str  # married | cohabiting | partners | divorced | widowed | none
    bond_day: int  # wedding or declaration; 0 without

    @property
    def kind(self) -> Kind:
        return SLOTS[SEATS[self.house][0]].kind


class Families:
    def __init__(self, seed: int, roll: Roll, places: Places) -> None:
        self._roll = roll
        self._places = places
        self._ranks = Shuffle(HOUSEHOLDS, key_for(seed, "household ranks"))
        self._keys = tuple(key_for(seed, f"family {topic}") for topic in ("speech", "name", "since", "bond"))

    def home(self, index: int) -> int:
        """Address id of a household."""
        return self._places.home_of(self._ranks[index])

    def households_at(self, address_id: int) -> tuple[int, ...]:
        return tuple(self._ranks.back(rank) for rank in self._places.ranks_at(address_id))

    def households_in(self, nis: str) -> tuple[range, Shuffle]:
        """Ranks of a municipality and the shuffle whose `back` makes household indexes of them."""
        return self._places.ranks_in(nis), self._ranks

    def family(self, house: int, block: int) -> Family:
        index, quarter, language, origin, name = self._roots(house, block)
        since, bond = (scatter(key, house * BLOCKS + block) for key in self._keys[2:])
        reference = self._roll.day(SEATS[house][0], block)
        kind, bond_day = self._bond(house, block, bond, reference)
        return Family(
            index,
            house,
            block,
            quarter,
            language,
            origin,
            name,
            _recent(reference + round(20 * YEAR), since),
            kind,
            bond_day,
        )

    def surname(self, house: int, block: int) -> tuple[int, str, str]:
        """Surname, language and origin without the rest: searching by name asks this for everybody born on a day."""
        _, _, language, origin, name = self._roots(house, block)
        return name, language, origin

    def _roots(self, house: int, block: int) -> tuple[int, int, str, str, int]:
        speech, name = (scatter(key, house * BLOCKS + block) for key in self._keys[:2])
        settled = house < HOUSEHOLDS_IN_BLOCK
        index = block * HOUSEHOLDS_IN_BLOCK + house if settled else -1
        quarter = self._places.quarter_of(self._ranks[index]) if settled else speech % len(TERRITORIES)
        foreign = speech // 100 % 100 < 34
        dutch = speech % 100 < TERRITORIES[quarter].municipality.language_split
        language = "nl" if dutch else "fr"
        origin = _ORIGIN_BY_PERCENT[speech // 10_000 % 100] if foreign else "150"
        return index, quarter, language, origin, surname_index(name, language, foreign)

    def _bond(self, house: int, block: int, draw: int, reference: int) -> tuple[str, int]:
        seats = SEATS[house]
        kind = SLOTS[seats[0]].kind.name
        if len(seats) > 1 and (SLOTS[seats[1]].chair.code == "02" or SLOTS[seats[1]].chair.fate == "late"):
            dice = draw % 100
            bond = (
                "widowed"
                if kind == "widowed"
                else ("married" if dice < 65 else "cohabiting" if dice < 80 else "partners")
            )
            adult = max(reference, self._roll.day(seats[1], block)) + round(20 * YEAR)
        elif kind == "divorced" or (kind.startswith("parent") and draw % 100 < 50):
            bond, adult = "divorced", reference + round(22 * YEAR)
        else:
            return "none", 0
        room = min(HORIZON - adult, 3650)
        return bond, adult + draw // 100 % max(room, 1)


def _recent(first: int, draw: int) -> int:
    """A day between `first` and the horizon, sooner than later: most people moved in the last years."""
    back = (draw % 1000) / 1000
    return HORIZON - 1 - int((HORIZON - 1 - first) * back * back)
