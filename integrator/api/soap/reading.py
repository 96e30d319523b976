"""A question as XML to the body that the REST façade would get, by the schemas that the WSDL was made of.

Only structure is looked at: which elements, each once, text where text belongs. Values are the service's to check; every
issue has the place by the names of the elements, and never a value.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from typing import Any

import orjson
from lxml import etree

from integrator.api.soap.contract import Domain, Json, resolve
from integrator.api.soap.xsd import is_object
from integrator.errors import Issue, MalformedRequest
from integrator.transport.xml import Element

_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"  # some stacks write it; it changes nothing
_INTEGER = re.compile(r"\s*(-?[0-9]{1,9})\s*")
_BOOLEAN: Mapping[str, bool] = {"true": True, "1": True, "false": False, "0": False}


def body(domain: Domain, schema: Json, payload: Element) -> dict[str, Any]:
    """The members of a question. Raises `MalformedRequest` with every issue found."""
    issues: list[Issue] = []
    read = _value(domain, resolve(schema, domain.named), payload, "", issues)
    if issues:
        raise MalformedRequest(*issues)
    return dict(read)


def _value(domain: Domain, schema: Json, element: Element, where: str, issues: list[Issue]) -> Any:
    if any(name != _TYPE for name in element.attrib):
        issues.append(Issue("unknownInput", "body", where or "/", "no attributes here; leave out what has no value"))
    if is_object(schema):
        return _members(domain, schema, element, where, issues)
    if len(element):
        issues.append(Issue("schemaViolation", "body", where, "text, without elements inside"))
        return ""
    return _scalar(schema, element.text or "")


def _members(domain: Domain, schema: Json, element: Element, where: str, issues: list[Issue]) -> dict[str, Any]:
    read: dict[str, Any] = {}
    if any((words or "").strip() for words in (element.text, *(child.tail for child in element))):
        issues.append(Issue("schemaViolation", "body", where or "/", "elements, without text between them"))
    for child in element:
        tag = etree.QName(child)
        kind = schema["properties"].get(tag.localname) if tag.namespace == domain.namespace else None
        if kind is None:
            known = ", ".join(schema["properties"])
            issues.append(
                Issue(
                    "unknownInput", "body", f"{where}/(unnamed)", f"only these elements, of {domain.namespace}: {known}"
                )
            )
            continue
        name, listed = tag.localname, kind.get("type") == "array"
        inner = resolve(kind["items"] if listed else kind, domain.named)
        value = _value(domain, inner, child, f"{where}/{name}", issues)
        if listed:
            read.setdefault(name, []).append(value)
        elif name in read:
            issues.append(Issue("schemaViolation", "body", f"{where}/{name}", "once"))
        else:
            read[name] = value
    return read


def _scalar(schema: Json, text: str) -> Any:
    """The value where the text is one; else the text, which the service refuses in its own words."""
    kind = schema.get("type")
    if kind == "boolean":
        return _BOOLEAN.get(text.strip(), text)
    if kind == "integer":
        found = _INTEGER.fullmatch(text)
        return int(found[1]) if found is not None else text
    if kind in ("number", "object"):
        with contextlib.suppress(ValueError):
            return orjson.loads(text)
    return text
