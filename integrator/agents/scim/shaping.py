"""Resources in and out: what was sent becomes what is kept, or is refused; what is kept becomes what is answered."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from integrator.agents.scim.errors import invalid
from integrator.agents.scim.paths import NoSuchPath, Place, find_place
from integrator.agents.scim.schemas import AGENT, COMMON, Attribute, Kind, Schema

LONGEST = 256  # characters of one value
MOST = 2_000  # elements of one list
ROLE = re.compile(r"[a-z][a-z0-9_-]{1,63}")
_MANDATE = re.compile(r"[\w./:-]{1,64}")
# 11 digits, written as one number or in the groups of an identity card; never a piece of a UUID.
_NUMBER = re.compile(r"(?<![0-9A-Za-z])\d{2}[-. /]?\d{2}[-. /]?\d{2}[-. /]?\d{3}[-. /]?\d{2}(?![0-9A-Za-z])")


def read_resource(kind: Kind, body: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept: names as the schema writes them, read-only parts ignored, parts this hub never keeps dropped.

    Raises `ScimRefused`: invalidSyntax (unknown attribute), invalidValue, or a national number where none belongs.
    """
    kept: dict[str, Any] = {}
    for name, value in body.items():
        lowered = name.lower()
        if lowered == "schemas":
            _check_schemas(kind, value)
        elif extension := next((one for one in kind.extensions if one.id.lower() == lowered), None):
            if isinstance(value, Mapping):  # some clients name its schema once more inside
                value = {inner: said for inner, said in value.items() if inner.lower() != "schemas"}
            inner = _object(extension.attributes, value, extension.name)
            if inner:
                kept[extension.id] = inner
        elif lowered in ("id", "meta"):
            continue  # ours to say (RFC 7644 §3.3)
        elif (attribute := kind.find(name)) is not None:
            _keep(kept, attribute, value)
        elif lowered not in kind.dropped:
            raise invalid("invalidSyntax", "There is an attribute that is not in /Schemas.")
    for attribute in kind.core.attributes.values():
        if attribute.required and not kept.get(attribute.name):
            raise invalid("invalidValue", f"{attribute.name} is required.")
    _check_meaning(kind, kept)
    return kept


def _check_schemas(kind: Kind, value: Any) -> None:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise invalid("invalidSyntax", "schemas is a list of URNs.")
    if kind.core.id.lower() not in {one.lower() for one in value}:
        raise invalid("invalidSyntax", f"schemas must name {kind.core.id}.")


def _keep(kept: dict[str, Any], attribute: Attribute, value: Any) -> None:
    if attribute.name in kept:
        raise invalid("invalidSyntax", f"{attribute.name} stands there twice.")
    if attribute.mutability == "readOnly" or value is None or value == [] or value == "":
        return
    read = _list(attribute, value) if attribute.multi else _single(attribute, value)
    if read not in ([], {}, None):
        kept[attribute.name] = read


def _list(attribute: Attribute, value: Any) -> list[Any]:
    if not isinstance(value, list):
        value = [value]  # Entra and others send a single one bare
    if len(value) > MOST:
        raise invalid("invalidValue", f"{attribute.name} has at most {MOST} elements.")
    found = [_single(attribute, {"value": one} if attribute.sub and isinstance(one, str) else one) for one in value]
    if sum(1 for one in found if isinstance(one, Mapping) and one.get("primary") is True) > 1:
        raise invalid("invalidValue", f"{attribute.name}: at most one is primary.")
    kept: dict[str, Any] = {}
    for one in filter(None, found):
        kept.setdefault(json.dumps(one, sort_keys=True), one)  # what stands there twice is kept once
    return list(kept.values())


def _single(attribute: Attribute, value: Any) -> Any:
    if attribute.type == "complex":
        return _object(attribute.sub, value, attribute.name)
    if attribute.type == "boolean":
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"  # Entra sends text
        if not isinstance(value, bool):
            raise invalid("invalidValue", f"{attribute.name} is true or false.")
        return value
    if not isinstance(value, str) or len(value) > LONGEST or any(ord(one) < 32 for one in value):
        raise invalid("invalidValue", f"{attribute.name} is text of at most {LONGEST} characters.")
    return value


def _object(attributes: Mapping[str, Attribute], value: Any, name: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise invalid("invalidValue", f"{name} is an object.")
    kept: dict[str, Any] = {}
    for inner, said in value.items():
        attribute = attributes.get(str(inner).lower())
        if attribute is None:
            raise invalid("invalidSyntax", f"There is a part of {name} that is not in /Schemas.")
        _keep(kept, attribute, said)
    return kept


def _check_meaning(kind: Kind, kept: Mapping[str, Any]) -> None:
    for member in kept.get("members", ()):
        if "value" not in member or member.get("type", "User").lower() != "user":
            raise invalid("invalidValue", "members are users, each with its id as value; groups hold no groups.")
    agent = kept.get(AGENT) or {}
    if "mandate" in agent and not _MANDATE.fullmatch(agent["mandate"]):
        raise invalid("invalidValue", "mandate is a reference: letters, digits and . _ - / :")
    _refuse_numbers({name: value for name, value in kept.items() if name != AGENT})
    _refuse_numbers({name: value for name, value in agent.items() if name != "nationalNumber"})


def _refuse_numbers(value: Any) -> None:
    """A national number has one place; anywhere else it would be kept in clear."""
    if isinstance(value, Mapping):
        for inner in value.values():
            _refuse_numbers(inner)
    elif isinstance(value, list):
        for inner in value:
            _refuse_numbers(inner)
    elif isinstance(value, str) and _NUMBER.search(value):
        raise invalid("invalidValue", f"A national number stands in {AGENT}:nationalNumber only.")


# --- out ------------------------------------------------------------------------------------------------------------


def wanted_places(kind: Kind, attributes: Collection[str] | None) -> tuple[Place, ...] | None:
    """What `attributes` or `excludedAttributes` names; names we do not have are ignored (RFC 7644 §3.9)."""
    if attributes is None:
        return None
    found = []
    for name in attributes:
        try:
            found.append(find_place(kind, name.strip()))
        except NoSuchPath:
            continue
    return tuple(found)


def project(
    kind: Kind, resource: Mapping[str, Any], only: tuple[Place, ...] | None, without: tuple[Place, ...] | None
) -> dict[str, Any]:
    """The resource as it is answered. `returned: always` stays whatever was asked, `never` never comes."""
    told: dict[str, Any] = {name: resource[name] for name in ("schemas", "id") if name in resource}
    for schema in (None, *kind.extensions):
        holder = resource if schema is None else resource.get(schema.id) or {}
        attributes = {**COMMON, **kind.core.attributes} if schema is None else schema.attributes
        shown = {
            one.name: value
            for one in attributes.values()
            if one.name in holder and (value := _shown(schema, one, holder[one.name], only, without)) is not None
        }
        if schema is None:
            told |= shown
        elif shown:
            told[schema.id] = shown
    return told


def _shown(
    schema: Schema | None,
    attribute: Attribute,
    value: Any,
    only: tuple[Place, ...] | None,
    without: tuple[Place, ...] | None,
) -> Any:
    urn = schema.id if schema else None
    if attribute.returned in ("always", "never"):
        return value if attribute.returned == "always" else None
    if only is not None:
        parts = [one for one in only if one.extension == urn and one.attribute in (None, attribute)]
        if not parts:
            return None
        names = {one.part.name for one in parts if one.part}
        return value if any(one.part is None for one in parts) else _parts(value, lambda name: name in names)
    parts = [one for one in without or () if one.extension == urn and one.attribute in (None, attribute)]
    if any(one.part is None for one in parts):
        return None
    names = {one.part.name for one in parts if one.part}
    return _parts(value, lambda name: name not in names) if names else value


def _parts(value: Any, keep: Any) -> Any:
    if isinstance(value, list):
        return [found for one in value if (found := _parts(one, keep))] or None
    if isinstance(value, Mapping):
        return {name: inner for name, inner in value.items() if keep(name)} or None
    return value
