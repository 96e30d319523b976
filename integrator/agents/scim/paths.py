"""Where something stands in a resource: `urn:…:User:department`, `name.familyName`, `emails[type eq "work"].value`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from integrator.agents.scim.schemas import COMMON, Attribute, Kind

_NAME = re.compile(r"\$?[A-Za-z][A-Za-z0-9_-]{0,63}")


class NoSuchPath(ValueError):
    """No attribute of this kind of resource is called so."""


@dataclass(frozen=True, slots=True)
class Place:
    """An attribute, perhaps one of its parts, perhaps in an extension. `attribute` None = the whole extension."""

    extension: str | None  # URN as the schema writes it
    attribute: Attribute | None
    part: Attribute | None = None

    @property
    def leaf(self) -> Attribute | None:
        return self.part or self.attribute

    @property
    def personal(self) -> bool:
        return any(one is not None and one.personal for one in (self.attribute, self.part))

    def holder(self, resource: Mapping[str, Any]) -> Mapping[str, Any]:
        """The object the attribute stands in."""
        return resource if self.extension is None else resource.get(self.extension) or {}

    def values(self, resource: Mapping[str, Any]) -> Iterator[Any]:
        """Every value there; of a complex one without part its `value` (RFC 7644 §3.4.2.2)."""
        if self.attribute is None:
            yield from [self.holder(resource)] if self.holder(resource) else []
            return
        found = self.holder(resource).get(self.attribute.name)
        for one in found if isinstance(found, list) else [found]:
            if self.attribute.sub and isinstance(one, Mapping):
                one = one.get(self.part.name) if self.part else one.get("value", one)
            if one is not None and one != "":
                yield one


def find_place(kind: Kind, text: str) -> Place:
    """Read `[urn:]attribute[.part]`. Raises `NoSuchPath`."""
    extension, rest, attributes = None, text, None
    for schema in kind.schemas:
        if text.lower() == schema.id.lower() and schema.extension:
            return Place(schema.id, None)
        if text.lower().startswith(schema.id.lower() + ":"):
            rest, attributes = text[len(schema.id) + 1 :], schema.attributes
            extension = schema.id if schema.extension else None
    name, dot, part = rest.partition(".")
    if not _NAME.fullmatch(name) or (dot and not _NAME.fullmatch(part)):
        raise NoSuchPath
    attribute = (attributes or kind.core.attributes).get(name.lower())
    if attribute is None and extension is None:
        attribute = COMMON.get(name.lower())
    if attribute is None:
        raise NoSuchPath
    return Place(extension, attribute, _part(attribute, part) if dot else None)


def _part(attribute: Attribute, name: str) -> Attribute:
    found = attribute.sub.get(name.lower())
    if found is None:
        raise NoSuchPath
    return found
