"""Lists: chosen by a filter, put in order, and given page by page (RFC 7644 §3.4.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from integrator.agents.scim.errors import invalid
from integrator.agents.scim.filters import Filter, Test, parse_filter
from integrator.agents.scim.paths import NoSuchPath, Place, find_place
from integrator.agents.scim.schemas import Kind
from integrator.agents.scim.shaping import wanted_places

LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
SEARCH = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
MOST = 200  # resources of one page
Resource = dict[str, Any]
_KNOWN = frozenset(
    {"attributes", "excludedattributes", "filter", "sortby", "sortorder", "startindex", "count", "schemas"}
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants listed, of one kind of resource."""

    kind: Kind
    filter: Filter | None = None
    sort: Place | None = None
    descending: bool = False
    start: int = 1
    count: int = MOST
    only: tuple[Place, ...] | None = None
    without: tuple[Place, ...] | None = None

    def exactly(self, name: str) -> str | None:
        """The value when the whole filter is `name eq "…"`: an index answers that at once."""
        one = self.filter
        if not isinstance(one, Test) or one.operator != "eq" or one.place.extension or one.place.part:
            return None
        named = one.place.attribute is not None and one.place.attribute.name == name
        return one.value if named and isinstance(one.value, str) else None


def read_asked(kind: Kind, said: Mapping[str, Any], *, address: bool) -> Asked:
    """From a query string (`address`: lists by comma, nothing personal) or a search request. Raises `ScimRefused`."""
    told = {name.lower(): value for name, value in said.items()}
    if not told.keys() <= _KNOWN:
        raise invalid("invalidSyntax", "There is a parameter that RFC 7644 §3.4.3 does not know.")
    text, by = _text(told, "filter"), _text(told, "sortby")
    chosen = parse_filter(kind, text) if text else None
    if address and chosen is not None and any(one.personal for one in chosen.places()):
        raise invalid("sensitive", "What is personal is asked with POST …/.search, never in an address.")
    order = (_text(told, "sortorder") or "ascending").lower()
    if order not in ("ascending", "descending"):
        raise invalid("invalidValue", "sortOrder is ascending or descending.")
    if told.get("attributes") is not None and told.get("excludedattributes") is not None:
        raise invalid("invalidValue", "attributes or excludedAttributes, not both.")
    return Asked(
        kind, chosen, _place(kind, by) if by else None, order == "descending",
        max(1, _whole(told, "startindex", 1)), min(MOST, max(0, _whole(told, "count", MOST))),
        wanted_places(kind, _names(told.get("attributes"))), wanted_places(kind, _names(told.get("excludedattributes"))),
    )  # fmt: skip


def read_shown(kind: Kind, said: Mapping[str, Any]) -> tuple[tuple[Place, ...] | None, tuple[Place, ...] | None]:
    """`attributes` and `excludedAttributes` beside one resource."""
    asked = read_asked(kind, said, address=True)
    return asked.only, asked.without


def listed(asked: Asked, resources: Iterable[Resource]) -> tuple[int, list[Resource]]:
    """(how many there are, those of this page), whole ones."""
    found = [one for one in resources if asked.filter is None or asked.filter.matches(one)]
    if asked.sort is not None:
        found.sort(key=_order(asked.sort), reverse=asked.descending)
    return len(found), found[asked.start - 1 : asked.start - 1 + asked.count]


def page(total: int, start: int, shown: list[Resource]) -> dict[str, Any]:
    """A ListResponse."""
    return {
        "schemas": [LIST],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": len(shown),
        "Resources": shown,
    }


def _order(place: Place) -> Callable[[Resource], tuple[bool, str]]:
    exact = place.leaf is not None and place.leaf.exact

    def key(resource: Resource) -> tuple[bool, str]:
        found = next((str(one) for one in place.values(resource)), None)
        return (found is None, "" if found is None else found if exact else found.casefold())  # without value: last

    return key


def _place(kind: Kind, name: str) -> Place:
    try:
        return find_place(kind, name)
    except NoSuchPath:
        raise invalid("invalidPath", "sortBy names an attribute that does not exist here.") from None


def _names(value: Any) -> list[str] | None:
    if value is None:
        return None
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
        raise invalid("invalidValue", "attributes are names.")
    return names


def _text(told: Mapping[str, Any], name: str) -> str | None:
    value = told.get(name)
    if not isinstance(value, str | None):
        raise invalid("invalidValue", f"{name} is text.")
    return value


def _whole(told: Mapping[str, Any], name: str, default: int) -> int:
    value = told.get(name)
    if value is None:
        return default
    if isinstance(value, str) and value.lstrip("-").isascii() and value.lstrip("-").isdigit() and len(value) < 10:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > 10**9:
        raise invalid("invalidValue", f"{name} is a whole number.")
    return value
