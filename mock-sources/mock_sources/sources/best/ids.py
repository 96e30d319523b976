"""BeSt identifiers: namespace, object identifier and version in one address, and where the object is served.

https://databrussels.be/id/address/7001234/2      kind address, object 7001234, version 2
/belgianAddress/v2/addresses/https%3A%2F%2F…      its place in the API: the whole id, URL-encoded
"""

from __future__ import annotations

import re
from urllib.parse import quote

API = "/belgianAddress/v2/"
_NAMESPACE = "https://databrussels.be/id/"
COLLECTIONS = {
    "municipality": "municipalities",
    "streetname": "streets",
    "address": "addresses",
    "postalinfo": "postalInfos",
}
"""Kind in an id -> collection in the API."""

_FORM = re.compile(
    re.escape(_NAMESPACE) + r"(municipality|streetname|address|postalinfo)/([1-9]\d{0,8})/([1-9]\d{0,3})", re.ASCII
)


def identifier(kind: str, number: int) -> str:
    """The id of an object in its present version.

    >>> identifier("municipality", 21009)
    'https://databrussels.be/id/municipality/21009/2'
    """
    return f"{_NAMESPACE}{kind}/{number}/{version(number)}"


def href(kind: str, number: int) -> str:
    """The place of an object in the API, relative to it.

    >>> href("postalinfo", 1050)
    '/belgianAddress/v2/postalInfos/https%3A%2F%2Fdatabrussels.be%2Fid%2Fpostalinfo%2F1050%2F3'
    """
    return f"{API}{COLLECTIONS[kind]}/{quote(identifier(kind, number), safe='')}"


def version(number: int) -> int:
    """Which version an object is in; another one is an id of the past, which this API does not serve."""
    return number % 4 + 1


def number_of(kind: str, text: str) -> int | None:
    """The object identifier in an id of that kind and present version; None for anything else.

    >>> number_of("address", identifier("address", 7001234))
    7001234
    >>> number_of("address", "https://databrussels.be/id/address/7001234/9") is None
    True
    """
    found = _FORM.fullmatch(text)
    if found is None or found[1] != kind:
        return None
    number = int(found[2])
    return number if int(found[3]) == version(number) else None
