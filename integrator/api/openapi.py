"""The description of the API (OpenAPI 3.1), made from the services' own data: nothing is written twice, nothing forgotten.

belgif's rules are kept: no nulls, default problem response, one tag per operation, unique operationId, `required`
said on bodies, examples that are valid. A property that may be missing is simply not required.
"""

from __future__ import annotations

from typing import Any

from integrator.api import cases, openapi_deliveries, openapi_opened
from integrator.api.directory import PATH
from integrator.api.hub import Hub, Service
from integrator.api.limits import Limits
from integrator.api.openapi_agents import agent_paths, agent_schemas
from integrator.api.openapi_answers import answer_schema
from integrator.api.openapi_bulk import bulk_operation
from integrator.api.openapi_callers import caller_paths, caller_schemas
from integrator.api.openapi_parts import own_paths, shared_schemas
from integrator.api.openapi_references import reference_paths, reference_schemas
from integrator.api.problems import Problems
from integrator.services import JUSTIFICATION

Json = dict[str, Any]

TAGS = {
    "person": "Persons, households and what is known about them. National numbers only in bodies.",
    "social security": "Statuses and benefits, through the KSZ/BCSS.",
    "employment": "Declarations of employment, and the periods that one declared (Dimona).",
    "enterprise": "Enterprises and their establishment units (KBO/BCE).",
    "property": "Parcels, and the rights that somebody holds on one (cadastre).",
    "vehicle": "Vehicles, plates and holders (DIV).",
    "address": "Addresses, streets and municipalities (BeSt Address).",
    "directory": "Who keeps a file about whom (directory of references): one's own registrations, never another's.",
    "open data": "For anybody, without a token: nothing of it is about a person.",
    "statistics": "Figures for policy: how many, never who; who gave nothing is unknown, never zero.",
    "debt": "What somebody owes to several bodies, asked of each; who cannot say is unknown, and then there is no total.",
    "parking": "Parking cards and the resident permit.",
}

_BY_STATUS = {
    "400": "InputValidationProblem", "401": "Problem", "403": "PermissionProblem", "404": "Problem", "429": "RetryProblem",
    "502": "Problem", "503": "RetryProblem",
}  # fmt: skip
_WORDS = {
    "400": "The input is not right; `issues` says where and how to mend it.",
    "401": "No token, or one that is not believed (any more).",
    "403": "No authorisation allows this, or the source refuses; `reason` and `rule` say which.",
    "404": "The source said that it has nothing under the key asked.",
    "429": "This application has too many requests in flight.",
    "502": "The source answered with something that may not be believed; nothing was passed on.",
    "503": "The source did not answer, or the hub cannot record now. Nothing is known either way: ask again later.",
}


def describe(hub: Hub, problems: Problems, limits: Limits) -> Json:
    """The whole document."""
    told = [one for one in hub.services.values() if hub.opened is not None or not one.is_open]
    services = sorted(told, key=lambda service: (service.path, service.method))
    paths: dict[str, Json] = {}
    for service in services:
        if not service.has_door:
            continue  # at the doors that all of them share: see openapi_deliveries
        paths.setdefault(service.path, {})[service.method.lower()] = _operation(service)
    if "directory.register" in hub.services:
        paths[PATH] = {"post": bulk_operation(hub)}
    tags = sorted({service.tag for service in services})
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Service integrator",
            "version": "1",
            "summary": "Authentic sources for local government: per purpose, recorded, verifiable.",
            "description": _introduction(limits),
        },
        "servers": [{"url": hub.settings.issuer}],
        "externalDocs": {"description": "The same for people, in NL, FR and EN", "url": f"{hub.settings.issuer}/docs"},
        "tags": [{"name": _tag(tag), "description": TAGS.get(tag, "")} for tag in tags]
        + [
            {"name": "Events"},
            {"name": "Monitoring"},
            {
                "name": "Reference data",
                "description": "What codes and problem types mean; for people in NL, FR and EN.",
            },
            {"name": "Access"},
            {"name": "Agents"},
            {"name": "Cases", "description": "Which cases are open. They explain looks; nothing is allowed by them."},
        ],
        "security": [{"Token": []}],
        "paths": paths
        | openapi_deliveries.paths()
        | own_paths()
        | cases.paths()
        | caller_paths()
        | agent_paths()
        | reference_paths()
        | (openapi_opened.paths() if hub.opened is not None else {}),
        "components": {
            "securitySchemes": {"Token": _security(hub.settings.issuer)},
            "schemas": shared_schemas(problems)
            | caller_schemas()
            | agent_schemas()
            | reference_schemas()
            | (openapi_opened.schemas() if hub.opened is not None else {})
            | openapi_deliveries.schemas()
            | {name(service) + "Answer": answer_schema(service) for service in services if service.later is None},
            "responses": {_response(status): _problem_response(status) for status in _WORDS} | {"Problem": _default()},
        },
    }


def name(service: Service) -> str:
    """The service's name as a schema is named.

    >>> class S: name = "parking.residentPermit.checkEligibility"
    >>> name(S)
    'ParkingResidentPermitCheckEligibility'
    """
    return "".join(part[0].upper() + part[1:] for part in service.name.split("."))


def request_example(service: Service) -> Json:
    """A body that the service accepts, put together from the examples of its keys."""
    if not service.has_door:
        return openapi_deliveries.wish(service)
    wanted = set(service.exactly_one[0]) if service.exactly_one else set()
    anywhere = {key for group in service.exactly_one for key in group}
    example = {}
    for key, kind in service.keys.items():
        value = openapi_deliveries.ordinary(kind.schema)
        if value is not None and (kind.required or key in wanted or key not in anywhere):
            example[key] = value
    example |= openapi_deliveries.example(service) if service.later is not None else {}
    return example | ({"dossierReference": "IX-2026-0017"} if service.needs_dossier else {})


def request_schema(service: Service) -> Json:
    """The body of a POST: keys, the case, and how much is wanted."""
    if not service.has_door:
        return openapi_deliveries.wish_schema(service)
    properties: Json = {key: dict(kind.schema) for key, kind in service.keys.items()}
    properties["dossierReference"] = _DOSSIER
    if service.later is not None:
        properties |= openapi_deliveries.properties(service)
    elif service.offers:
        properties["fields"] = {
            "type": "array", "minItems": 1, "uniqueItems": True, "items": {"type": "string", "enum": sorted(service.offers)},
            "description": "Only these, where the purpose grants them. Left out: all that is granted.",
        }  # fmt: skip
    if service.later is None:
        if service.past is None:
            properties["history"] = {
                "type": "boolean",
                "default": False,
                "description": "Closed periods too, as deep as granted.",
            }
        properties["emergencyJustification"] = _EMERGENCY
    required = [key for key, kind in service.keys.items() if kind.required] + (
        ["dossierReference"] if service.needs_dossier else []
    )
    if service.later is not None:
        required += openapi_deliveries.properties(service)
    schema: Json = {"type": "object", "additionalProperties": False, "properties": properties}
    if required:
        schema["required"] = required
    if service.exactly_one:
        schema["oneOf"] = [{"required": list(group)} for group in service.exactly_one]
    return schema


_DOSSIER: Json = {
    "type": "string", "pattern": r"^[\w./:-]{1,64}$",
    "description": "The case this question belongs to, as your own files name it; no national number.",
}  # fmt: skip


_EMERGENCY: Json = {
    "type": "string", "minLength": JUSTIFICATION[0], "maxLength": JUSTIFICATION[1],
    "description": "Only in an emergency: why conditions that the authorisation lets be broken must give way now. No national number. "
    "It is recorded, and a second person must confirm it within 24 hours.",
}  # fmt: skip


def _operation(service: Service) -> Json:
    words = name(service)
    operation: Json = {
        "operationId": words[0].lower() + words[1:],
        "x-service": service.name,  # how clients and policies call it
        "summary": service.title.en,
        "description": service.description.en,
        "tags": [_tag(service.tag)],
        "responses": {
            "200": {
                "description": "What the purpose may know, after it was recorded.",
                "headers": {
                    "Integrator-Ledger-Entries": {"description": "shard/index,index", "schema": {"type": "string"}},
                    "Audit-Receipt": {
                        "description": "The signed promise that the last of them stands there (base64url of a signed note).",
                        "schema": {"type": "string"},
                    },
                    "Fsc-Transaction-Id": {
                        "description": "The trace id.",
                        "schema": {"type": "string", "format": "uuid"},
                    },
                },
                "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name(service)}Answer"}}},
            },
            **{status: {"$ref": f"#/components/responses/{_response(status)}"} for status in _WORDS},
            "default": {"$ref": "#/components/responses/Problem"},
        },
    }
    if service.list_name is not None:
        del operation["responses"]["404"]  # nothing found is an empty list
    if service.is_open:
        return openapi_opened.opened(operation, _parameters(service)[:-1])
    if service.method == "GET":
        operation["parameters"] = _parameters(service)
    else:
        operation["requestBody"] = {"required": True, "content": {"application/json": _media(service)}}
    return operation if service.later is None else openapi_deliveries.accepted(operation)


def _media(service: Service) -> Json:
    media: Json = {"schema": request_schema(service)}
    example = request_example(service)
    return (
        media | {"examples": {"ordinary": {"summary": "An ordinary question", "value": example}}} if example else media
    )


def _parameters(service: Service) -> list[Json]:
    parameters = []
    for key, kind in service.keys.items():
        in_path = "{" + key + "}" in service.path
        schema = dict(kind.schema)
        parameter: Json = {
            "name": key,
            "in": "path" if in_path else "query",
            "required": in_path or kind.required,
            "schema": schema,
        }
        if "description" in schema:
            parameter["description"] = schema.pop("description")
        if "examples" in schema:
            parameter["example"] = schema.pop("examples")[0]
        parameters.append(parameter)
    parameters.append(
        {"name": "dossierReference", "in": "query", "required": service.needs_dossier, "schema": {**_DOSSIER}}
    )
    return parameters


def _security(issuer: str) -> Json:
    return {
        "type": "oauth2",
        "description": "client_credentials with private_key_jwt (RFC 7523); the token is bound to one purpose (RFC 9396).",
        "flows": {"clientCredentials": {"tokenUrl": f"{issuer}/oauth/token", "scopes": {}}},
    }


def _response(status: str) -> str:
    return f"Problem{status}"


def _problem_response(status: str) -> Json:
    schema = {"$ref": f"#/components/schemas/{_BY_STATUS[status]}"}
    response: Json = {"description": _WORDS[status], "content": {"application/problem+json": {"schema": schema}}}
    if status in ("429", "503"):
        response["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
    return response


def _default() -> Json:
    return {
        "description": "A problem.",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _tag(tag: str) -> str:
    return tag[:1].upper() + tag[1:]


def _introduction(limits: Limits) -> str:
    return (
        "Ask a token at `/oauth/token` for one purpose, then ask a service. Every answer carries `BelGov-Trace-Id` (ours) and, "
        "when you sent one, `BelGov-Related-Trace-Id` (yours). National numbers stand in bodies, never in addresses. "
        f"A body has at most {limits.body_bytes} bytes; one application has at most {limits.per_application} requests in flight."
    )
