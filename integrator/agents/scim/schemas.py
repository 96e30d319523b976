"""The schemas of users and groups, read from schemas.yaml: what /Schemas tells, and what everything else goes by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from integrator.places import read_yaml

SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:Schema"
RESOURCE_TYPE = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
AGENT = "urn:integrator:params:scim:schemas:extension:agent:1.0:User"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute. `sub` by lower-case name; names are found whatever their case (RFC 7643 §2.1)."""

    name: str
    type: str = "string"  # string | boolean | reference | dateTime | complex
    multi: bool = False
    required: bool = False
    exact: bool = False
    mutability: str = "readWrite"
    returned: str = "default"
    uniqueness: str = "none"
    personal: bool = False
    about: str = ""
    refs: Sequence[str] = ()  # kinds that a reference leads to
    values: Sequence[str] = ()  # the only ones there are
    sub: Mapping[str, Attribute] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        told: dict[str, Any] = {
            "name": self.name, "type": self.type, "multiValued": self.multi, "description": self.about,
            "required": self.required, "caseExact": self.exact, "mutability": self.mutability,
            "returned": self.returned, "uniqueness": self.uniqueness,
        }  # fmt: skip
        if self.type == "reference":
            told["referenceTypes"] = list(self.refs or ["uri"])
        if self.values:
            told["canonicalValues"] = list(self.values)
        return told | ({"subAttributes": [one.json() for one in self.sub.values()]} if self.sub else {})


@dataclass(frozen=True, slots=True)
class Schema:
    """One schema URN and its attributes by lower-case name."""

    id: str
    name: str
    extension: bool
    attributes: Mapping[str, Attribute]


@dataclass(frozen=True, slots=True)
class Kind:
    """A resource type: `User` or `Group`. `common` are the attributes that every resource has (RFC 7643 §3.1)."""

    name: str
    endpoint: str
    description: str
    schemas: tuple[Schema, ...]
    dropped: frozenset[str]

    @property
    def core(self) -> Schema:
        return self.schemas[0]

    @property
    def extensions(self) -> tuple[Schema, ...]:
        return self.schemas[1:]

    def find(self, name: str) -> Attribute | None:
        """A core or common attribute."""
        return self.core.attributes.get(name.lower()) or COMMON.get(name.lower())


def _attribute(name: str, told: Mapping[str, Any]) -> Attribute:
    sub = {inner.lower(): _attribute(inner, said or {}) for inner, said in (told.get("sub") or {}).items()}
    plain = {key: value for key, value in told.items() if key != "sub"}
    return Attribute(name, sub=sub, **plain)


_META = {
    "type": "complex", "mutability": "readOnly", "about": "About the resource.",
    "sub": {name: {"type": kind, "mutability": "readOnly", "exact": True} for name, kind in (
        ("resourceType", "string"), ("created", "dateTime"), ("lastModified", "dateTime"), ("location", "reference"), ("version", "string"),
    )},
}  # fmt: skip
COMMON: Mapping[str, Attribute] = {
    "id": Attribute("id", exact=True, mutability="readOnly", returned="always", uniqueness="server"),
    "externalid": Attribute("externalId", exact=True),
    "meta": _attribute("meta", _META),
    "schemas": Attribute("schemas", type="reference", multi=True, exact=True, returned="always"),
}


@cache
def kinds() -> Mapping[str, Kind]:
    """`User` and `Group`."""
    found = read_yaml(Path(__file__).with_name("schemas.yaml"))
    return {name: _kind(name, told) for name, told in found.items()}


def _kind(name: str, told: Mapping[str, Any]) -> Kind:
    schemas = tuple(
        Schema(
            one["id"],
            one["name"],
            bool(one.get("extension")),
            {word.lower(): _attribute(word, said) for word, said in one["attributes"].items()},
        )
        for one in told["schemas"]
    )
    dropped = frozenset(word.lower() for word in told["dropped"])
    return Kind(name, told["endpoint"], told["description"], schemas, dropped)


def schemas_json(base: str) -> Iterator[dict[str, Any]]:
    """What /Schemas lists."""
    for kind in kinds().values():
        for one in kind.schemas:
            yield {
                "schemas": [SCHEMA], "id": one.id, "name": one.name, "description": one.name,
                "attributes": [attribute.json() for attribute in one.attributes.values()],
                "meta": {"resourceType": "Schema", "location": f"{base}/Schemas/{one.id}"},
            }  # fmt: skip


def types_json(base: str) -> Iterator[dict[str, Any]]:
    """What /ResourceTypes lists."""
    for kind in kinds().values():
        told = {
            "schemas": [RESOURCE_TYPE], "id": kind.name, "name": kind.name, "description": kind.description,
            "endpoint": kind.endpoint, "schema": kind.core.id,
            "meta": {"resourceType": "ResourceType", "location": f"{base}/ResourceTypes/{kind.name}"},
        }  # fmt: skip
        extensions = [{"schema": one.id, "required": False} for one in kind.extensions]
        yield told | ({"schemaExtensions": extensions} if extensions else {})


def config_json(base: str, *, most: int, operations: int, payload: int, purpose: str) -> dict[str, Any]:
    """What /ServiceProviderConfig says (RFC 7643 §5)."""
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": {"supported": True},
        "bulk": {"supported": True, "maxOperations": operations, "maxPayloadSize": payload},
        "filter": {"supported": True, "maxResults": most},
        "changePassword": {"supported": False},
        "sort": {"supported": True},
        "etag": {"supported": True},
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken", "name": "Access token of this hub", "primary": True,
                "description": f"A token for the purpose {purpose}, asked at /oauth/token with the application's own key.",
                "specUri": "https://www.rfc-editor.org/info/rfc6750",
            }
        ],
        "meta": {"resourceType": "ServiceProviderConfig", "location": f"{base}/ServiceProviderConfig"},
    }  # fmt: skip
