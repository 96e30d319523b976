"""The nineteen municipalities and their OCMW/CPAS as enterprises, under invented KBO numbers that say which is which.

The number is 199 or 198, the NIS code and the check: Ixelles/Elsene is 1992100904, its OCMW/CPAS 1982100902.
"""

from __future__ import annotations

from mock_sources.world.facts import Activity, Coded, Denomination, Enterprise, Establishment, PlacedAt, Situation
from mock_sources.world.identifiers import checked_first_eight, enterprise_number
from mock_sources.world.municipalities import INDEX_OF_NIS, TERRITORIES, public_body_first_eight
from mock_sources.world.places import Places

_SINCE = "1977-01-01"
_LABELS = {
    "411": ("Administration communale {}", "Gemeentebestuur van {}", "84111"),
    "412": ("Centre public d'action sociale {}", "Openbaar Centrum voor Maatschappelijk Welzijn van {}", "88992"),
}
_UNIT_FIRST_EIGHT = {"411": 79_000_000, "412": 79_100_000}  # establishment units, + NIS code


def public_body(number: str, places: Places) -> Enterprise | None:
    """The municipality or OCMW/CPAS with this number, None when it is neither's."""
    first_eight = checked_first_eight(number)
    if first_eight is None:
        return None
    kind, nis = {"199": "411", "198": "412"}.get(number[:3]), number[3:8]
    return _enterprise(kind, nis, places) if kind and nis in INDEX_OF_NIS else None


def public_body_of_unit(number: str, places: Places) -> Enterprise | None:
    """The one whose establishment unit this is."""
    first_eight = checked_first_eight(number) or 0
    for kind, first in _UNIT_FIRST_EIGHT.items():
        if str(first_eight - first) in INDEX_OF_NIS:
            return _enterprise(kind, str(first_eight - first), places)
    return None


def public_bodies(places: Places) -> tuple[Enterprise, ...]:
    """All thirty-eight."""
    return tuple(_enterprise(kind, nis, places) for kind in _LABELS for nis in INDEX_OF_NIS)


def _enterprise(kind: str, nis: str, places: Places) -> Enterprise:
    territory = TERRITORIES[INDEX_OF_NIS[nis]]
    french, dutch, nace = _LABELS[kind]
    names = territory.municipality.names
    number = enterprise_number(public_body_first_eight(nis, kind))
    seat = next(places.addresses_in(next(places.street_ids(nis)), number="1" if kind == "411" else "3"))
    unit = Establishment(enterprise_number(_UNIT_FIRST_EIGHT[kind] + int(nis)), number, (), seat, _SINCE)
    return Enterprise(
        number=number,
        kind="2",
        status="AC",
        names=(
            Denomination(french.format(_of(names.fr)), "1", "001", _SINCE),
            Denomination(dutch.format(names.nl), "2", "001", _SINCE),
        ),
        legal_forms=(Coded(kind, _SINCE),),
        situations=(Situation("000", _SINCE),),
        addresses=(PlacedAt("REGO", seat, _SINCE),),
        establishments=(unit,),
        start=_SINCE,
        activities=(Activity(nace, "MAIN", "003", _SINCE),),
    )


def _of(french: str) -> str:
    """`de Forest`, `d'Ixelles`."""
    return f"d'{french}" if french[0] in "AEIU" else f"de {french}"
