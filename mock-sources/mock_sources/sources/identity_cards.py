"""Everybody's identity card, derived from their number: the Rijksregister shows it, the Crossroads Bank checks it.

A number is twelve digits: 59 and a serial, then the first ten modulo 97 (97 for 0). A card lives ten years and is
renewed on the same day, so which one is valid depends on the day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from zlib import crc32

from mock_sources.world.facts import Person

_YEARS = 10


@dataclass(frozen=True, slots=True)
class IdentityCard:
    """One card; dates are `YYYY-MM-DD`."""

    number: str
    kind: str  # 0000 Belgian, 0010 residence permit, 0070 Kids-ID
    issued: str
    expires: str


def identity_card(person: Person, today: date) -> IdentityCard | None:
    """The card that is valid today; None for the dead and for those who never came to a municipal desk."""
    if person.register != "RR" or person.death is not None or person.residence is None:
        return None
    seed = crc32(person.ssin.encode())
    day = date(today.year, 1 + seed % 12, 1 + seed // 12 % 28)
    years_ago = (today.year - seed // 400) % _YEARS
    issued = day.replace(year=today.year - years_ago)
    if issued > today:
        issued = issued.replace(year=issued.year - _YEARS)
    born = person.birth_date
    if f"{issued:%Y-%m-%d}" < born:  # no card is older than its bearer
        issued = date(int(born[:4]), max(1, int(born[5:7])), min(28, max(1, int(born[8:10]))))
    expires = issued.replace(year=issued.year + _YEARS)
    return IdentityCard(_number(person.ssin, issued), _kind(person, today), issued.isoformat(), expires.isoformat())


def _kind(person: Person, today: date) -> str:
    if person.nationalities and person.nationalities[0].code != "150":
        return "0010"
    return "0070" if today.year - int(person.birth_date[:4]) < 12 else "0000"


def _number(ssin: str, issued: date) -> str:
    ten = 5_900_000_000 + crc32(f"{ssin}/{issued}".encode()) % 100_000_000
    return f"{ten}{ten % 97 or 97:02d}"
