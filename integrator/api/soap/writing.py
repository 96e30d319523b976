"""Answers as XML, by the schemas that the WSDL was made of; in exclusive canonical form, so that they can be signed as they are.

One prefix, declared once, no attributes, no empty-element tags. What an answer has and its schema has not cannot be
written, and is not left out quietly either.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from integrator.api.soap.contract import Domain, Json, resolve
from integrator.api.soap.xsd import is_object
from integrator.transport.xml import escape

_P = "p"


class Undescribed(ValueError):
    """An answer holds something that the domain's contract does not know; names no value."""


def document(domain: Domain, name: str, schema: Json, value: Mapping[str, Any]) -> bytes:
    """One global element with its namespace. Raises `Undescribed`, `UnsafeXml`."""
    inner = _content(domain, resolve(schema, domain.named), value, name)
    return f'<{_P}:{name} xmlns:{_P}="{domain.namespace}">{inner}</{_P}:{name}>'.encode()


def _content(domain: Domain, schema: Json, value: Any, where: str) -> str:
    if not is_object(schema):
        return escape(_text(value, schema))
    properties = schema["properties"]
    if not properties.keys() >= value.keys():
        raise Undescribed(f"{where} holds what its schema does not know")
    return "".join(
        [_member(domain, name, kind, value[name], where) for name, kind in properties.items() if name in value]
    )


def _member(domain: Domain, name: str, schema: Json, value: Any, where: str) -> str:
    if schema.get("type") == "array":
        return "".join([_member(domain, name, schema["items"], one, where) for one in value])
    inner = _content(domain, resolve(schema, domain.named), value, f"{where}/{name}")
    return f"<{_P}:{name}>{inner}</{_P}:{name}>"


def _text(value: Any, schema: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if schema.get("type") == "object" or isinstance(value, dict | list):
        return orjson.dumps(value).decode()
    return str(value)
