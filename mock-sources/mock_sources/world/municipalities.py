"""The nineteen municipalities of the Brussels-Capital Region: NIS codes, postcodes, rough sizes and positions.

Codes, names and main postcodes as in BeSt and REFNIS 2025. Sizes are rounded to the order of the real ones, positions
are roughly the middle in Lambert 72; neither claims to be a statistic.
"""

from __future__ import annotations

from dataclasses import dataclass

from mock_sources.world.facts import Municipality, Names


@dataclass(frozen=True, slots=True)
class Territory:
    """A municipality and what the arithmetic needs to fill it."""

    municipality: Municipality
    thousands: float  # residents
    east: int  # Lambert 72 of the middle, metres
    north: int
    reach: int  # metres from the middle to the edge
    postcode_cycle: tuple[str, ...]  # street k of the municipality lies in postcode_cycle[k % length]


def _territory(
    nis: str,
    fr: str,
    nl: str,
    postcodes: str,
    thousands: float,
    middle: tuple[int, int],
    reach: int,
    dutch: int,
    cycle: str = "",
) -> Territory:
    codes = tuple(postcodes.split())
    municipality = Municipality(nis, Names(nl=nl, fr=fr), codes, dutch)
    return Territory(municipality, thousands, *middle, reach, tuple(cycle.split()) or codes)


# One street in sixteen of the City of Brussels has a 1050 postcode: a postcode does not tell the municipality.
_BRUSSELS_CYCLE = "1000 1020 1000 1020 1120 1000 1020 1000 1130 1000 1020 1000 1120 1000 1020 1050"

TERRITORIES: tuple[Territory, ...] = (
    _territory("21001", "Anderlecht", "Anderlecht", "1070", 127, (145600, 168800), 2400, 15),
    _territory("21002", "Auderghem", "Oudergem", "1160", 35.5, (154300, 166900), 1600, 17),
    _territory("21003", "Berchem-Sainte-Agathe", "Sint-Agatha-Berchem", "1082", 26.5, (144800, 173000), 900, 22),
    _territory(
        "21004", "Bruxelles", "Brussel", "1000 1020 1050 1120 1130", 197, (149300, 172200), 3400, 18, _BRUSSELS_CYCLE
    ),
    _territory("21005", "Etterbeek", "Etterbeek", "1040", 49.5, (151700, 169100), 1000, 13),
    _territory("21006", "Evere", "Evere", "1140", 45, (153200, 173300), 1300, 17),
    _territory("21007", "Forest", "Vorst", "1190", 57, (147500, 166300), 1400, 11),
    _territory("21008", "Ganshoren", "Ganshoren", "1083", 25.7, (146100, 173800), 900, 21),
    _territory("21009", "Ixelles", "Elsene", "1050", 89, (150700, 168000), 1500, 10),
    _territory("21010", "Jette", "Jette", "1090", 54, (146900, 174200), 1300, 24),
    _territory("21011", "Koekelberg", "Koekelberg", "1081", 22.5, (146400, 172500), 600, 18),
    _territory("21012", "Molenbeek-Saint-Jean", "Sint-Jans-Molenbeek", "1080", 98.5, (146500, 171600), 1500, 14),
    _territory("21013", "Saint-Gilles", "Sint-Gillis", "1060", 49.5, (148500, 168400), 900, 8),
    _territory("21014", "Saint-Josse-ten-Noode", "Sint-Joost-ten-Node", "1210", 27, (150300, 171600), 600, 9),
    _territory("21015", "Schaerbeek", "Schaarbeek", "1030", 131, (151600, 172700), 1700, 11),
    _territory("21016", "Uccle", "Ukkel", "1180", 86.5, (149000, 164300), 2700, 10),
    _territory("21017", "Watermael-Boitsfort", "Watermaal-Bosvoorde", "1170", 25.8, (153500, 165000), 2100, 14),
    _territory("21018", "Woluwe-Saint-Lambert", "Sint-Lambrechts-Woluwe", "1200", 60, (154800, 170400), 1500, 12),
    _territory("21019", "Woluwe-Saint-Pierre", "Sint-Pieters-Woluwe", "1150", 42.8, (155600, 169000), 1700, 13),
)

INDEX_OF_NIS = {territory.municipality.nis: index for index, territory in enumerate(TERRITORIES)}


def share_out(total: int) -> tuple[int, ...]:
    """Divide `total` households over the municipalities by size; the rounding goes to the largest.

    >>> sum(share_out(560_000)), share_out(560_000)[INDEX_OF_NIS["21009"]]
    (560000, 39878)
    """
    whole = sum(territory.thousands for territory in TERRITORIES)
    shares = [int(total * territory.thousands / whole) for territory in TERRITORIES]
    largest = shares.index(max(shares))
    shares[largest] += total - sum(shares)
    return tuple(shares)


def public_body_first_eight(nis: str, kind: str) -> int:
    """First eight digits of the invented KBO number of a municipality ("411") or its OCMW/CPAS ("412").

    >>> public_body_first_eight("21009", "411"), public_body_first_eight("21009", "412")
    (19921009, 19821009)
    """
    return int(("199" if kind == "411" else "198") + nis)
