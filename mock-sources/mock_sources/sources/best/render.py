"""One object of BeSt as JSON.

`everything` is what an over-delivering BeSt would give: life span, parcel and successors on every object.
"""

from __future__ import annotations

from typing import Any

from mock_sources.sources.best.geo import wgs84
from mock_sources.sources.best.ids import href, identifier
from mock_sources.world.facts import Address, Municipality, Names, Street


def municipality(facts: Municipality) -> dict[str, Any]:
    """A municipality; its NIS code is text of five characters."""
    return {**_same("municipality", int(facts.nis)), "name": _names(facts.names), "nisCode": facts.nis}


def postal_info(postcode: str, names: Names) -> dict[str, Any]:
    """A postcode with the name of its part of town."""
    return {**_same("postalinfo", int(postcode)), "name": _names(names), "postCode": postcode}


def street(facts: Street) -> dict[str, Any]:
    """A street name."""
    return {
        **_same("streetname", facts.id),
        "name": _names(facts.names),
        "streetNameStatus": "current",
        "type": "streetname",
        "hasMunicipality": {"href": href("municipality", int(facts.nis))},
        "hasPostalInfo": {"href": href("postalinfo", int(facts.postcode))},
    }


def address(facts: Address) -> dict[str, Any]:
    """An address. One that was never positioned is at (0, 0) in Lambert 72, which in WGS 84 lies in France."""
    shown: dict[str, Any] = {**_same("address", facts.id), "houseNumber": facts.number}
    if facts.box is not None:
        shown["boxNumber"] = facts.box
    lat, long = wgs84(facts.x, facts.y)
    return {
        **shown,
        "hasStreetName": {"href": href("streetname", facts.street.id)},
        "hasMunicipality": {"href": href("municipality", int(facts.nis))},
        "hasPostalInfo": {"href": href("postalinfo", int(facts.postcode))},
        "addressStatus": facts.status,
        "officiallyAssigned": facts.officially_assigned,
        "addressPosition": {
            "lambert72": {"x": facts.x, "y": facts.y},
            "wgs84": {"lat": round(lat, 7), "long": round(long, 7)},
        },
    }


def everything(item: dict[str, Any]) -> dict[str, Any]:
    """The item with all that nobody asked."""
    return {
        **item,
        "beginLifeSpanVersion": "2014-01-01T00:00:00+01:00",
        "isAssignedToAddressableObject": [{"type": "parcel", "code": "21009A0123/00B000"}],
        "predecessor": [item["id"].rsplit("/", 1)[0] + "/1"],
        "assignedBy": {"name": {"nl": "Dienst Bevolking", "fr": "Service Population"}, "phone": "+3225550100"},
    }


def _same(kind: str, number: int) -> dict[str, Any]:
    return {"href": href(kind, number), "id": identifier(kind, number)}


def _names(names: Names) -> dict[str, str]:
    shown = {"fr": names.fr, "nl": names.nl}
    return shown if names.de is None else {**shown, "de": names.de}
