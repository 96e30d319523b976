"""The objects of BeSt as the mapping wants them: what they point to put inside, their own number beside their id.

An id is namespace / kind / object / version, such as https://databrussels.be/id/address/219307/2, and it is one
URL-encoded segment of the place where the object is served.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, unquote

API: Final = "/belgianAddress/v2"
POINTERS: Final = {"hasStreetName": "streets", "hasMunicipality": "municipalities", "hasPostalInfo": "postalInfos"}

_ID: Final = re.compile(r"https?://[a-z0-9.-]{3,80}/id/[A-Za-z]{3,30}/(\d{1,12})/[A-Za-z0-9:.+-]{1,40}", re.ASCII)


def number_of(identifier: str) -> str | None:
    """The object's own number, which outlives its versions.

    >>> number_of("https://databrussels.be/id/address/219307/2"), number_of("https://elsewhere.example/a")
    ('219307', None)
    """
    found = _ID.fullmatch(identifier)
    return found[1] if found else None


def place(collection: str, identifier: str) -> str:
    """Where an object is served; the id is one segment, so its slashes are encoded.

    >>> place("streets", "https://databrussels.be/id/streetname/7/1")
    '/belgianAddress/v2/streets/https%3A%2F%2Fdatabrussels.be%2Fid%2Fstreetname%2F7%2F1'
    """
    return f"{API}/{collection}/{quote(identifier, safe='')}"


def collection_of(href: str) -> str:
    """The collection in the place of an object.

    >>> collection_of("/belgianAddress/v2/streets/https%3A%2F%2Fdatabrussels.be%2Fid%2Fstreetname%2F7%2F1")
    'streets'
    """
    return href.rpartition("/")[0].rpartition("/")[2]


def pointed(item: Mapping[str, Any], name: str) -> str | None:
    """The id that an item points to, out of its href; None when it points nowhere that can be an object of BeSt."""
    identifier = unquote(item[name]["href"].rpartition("/")[2]) if name in item else ""
    return identifier if number_of(identifier) else None


def finished(item: dict[str, Any], embedded: Mapping[str, Any]) -> dict[str, Any]:
    """The item with its number, with what it points to, and without a position that means "never positioned"."""
    item["objectIdentifier"] = number_of(item["id"])
    for name, collection in POINTERS.items():
        if name in item:
            href = item[name]["href"]
            inside = (embedded.get(href) if collection_of(href) == collection else None) or {}
            identifier = pointed(item, name)
            item[name] = {**inside, "objectIdentifier": identifier and number_of(identifier)}
    point = item.get("addressPosition", {}).get("lambert72", {})
    if not point.get("x") and not point.get("y"):  # (0, 0) in Lambert 72 is a field in France
        item.pop("addressPosition", None)
    return item
