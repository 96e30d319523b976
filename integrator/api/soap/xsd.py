"""Types of XML from JSON schemas. Every element is in the domain's namespace; a list is an element that occurs again.

The hub itself checks every value by the service's own keys; what stands here tells a package what those checks are.
"""

from __future__ import annotations

import re
from typing import Any

from integrator.api.soap.contract import Domain, reference
from integrator.transport.xml import escape, escape_attribute

Json = dict[str, Any]

XSD = "http://www.w3.org/2001/XMLSchema"
_CLASS = re.compile(r"\[[^\]]*\]")
_SIMPLE = {"boolean": "xs:boolean", "integer": "xs:long", "number": "xs:double", "string": "xs:string"}


def schema(domain: Domain) -> str:
    """The one schema of a domain: named types, then two elements for each operation."""
    parts = [f'<xs:schema xmlns:xs="{XSD}" targetNamespace="{domain.namespace}" elementFormDefault="qualified">']
    parts += [_complex(one, name) for name, one in domain.named.items()]
    for operation in domain.operations.values():
        parts.append(element(operation.name, operation.request))
        parts.append(element(operation.name + "Response", operation.answer))
    parts += ['<xs:element name="problem" type="tns:Problem"/>', '<xs:element name="record" type="tns:Record"/>']
    return "\n".join([*parts, "</xs:schema>"])


def element(name: str, one: Json, occurs: str = "") -> str:
    """One element: of a named type, of a simple type, or with a type of its own inside."""
    head = f'<xs:element name="{name}"{occurs}'
    if "$ref" in one:
        return f'{head} type="tns:{reference(one)}"/>'
    inside = documentation(one.get("description", ""))
    if is_object(one):
        return f"{head}>{inside}{_complex(one)}</xs:element>"
    facets = _facets(one)
    base = _SIMPLE.get(one.get("type", "string"), "xs:string")
    if facets:
        kind = f'<xs:simpleType><xs:restriction base="{base}">{facets}</xs:restriction></xs:simpleType>'
        return f"{head}>{inside}{kind}</xs:element>"
    return f'{head} type="{base}">{inside}</xs:element>' if inside else f'{head} type="{base}"/>'


def is_object(one: Json) -> bool:
    """An object whose members are known. Of any other the JSON is told, as text."""
    return "properties" in one


def documentation(words: str) -> str:
    """An annotation for people, or nothing.

    >>> documentation("")
    ''
    """
    told = escape(words)
    return f"<xs:annotation><xs:documentation>{told}</xs:documentation></xs:annotation>" if words else ""


def pattern(json: str) -> str:
    """A pattern of JSON schema as XML Schema writes it: never anchored, and its digits are those of ASCII.

    >>> pattern(r"^\\d{5}$"), pattern(r"^[\\w./:-]{1,64}$")
    ('[0-9]{5}', '[A-Za-z0-9_./:-]{1,64}')
    """
    plain = json.removeprefix("^").removesuffix("$")
    inside = _CLASS.sub(lambda found: found[0].replace(r"\d", "0-9").replace(r"\w", "A-Za-z0-9_"), plain)
    return inside.replace(r"\d", "[0-9]").replace(r"\w", "[A-Za-z0-9_]")


def _complex(one: Json, name: str = "") -> str:
    required = one.get("required", ())
    inner = "".join(_member(member, kind, member in required) for member, kind in one["properties"].items())
    named = f' name="{name}"' if name else ""
    told = documentation(one.get("description", "")) if name else ""
    return f"<xs:complexType{named}>{told}<xs:sequence>{inner}</xs:sequence></xs:complexType>"


def _member(name: str, one: Json, required: bool) -> str:
    least = "" if required else ' minOccurs="0"'
    if one.get("type") != "array":
        return element(name, one, least)
    if required and not one.get("minItems"):
        least = ' minOccurs="0"'  # an empty list is an answer
    item = (
        {"description": one["description"], **one["items"]}
        if "description" in one and "$ref" not in one["items"]
        else one["items"]
    )
    return element(name, item, f'{least} maxOccurs="{one.get("maxItems", "unbounded")}"')


def _facets(one: Json) -> str:
    told = [("pattern", pattern(one["pattern"]))] if "pattern" in one else []
    told += [("pattern", "[0-9]{4}-[0-9]{2}-[0-9]{2}")] if one.get("format") == "date" else []
    told += [("enumeration", value) for value in one.get("enum", ())]
    names = {"minLength": "minLength", "maxLength": "maxLength", "minimum": "minInclusive", "maximum": "maxInclusive"}
    told += [(facet, str(one[name])) for name, facet in names.items() if name in one]
    return "".join([f'<xs:{facet} value="{escape_attribute(str(value))}"/>' for facet, value in told])
