"""The region's places, found: one method per collection, each giving (how many in all, this page of them).

Counting the addresses of a whole municipality walks its streets once; the counts are kept, and between streets
other calls get their turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

from mock_sources.sources.best import render
from mock_sources.sources.best.geo import lambert72
from mock_sources.sources.best.ids import number_of
from mock_sources.sources.best.question import Question
from mock_sources.sources.best.spelling import Spellings
from mock_sources.world import World
from mock_sources.world.facts import Address, Municipality, Names, Street

Page = tuple[int, list[dict[str, Any]]]

_PARTS = {  # postcodes that have a name of their own inside the City of Brussels
    "1020": Names(nl="Laken", fr="Laeken"),
    "1120": Names(nl="Neder-Over-Heembeek", fr="Neder-Over-Heembeek"),
    "1130": Names(nl="Haren", fr="Haren"),
}


class Gazetteer:
    """Answers questions about places from the world; knows every street by name."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._municipalities = world.municipalities()
        self._streets = tuple(world.streets())
        self._municipality_names = Spellings((one, one.names) for one in self._municipalities)
        self._street_names = Spellings((one, one.names) for one in self._streets)
        self._postcodes = self._named_postcodes()
        self._postal_names = Spellings((code, names) for code, (names, _) in self._postcodes.items())
        self._counts: dict[int, int] = {}

    # --- one object by its number

    def one(self, kind: str, number: int) -> dict[str, Any] | None:
        """The object of that kind, or None."""
        if kind == "municipality":
            held = self._world.municipality(f"{number:05d}")
            return None if held is None else render.municipality(held)
        if kind == "postalinfo":
            names = self._postcodes.get(f"{number:04d}")
            return None if names is None else render.postal_info(f"{number:04d}", names[0])
        if kind == "streetname":
            street = self._world.street(number)
            return None if street is None else render.street(street)
        address = self._world.address(number)
        return None if address is None else render.address(address)

    # --- collections

    async def municipalities(self, question: Question) -> Page:
        """By name, NIS code or postcode."""
        found: Sequence[Municipality] = self._municipalities
        if name := question.get("name"):
            found = self._municipality_names.find(name)
        found = _kept(found, question.get("nisCode"), lambda one: one.nis)
        if postcode := question.get("postCode"):
            found = [one for one in found if postcode in one.postcodes]
        return len(found), [render.municipality(one) for one in _page(found, question)]

    async def postal_infos(self, question: Question) -> Page:
        """By postcode, name or municipality."""
        found: Sequence[str] = sorted(self._postcodes)
        if name := question.get("name"):
            found = self._postal_names.find(name)
        found = _kept(found, question.get("postCode"), lambda code: code)
        if nis := question.get("nisCode"):
            found = [code for code in found if nis in self._postcodes[code][1]]
        return len(found), [render.postal_info(code, self._postcodes[code][0]) for code in _page(found, question)]

    async def streets(self, question: Question) -> Page:
        """By name, municipality or postcode."""
        found = self._streets_named(question.get("name"))
        found = _kept(found, question.get("nisCode"), lambda one: one.nis)
        found = _kept(found, question.get("postCode"), lambda one: one.postcode)
        if wanted := question.get("municipalityId"):
            nis = f"{number_of('municipality', wanted):05d}"
            found = [one for one in found if one.nis == nis]
        return len(found), [render.street(one) for one in _page(found, question)]

    async def addresses(self, question: Question) -> Page:
        """By street (id or name), municipality or postcode; then by house, box, and distance from a point."""
        streets = self._streets_of(question)
        if any(question.get(name) for name in ("houseNumber", "boxNumber", "radius")):
            found = await self._narrowed(streets, question)
            return len(found), [render.address(one) for one in _page(found, question)]
        return await self._whole_streets(streets, question)

    def elsewhere(self, kind: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Another object of that kind than the one asked: what a source gives that mixes up its records."""
        first, far_nis = self._streets[0], self._municipalities[-1].nis
        last = next(one for one in self._streets if one.nis == far_nis)
        others: dict[str, Callable[[], list[dict[str, Any]]]] = {
            "municipality": lambda: [
                render.municipality(one) for one in (self._municipalities[0], self._municipalities[-1])
            ],
            "postalinfo": lambda: [render.postal_info(code, self._postcodes[code][0]) for code in ("1083", "1150")],
            "streetname": lambda: [render.street(one) for one in (first, last)],
            "address": lambda: [render.address(next(self._world.addresses(one.id))) for one in (first, last)],
        }
        far = [one for one in others[kind]() if one["id"] != asked["id"]]
        return next((one for one in far if one.get("hasMunicipality") != asked.get("hasMunicipality")), far[0])

    # --- within

    def _streets_named(self, name: str | None) -> Sequence[Street]:
        return self._streets if name is None else self._street_names.find(name)

    def _streets_of(self, question: Question) -> Sequence[Street]:
        found = self._streets_named(question.get("streetName"))
        if wanted := question.get("streetId"):
            number = number_of("streetname", wanted)
            held = self._world.street(number) if number is not None else None
            found = [one for one in ([held] if held else []) if question.get("streetName") is None or one in found]
        found = _kept(found, question.get("nisCode"), lambda one: one.nis)
        found = _kept(found, question.get("postCode"), lambda one: one.postcode)
        if name := question.get("municipalityName"):
            codes = {one.nis for one in self._municipality_names.find(name)}
            found = [one for one in found if one.nis in codes]
        return found

    async def _narrowed(self, streets: Sequence[Street], question: Question) -> list[Address]:
        number, box, place = question.get("houseNumber"), question.get("boxNumber"), question.place()
        near = _near(place, question.get("crs") or "wgs84") if place else None
        found: list[Address] = []
        for street in streets:
            held = self._world.addresses(street.id, number, box)
            found += held if near is None else (one for one in held if near(one))
            await asyncio.sleep(0)
        return found

    async def _whole_streets(self, streets: Sequence[Street], question: Question) -> Page:
        """Skip the streets before the page by their counts; make only the addresses that are shown."""
        skip, total = (question.page - 1) * question.page_size, 0
        shown: list[dict[str, Any]] = []
        for street in streets:
            count = await self._count(street)
            if total + count > skip and len(shown) < question.page_size:
                start = max(0, skip - total)
                held = islice(self._world.addresses(street.id), start, start + question.page_size - len(shown))
                shown += [render.address(one) for one in held]
            total += count
        return total, shown

    async def _count(self, street: Street) -> int:
        count = self._counts.get(street.id)
        if count is None:
            await asyncio.sleep(0)
            count = self._counts[street.id] = sum(1 for _ in self._world.addresses(street.id))
        return count

    def _named_postcodes(self) -> dict[str, tuple[Names, set[str]]]:
        """Every postcode with its name and the municipalities it serves; the first that lists it alone names it."""
        found: dict[str, tuple[Names, set[str]]] = {}
        for one in sorted(self._municipalities, key=lambda held: len(held.postcodes)):
            for code in one.postcodes:
                found.setdefault(code, (_PARTS.get(code, one.names), set()))[1].add(one.nis)
        return found


def _kept(found: Sequence[Any], wanted: str | None, key: Callable[[Any], str]) -> Sequence[Any]:
    return found if wanted is None else [one for one in found if key(one) == wanted]


def _page(found: Sequence[Any], question: Question) -> Sequence[Any]:
    start = (question.page - 1) * question.page_size
    return found[start : start + question.page_size]


def _near(place: tuple[float, float, float], crs: str) -> Callable[[Address], bool]:
    """A test: positioned, and no farther than the radius from the point."""
    x, y = lambert72(crs, place[0], place[1])
    reach = place[2] ** 2
    return lambda one: one.positioned and (one.x - x) ** 2 + (one.y - y) ** 2 <= reach
