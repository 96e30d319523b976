"""Who holds what: the goods of named cases as goods.yaml tells them; of everybody else, whether their home is their own.

A derived parcel is numbered by its address, so it is one parcel whoever is asked about: street and house in the capakey,
the box in the part. Two households out of five own their home, the reference person and the spouse half each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from zlib import crc32

import yaml

from mock_sources.world import World
from mock_sources.world.facts import Address, Household

_OWNERS_IN_FIVE = 2
_SPOUSE = "02"


@dataclass(frozen=True, slots=True)
class Good:
    """A right of somebody on a parcel, and the parcel."""

    ssin: str
    right: str  # PP full ownership · NP bare · US usufruct
    share: tuple[int, int]
    since: str
    until: str | None  # the first day on which it holds no more
    parcel: str
    nature: str
    income: int  # EUR a year, not indexed, of the whole parcel
    address: Mapping[str, Any]

    def held_on(self, day: str) -> bool:
        return self.since <= day and (self.until is None or day < self.until)


class Land:
    """Answers about one person at a time; holds the named cases only."""

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def year(self) -> int:
        return self._world.today.year

    def goods(self, ssin: str, year: int) -> list[Good]:
        """What this person held on 1 January, several rights on one parcel apart."""
        named = [one for one in self._named if one.ssin == ssin]
        return [one for one in named or self._home(ssin) if one.held_on(f"{year}-01-01")]

    def other_than(self, ssin: str) -> Good:
        """A right of somebody else, well formed and in force."""
        return next(one for one in self._named if one.ssin != ssin and one.until is None)

    @cached_property
    def _named(self) -> tuple[Good, ...]:
        told = yaml.safe_load(Path(__file__).with_name("goods.yaml").read_text("utf-8"))
        return tuple(good for parcel in told for good in self._told(parcel))

    def _told(self, parcel: Mapping[str, Any]) -> Iterator[Good]:
        street = self._world.region.places.persona_street(parcel["nis"])
        address = _address(Address(0, street, parcel["number"]))
        for holder in parcel["holders"]:
            numerator, denominator = holder["share"]
            yield Good(
                holder["ssin"], holder["right"], (numerator, denominator), parcel["since"], parcel.get("until"),
                parcel["parcel"], parcel["nature"], parcel["income"], address,
            )  # fmt: skip

    def _home(self, ssin: str) -> list[Good]:
        if any(one.ssin == ssin for one in self._world.personas.values()):
            return []  # a named case of whom goods.yaml tells nothing owns nothing
        household = self._world.household_of(ssin)
        if household is None or household.address is None or not _own(household):
            return []
        owners = [one for one in household.members if one is household.members[0] or one.code == _SPOUSE]
        address, since = household.address, household.members[0].since
        return [
            Good(one.ssin, "PP", (1, len(owners)), since, None, parcel_of(address),
                 "APARTMENT" if address.box else "HOUSE", 500 + address.id * 7919 % 1500, _address(address))
            for one in owners if one.ssin == ssin
        ]  # fmt: skip


def parcel_of(address: Address) -> str:
    """Section A is kept for named cases."""
    rank, digits = address.street.id % 10_000, "".join(one for one in address.number if one.isdigit())
    letter = address.number[-1] if address.number[-1].isalpha() else "_"
    part = 0 if address.box is None else crc32(address.box.encode()) % 9999 + 1
    bis, power = divmod(int(digits), 1000)
    return f"218{address.street.nis[-2:]}{'BCDEFGHIJK'[rank // 1000]}{rank:04d}/{bis:02d}{letter}{power:03d}P{part:04d}"


def _own(household: Household) -> bool:
    return household.collective == "00" and crc32(f"owner {household.id}".encode()) % 5 < _OWNERS_IN_FIVE


def _address(address: Address) -> dict[str, Any]:
    street = address.street
    told = {
        "streetName": {"nl": street.names.nl, "fr": street.names.fr},
        "houseNumber": address.number,
        "postCode": street.postcode,
        "municipalityCode": street.nis,
    }
    return told if address.box is None else {**told, "boxNumber": address.box}
