"""PATCH (RFC 7644 §3.5.2): operations on a copy; the result is checked as if it had been sent whole (shaping.py).

    [{"op": "replace", "path": "emails[type eq \\"work\\"].value", "value": "a@example.org"}, {"op": "add", "value": {…}}]

An operation that cannot be done stops all: nothing of the request is kept.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integrator.agents.scim.errors import ScimRefused, invalid
from integrator.agents.scim.filters import Filter, Joined, Test, parse_inner
from integrator.agents.scim.paths import NoSuchPath, Place, find_place
from integrator.agents.scim.schemas import Attribute, Kind

PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
MOST = 1_000  # operations of one request
Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Target:
    """What a path means: a place, perhaps only the elements that a filter chooses, perhaps one part of them."""

    place: Place
    chosen: Filter | None = None
    part: Attribute | None = None


def patched(kind: Kind, resource: Mapping[str, Any], body: Mapping[str, Any]) -> Resource:
    """The changed copy, not checked yet. Raises `ScimRefused`."""
    operations = next((value for name, value in body.items() if name.lower() == "operations"), None)
    schemas = body.get("schemas")
    if not isinstance(schemas, list) or PATCH not in schemas or not isinstance(operations, list) or not operations:
        raise invalid("invalidSyntax", f"Send schemas [{PATCH}] and a list of Operations.")
    if len(operations) > MOST:
        raise ScimRefused(413, None, f"At most {MOST} operations in one request.")
    changed = copy.deepcopy(dict(resource))
    for one in operations:
        _operate(kind, changed, one)
    return changed


def _operate(kind: Kind, resource: Resource, operation: Any) -> None:
    if not isinstance(operation, Mapping) or not isinstance(operation.get("op"), str):
        raise invalid("invalidSyntax", "Each operation has an op: add, remove or replace.")
    op, path, value = operation["op"].lower(), operation.get("path"), operation.get("value")
    if op not in ("add", "remove", "replace") or not isinstance(path, str | None):
        raise invalid("invalidSyntax", "op is add, remove or replace; path, when given, is text.")
    if not path:
        if op == "remove":
            raise invalid("noTarget", "remove needs a path.")
        _spread(kind, resource, op, value)
        return
    target = parse_path(kind, path)
    if target is None:
        return  # an attribute this hub never keeps
    _refuse_fixed(target)
    if op == "remove":
        _remove(resource, target, value)
    else:
        _set(resource, target, value, replace=op == "replace")


def _spread(kind: Kind, resource: Resource, op: str, value: Any) -> None:
    """Without path: each attribute of `value` on its own; a name may itself be a path, as some feeds send it."""
    if not isinstance(value, Mapping):
        raise invalid("invalidValue", "Without path, value is an object of attributes.")
    for name, inner in value.items():
        if str(name).lower() == "schemas":
            continue
        target = parse_path(kind, str(name))
        if target is None or (target.place.attribute and target.place.attribute.mutability == "readOnly"):
            continue
        _set(resource, target, inner, replace=op == "replace")


def parse_path(kind: Kind, path: str) -> Target | None:
    """None for an attribute that is accepted and never kept. Raises `ScimRefused` (400 invalidPath), whatever the text."""
    head, bracket, rest = path.partition("[")
    if head.partition(".")[0].lower() in kind.dropped:
        return None
    try:
        place = find_place(kind, head)
        if not bracket:
            return Target(place)
        inner, bracket, tail = rest.rpartition("]")
        if not bracket or place.attribute is None or place.part or not place.attribute.sub or not place.attribute.multi:
            raise NoSuchPath
        part = None
        if tail:
            part = place.attribute.sub.get(tail[1:].lower()) if tail[0] == "." else None
            if part is None:
                raise NoSuchPath
        return Target(place, parse_inner(place, inner), part)
    except NoSuchPath:
        raise invalid("invalidPath", "The path names nothing that exists in /Schemas.") from None


def _refuse_fixed(target: Target) -> None:
    for one in (target.place.attribute, target.place.part, target.part):
        if one is not None and one.mutability == "readOnly":
            raise invalid("mutability", f"{one.name} cannot be changed here.")


def _set(resource: Resource, target: Target, value: Any, *, replace: bool) -> None:
    place = target.place
    if place.attribute is None:  # a whole extension
        if not isinstance(value, Mapping):
            raise invalid("invalidValue", "An extension is an object.")
        before = {} if replace else _holder(resource, place)
        resource[str(place.extension)] = {**before, **value}
        return
    holder, attribute = _holder(resource, place), place.attribute
    if target.chosen is not None:
        _set_chosen(holder, target, value, replace=replace)
    elif place.part is not None:
        _set_part(holder, place, value)
    elif attribute.multi and not replace:
        given = value if isinstance(value, list) else [value]
        _demote(holder, attribute, given)
        holder[attribute.name] = [*_list(holder.get(attribute.name)), *given]
    elif (
        attribute.sub
        and not attribute.multi
        and isinstance(value, Mapping)
        and isinstance(holder.get(attribute.name), dict)
    ):
        holder[attribute.name] = {**holder[attribute.name], **value}  # §3.5.2.3: what is not named stays
    else:
        holder[attribute.name] = value


def _set_part(holder: Resource, place: Place, value: Any) -> None:
    attribute, part = place.attribute, place.part
    if attribute is None or part is None:
        raise invalid("invalidPath", "The path names no part.")
    if attribute.multi:
        for one in _objects(holder.get(attribute.name)):
            one[part.name] = value
        return
    before = holder.get(attribute.name)
    holder[attribute.name] = {**(before if isinstance(before, dict) else {}), part.name: value}


def _set_chosen(holder: Resource, target: Target, value: Any, *, replace: bool) -> None:
    attribute = target.place.attribute
    if attribute is None or target.chosen is None:
        raise invalid("invalidPath", "The path names nothing.")
    found = _chosen(_objects(holder.get(attribute.name)), target.chosen)
    if not found:
        seed = _seed(target.chosen)
        if replace or seed is None:
            raise invalid("noTarget", "No element fits the path's filter.")
        found = [seed]  # add emails[type eq "work"].value: the element is made, as the filter describes it
        holder[attribute.name] = [*_list(holder.get(attribute.name)), seed]
    for one in found:
        if target.part is not None:
            if target.part.name == "primary" and value is True:
                _demote(holder, attribute, [{"primary": True}])
            one[target.part.name] = value
        elif isinstance(value, Mapping):
            if replace:
                one.clear()
            one.update(copy.deepcopy(dict(value)))
        else:
            raise invalid("invalidValue", "The elements here are objects.")


def _chosen(elements: list[Resource], chosen: Filter) -> list[Resource]:
    """Those that a filter chooses. Feeds name members one by one: what only another word could fit is not weighed."""
    if (
        isinstance(chosen, Test)
        and chosen.operator == "eq"
        and isinstance(chosen.value, str)
        and chosen.place.attribute
    ):
        name, wanted = chosen.place.attribute.name, chosen.value.casefold()
        words = ((one, one.get(name)) for one in elements)
        elements = [one for one, word in words if not isinstance(word, str) or word.casefold() == wanted]
    return [one for one in elements if chosen.matches(one)]


def _seed(chosen: Filter) -> Resource | None:
    """The element that a filter of `eq` describes; None when it does not describe one."""
    tests = chosen.parts if isinstance(chosen, Joined) and chosen.word == "and" else (chosen,)
    seed: Resource = {}
    for one in tests:
        if not isinstance(one, Test) or one.operator != "eq" or one.value is None or one.place.attribute is None:
            return None
        seed[one.place.attribute.name] = one.value
    return seed


def _remove(resource: Resource, target: Target, value: Any) -> None:
    place = target.place
    if place.attribute is None:
        resource.pop(str(place.extension), None)
        return
    holder, name = _holder(resource, place), place.attribute.name
    if target.chosen is not None:
        found = _chosen(_objects(holder.get(name)), target.chosen)
        if not found:
            raise invalid("noTarget", "No element fits the path's filter.")
        if target.part is not None:
            for one in found:
                one.pop(target.part.name, None)
        else:
            gone = set(map(id, found))
            holder[name] = [one for one in _list(holder.get(name)) if id(one) not in gone]
    elif place.part is not None:
        for one in _objects(holder.get(name)):
            one.pop(place.part.name, None)
    elif place.attribute.multi and value is not None:  # remove only these (Entra's way to take members out)
        taken = {_key(one) for one in (value if isinstance(value, list) else [value])}
        holder[name] = [one for one in _list(holder.get(name)) if _key(one) not in taken]
    else:
        holder.pop(name, None)


def _demote(holder: Resource, attribute: Attribute, given: list[Any]) -> None:
    """A new primary takes the place of the old one (RFC 7644 §3.5.2)."""
    if any(isinstance(one, Mapping) and one.get("primary") is True for one in given):
        for one in _objects(holder.get(attribute.name)):
            one.pop("primary", None)


def _holder(resource: Resource, place: Place) -> Resource:
    if place.extension is None:
        return resource
    before = resource.get(place.extension)
    if not isinstance(before, dict):
        before = resource[place.extension] = {}
    return before


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _objects(value: Any) -> list[Resource]:
    return [one for one in _list(value) if isinstance(one, dict)]


def _key(one: Any) -> str:
    return str(one.get("value")) if isinstance(one, Mapping) else str(one)
