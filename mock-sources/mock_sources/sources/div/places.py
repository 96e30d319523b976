"""An address as DIV writes it: in one language, the titular's; plain texts for a driver, objects for a titular."""

from __future__ import annotations

from typing import Any

from mock_sources.world import World
from mock_sources.world.facts import Address, Names

_TYPE = {"@type": "http://www.w3.org/ns/locn#Address"}
_BELGIUM = {"nl": "België", "fr": "Belgique", "de": "Belgien"}


def titular_address(world: World, address: Address, spoken: str) -> dict[str, Any]:
    """`streetName` and `cityName` as objects with a `string`; `box` only where there is one."""
    street, city = _names(world, address, spoken)
    shown: dict[str, Any] = {**_TYPE, "streetName": {"string": street}, "houseNumber": address.number}
    if address.box is not None:
        shown["box"] = address.box
    return {**shown, "postalCode": address.postcode, "cityNisCode": address.nis, "cityName": {"string": city}}


def driver_address(world: World, address: Address, spoken: str, updated: dict[str, str]) -> dict[str, Any]:
    """The flat form that a driver's address has in `registrationsTitular`."""
    street, city = _names(world, address, spoken)
    shown = {
        **updated,
        "country": {"code": "150", "description": _BELGIUM[spoken]},
        "cityName": city,
        "cityNisCode": address.nis,
        "postalCode": address.postcode,
        "houseNumber": address.number,
        "streetName": street,
    }
    return shown if address.box is None else {"box": address.box, **shown}


def _names(world: World, address: Address, spoken: str) -> tuple[str, str]:
    municipality = world.municipality(address.nis)
    city = "" if municipality is None else _in(municipality.names, spoken)
    return _in(address.street.names, spoken), city


def _in(names: Names, spoken: str) -> str:
    """The name in that language; streets without a German name keep their French one."""
    return {"nl": names.nl, "fr": names.fr, "de": names.de or names.fr}[spoken]
