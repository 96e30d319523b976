"""Streets and addresses of the Region, by arithmetic: an address id is its place in its municipality, both ways.

A municipality has streets in a cycle of eight lengths; a street is a row of house fronts in a cycle of ten, some of
them with boxes: twenty addresses in ten buildings. Dwellings are scattered over the addresses; one in nine is vacant
(shops, offices, empty), some of those retired. Three in a hundred households live at somebody else's address, so one
address may hold two. The last street of every municipality is kept for the personas and holds nobody derived.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from math import cos, sin

from mock_sources.world.arithmetic import Shuffle, key_for, scatter
from mock_sources.world.facts import Address, Names, Street
from mock_sources.world.municipalities import INDEX_OF_NIS, TERRITORIES, share_out
from mock_sources.world.streetnames import COUNT, street_names

HOUSEHOLDS = 560_000
PERSONA_STREET = Names(nl="Voorbeeldstraat", fr="Rue de l'Exemple")

_STREET_LENGTHS = (120, 320, 40, 200, 420, 80, 260, 160)  # addresses
_CYCLE = sum(_STREET_LENGTHS)
_STREET_STARTS = tuple(sum(_STREET_LENGTHS[:place]) for place in range(len(_STREET_LENGTHS)))
_ROW = 20  # addresses in ten buildings, nine house numbers (one of them also as A)
_NUMBERS_IN_ROW = 9
_FRONTAGE = 6  # metres a house
_BEND = 120  # a long street comes back on itself after so many numbers: it stays in its municipality
_UNPOSITIONED = 331  # one address in so many was never positioned
_FRONTS: tuple[tuple[int, str, str | None], ...] = (  # (number in the row, letter, box)
    (1, "", None),
    (2, "", None),
    (3, "", None),
    (4, "", "1"),
    (4, "", "2"),
    (4, "", "3"),
    (5, "", None),
    (6, "", None),
    (7, "", "11"),
    (7, "", "12"),
    (7, "", "21"),
    (7, "", "22"),
    (7, "", "31"),
    (7, "", "32"),
    (8, "", None),
    (8, "A", None),
    (9, "", "B1"),
    (9, "", "B2"),
    (9, "", "B3"),
    (9, "", "B4"),
)


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A street on the map: where it begins and how far each house lies from the one before, in metres."""

    street: Street
    east: float
    north: float
    step_east: float
    step_north: float

    def position(self, number: int) -> tuple[float, float]:
        along = number % _BEND
        return round(self.east + along * self.step_east, 1), round(self.north + along * self.step_north, 1)


@dataclass(frozen=True, slots=True)
class _Quarter:
    """One municipality in figures. Household ranks run over the whole Region, `first_rank` is this one's first."""

    first_rank: int
    households: int
    dwellings: int  # addresses with somebody living there
    addresses: int
    streets: int  # without the personas' street
    scatter: Shuffle  # dwelling -> address
    naming: Shuffle  # street -> name


class Places:
    """Every street and address, and who may live where; `seed` moves people around, never the map's outline."""

    def __init__(self, seed: int) -> None:
        self._position_key = key_for(seed, "position")
        self._state_key = key_for(seed, "address state")
        self._quarters = tuple(_quarters(seed))
        self._first_ranks = tuple(quarter.first_rank for quarter in self._quarters)
        # The map itself is drawn once: three thousand streets, about a megabyte. Addresses are not.
        self._streets = tuple(
            tuple(self._draw(place, rank) for rank in range(quarter.streets + 1))
            for place, quarter in enumerate(self._quarters)
        )

    # --- streets

    def _draw(self, quarter: int, rank: int) -> _Drawn:
        territory, figures = TERRITORIES[quarter], self._quarters[quarter]
        id = 10_000 * (quarter + 1) + rank
        cycle = territory.postcode_cycle
        names = PERSONA_STREET if rank == figures.streets else street_names(figures.naming[rank])
        code = f"{(rank * 7 + 1013) % 9973 + 1:04d}"
        street = Street(id, code, territory.municipality.nis, cycle[rank % len(cycle)], names)
        spot = scatter(self._position_key, id)
        angle, far = (spot & 0xFFFF) / 65536 * 6.283, (spot >> 16) / 65536 * territory.reach
        return _Drawn(street, territory.east + far * cos(angle), territory.north + far * sin(angle),
                      -_FRONTAGE * sin(angle), _FRONTAGE * cos(angle))  # fmt: skip

    def _drawn(self, id: int) -> _Drawn | None:
        quarter, rank = id // 10_000 - 1, id % 10_000
        if not 0 <= quarter < len(self._streets) or rank >= len(self._streets[quarter]):
            return None
        return self._streets[quarter][rank]

    def street(self, id: int) -> Street | None:
        """Street ids are 10 000 × (1 … 19) + rank in the municipality."""
        drawn = self._drawn(id)
        return drawn.street if drawn else None

    def street_ids(self, nis: str | None = None) -> Iterator[int]:
        """All street ids, of one municipality or of the Region, the personas' streets included."""
        chosen = range(len(self._quarters)) if nis is None else [INDEX_OF_NIS[nis]] if nis in INDEX_OF_NIS else []
        for quarter in chosen:
            yield from (drawn.street.id for drawn in self._streets[quarter])

    def persona_street(self, nis: str) -> Street:
        """The last street of a municipality. Raises `KeyError` for a municipality that is not in the Region."""
        return self._streets[INDEX_OF_NIS[nis]][-1].street

    # --- addresses

    def address(self, id: int) -> Address | None:
        """Address ids are 1 000 000 × (1 … 19) + rank in the municipality."""
        quarter, rank = id // 1_000_000 - 1, id % 1_000_000
        if not 0 <= quarter < len(self._quarters) or rank >= self._quarters[quarter].addresses:
            return None
        cycle, place = divmod(rank, _CYCLE)
        which = bisect_right(_STREET_STARTS, place) - 1
        row, front = divmod(place - _STREET_STARTS[which], _ROW)
        number, letter, box = _FRONTS[front]
        number += row * _NUMBERS_IN_ROW
        state = scatter(self._state_key, id)
        figures = self._quarters[quarter]
        retired = state % 7 == 0 and figures.scatter.back(rank) >= figures.dwellings
        drawn = self._streets[quarter][cycle * len(_STREET_LENGTHS) + which]
        x, y = (0.0, 0.0) if state % _UNPOSITIONED == 0 else drawn.position(number)
        return Address(id, drawn.street, f"{number}{letter}", box, "retired" if retired else "current",
                       state % 97 != 1, x, y)  # fmt: skip

    def position(self, street: Street, number: int) -> tuple[float, float]:
        """Lambert 72 metres of a house; (0, 0) in a street that is not on this map."""
        drawn = self._drawn(street.id)
        return drawn.position(number) if drawn else (0.0, 0.0)

    def addresses_in(self, street_id: int, number: str | None = None, box: str | None = None) -> Iterator[Address]:
        """The derived addresses of a street, in order along it, narrowed by house number and box when given."""
        first, length = self._extent(street_id)
        rows = range(length // _ROW)
        if number is not None:
            digits = "".join(character for character in number if character in "0123456789")
            row = (int(digits) - 1) // _NUMBERS_IN_ROW if digits and len(digits) < 6 else -1
            rows = range(row, row + 1) if row in rows else range(0)
        for row in rows:
            for place, (house, letter, flat) in enumerate(_FRONTS):
                if number is not None and number.upper() != f"{row * _NUMBERS_IN_ROW + house}{letter}":
                    continue
                if box is not None and box.upper() != flat:
                    continue
                address = self.address(first + row * _ROW + place)
                if address is not None:
                    yield address

    def _extent(self, street_id: int) -> tuple[int, int]:
        """Id of the first address in the street and how many follow; none in the personas' streets."""
        quarter, rank = street_id // 10_000 - 1, street_id % 10_000
        if not 0 <= quarter < len(self._quarters) or rank >= self._quarters[quarter].streets:
            return 0, 0
        cycle, which = divmod(rank, len(_STREET_LENGTHS))
        start = cycle * _CYCLE + _STREET_STARTS[which]
        length = min(_STREET_LENGTHS[which], self._quarters[quarter].addresses - start)
        return 1_000_000 * (quarter + 1) + start, length

    # --- who lives where

    def home_of(self, rank: int) -> int:
        """The address id of the household with this rank in the Region (0 … 559 999)."""
        quarter = bisect_right(self._first_ranks, rank) - 1
        figures = self._quarters[quarter]
        local = rank - figures.first_rank
        dwelling = local if local < figures.dwellings else local - figures.dwellings
        return 1_000_000 * (quarter + 1) + figures.scatter[dwelling]

    def ranks_at(self, address_id: int) -> tuple[int, ...]:
        """The inverse of `home_of`: no, one or two households."""
        quarter, place = address_id // 1_000_000 - 1, address_id % 1_000_000
        if not 0 <= quarter < len(self._quarters) or place >= self._quarters[quarter].addresses:
            return ()
        figures = self._quarters[quarter]
        dwelling = figures.scatter.back(place)
        if dwelling >= figures.dwellings:
            return ()
        ranks = (dwelling, dwelling + figures.dwellings)
        return tuple(figures.first_rank + local for local in ranks if local < figures.households)

    def ranks_in(self, nis: str) -> range:
        """The household ranks of one municipality."""
        if nis not in INDEX_OF_NIS:
            return range(0)
        figures = self._quarters[INDEX_OF_NIS[nis]]
        return range(figures.first_rank, figures.first_rank + figures.households)

    def quarter_of(self, rank: int) -> int:
        """Which municipality (place in `TERRITORIES`) a household rank falls in."""
        return bisect_right(self._first_ranks, rank) - 1

    def anywhere(self, choice: int, quarter: int | None = None) -> Address:
        """Some address of the Region (or of one municipality), the same for the same `choice` (32 bits)."""
        where = choice % len(self._quarters) if quarter is None else quarter
        rank = choice // 19 % self._quarters[where].addresses
        address = self.address(1_000_000 * (where + 1) + rank)
        if address is None:
            raise LookupError(f"no address {rank} in municipality {where}")
        return address

    @property
    def counts(self) -> dict[str, int]:
        return {
            "addresses": sum(quarter.addresses for quarter in self._quarters),
            "streets": sum(quarter.streets + 1 for quarter in self._quarters),
        }


def _quarters(seed: int) -> Iterator[_Quarter]:
    first_rank = 0
    for place, households in enumerate(share_out(HOUSEHOLDS)):
        dwellings = -(-households * 97 // 100)
        addresses = -(-dwellings * 112 // 100 // 200) * 200  # a round figure, so that the shuffle's grid is near square
        cycles, rest = divmod(addresses, _CYCLE)
        streets = cycles * len(_STREET_LENGTHS) + (bisect_right(_STREET_STARTS, rest - 1) if rest else 0)
        yield _Quarter(
            first_rank,
            households,
            dwellings,
            addresses,
            streets,
            Shuffle(addresses, key_for(seed, f"homes {place}")),
            Shuffle(COUNT, key_for(seed, f"street names {place}")),
        )
        first_rank += households
