"""Bulk (RFC 7644 §3.7): many operations in one request, each with its own outcome; `bulkId:` names what another one makes.

An operation waits until everything it names was made. What can never be made (it names itself, in a circle, or something
that failed) is refused with the others left standing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from integrator.agents.scim.errors import ScimRefused, invalid
from integrator.agents.scim.schemas import Kind, kinds
from integrator.agents.scim.service import OPERATIONS, Hr, Scim

REQUEST = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
RESPONSE = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
_METHODS = ("POST", "PUT", "PATCH", "DELETE")
_PATH = re.compile(r"/(Users|Groups)(?:/([\w:.-]{1,80}))?")
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """One of the request, in its place."""

    place: int
    method: str
    path: str
    bulk_id: str | None
    version: str | None
    data: Mapping[str, Any]

    def needs(self) -> set[str]:
        """Whose ids it names."""
        return _named(self.data) | _named(self.path.rpartition("/")[2])


@dataclass(slots=True)
class _Run:
    scim: Scim
    hr: Hr
    most: int | None  # errors after which nothing more is done
    made: dict[str, str] = field(default_factory=dict)  # bulkId -> id
    outcomes: dict[int, Json] = field(default_factory=dict)
    errors: int = 0

    @property
    def stopped(self) -> bool:
        return self.most is not None and self.errors >= self.most


async def run_bulk(scim: Scim, hr: Hr, body: Mapping[str, Any]) -> Json:
    """The BulkResponse. Raises `ScimRefused` for a request that is none."""
    operations, most = _read(body)
    run = _Run(scim, hr, most)
    waiting = operations
    while waiting and not run.stopped:
        able = [one for one in waiting if one.needs() <= run.made.keys()]
        if not able:
            for one in waiting:
                _fail(run, one, ScimRefused(409, "invalidValue", "It names a bulkId that no operation could make."))
            break
        for one in able:
            if run.stopped:
                break
            await _one(run, one)
        waiting = [one for one in waiting if one.place not in run.outcomes]
    return {"schemas": [RESPONSE], "Operations": [run.outcomes[place] for place in sorted(run.outcomes)]}


async def _one(run: _Run, one: Operation) -> None:
    try:
        kind, id_ = _target(one.path, run.made)
        data = _filled(one.data, run.made)
        told = await _do(run, kind, id_, one, data)
    except ScimRefused as refused:
        _fail(run, one, refused)
        return
    outcome: Json = {"method": one.method, "status": {"POST": "201", "DELETE": "204"}.get(one.method, "200")}
    if told is not None:
        outcome |= {"location": told["meta"]["location"], "version": told["meta"]["version"]}
        if one.bulk_id is not None and one.method == "POST":
            run.made[one.bulk_id] = told["id"]
    run.outcomes[one.place] = outcome | ({"bulkId": one.bulk_id} if one.bulk_id else {})


async def _do(run: _Run, kind: Kind, id_: str | None, one: Operation, data: Mapping[str, Any]) -> Json | None:
    scim, hr = run.scim, run.hr
    if one.method == "POST":
        if id_ is not None:
            raise invalid("invalidPath", "POST goes to /Users or /Groups.")
        return await scim.create(hr, kind, data)
    if id_ is None:
        raise invalid("invalidPath", "Name the resource: /Users/ID or /Groups/ID.")
    if one.method == "DELETE":
        await scim.delete(hr, kind, id_, one.version)
        return None
    return await (scim.replace if one.method == "PUT" else scim.patch)(hr, kind, id_, data, one.version)


def _fail(run: _Run, one: Operation, refused: ScimRefused) -> None:
    run.errors += 1
    outcome: Json = {"method": one.method, "status": str(refused.status), "response": refused.json()}
    run.outcomes[one.place] = outcome | ({"bulkId": one.bulk_id} if one.bulk_id else {})


def _read(body: Mapping[str, Any]) -> tuple[list[Operation], int | None]:
    schemas, listed, most = body.get("schemas"), body.get("Operations"), body.get("failOnErrors")
    if not isinstance(schemas, list) or REQUEST not in schemas or not isinstance(listed, list):
        raise invalid("invalidSyntax", f"Send schemas [{REQUEST}] and a list of Operations.")
    if len(listed) > OPERATIONS:
        raise ScimRefused(413, None, f"At most {OPERATIONS} operations in one request.")
    if most is not None and (isinstance(most, bool) or not isinstance(most, int) or most < 1):
        raise invalid("invalidValue", "failOnErrors is a whole number above 0.")
    operations = [_operation(place, one) for place, one in enumerate(listed)]
    named = [one.bulk_id for one in operations if one.bulk_id is not None]
    if len(set(named)) != len(named):
        raise invalid("invalidValue", "Each bulkId stands there once.")
    return operations, most


def _operation(place: int, told: Any) -> Operation:
    if not isinstance(told, Mapping):
        raise invalid("invalidSyntax", "An operation is an object.")
    method, path, data = str(told.get("method")).upper(), told.get("path"), told.get("data", {})
    bulk_id, version = told.get("bulkId"), told.get("version")
    if method not in _METHODS or not isinstance(path, str) or not isinstance(data, Mapping):
        raise invalid("invalidSyntax", "Each operation has a method (POST, PUT, PATCH, DELETE), a path, and data.")
    if not isinstance(bulk_id, str | None) or not isinstance(version, str | None) or (method == "POST" and not bulk_id):
        raise invalid("invalidSyntax", "bulkId and version are text; POST needs a bulkId.")
    return Operation(place, method, path, bulk_id, version, data)


def _target(path: str, made: Mapping[str, str]) -> tuple[Kind, str | None]:
    found = _PATH.fullmatch(path)
    if found is None:
        raise invalid("invalidPath", "A path is /Users, /Groups, or one of them with an id.")
    id_ = found[2]
    return kinds()[found[1][:-1]], made.get(id_[7:], id_) if id_ and id_.startswith("bulkId:") else id_


def _named(value: Any) -> set[str]:
    if isinstance(value, Mapping):
        return set().union(*(_named(one) for one in value.values()))
    if isinstance(value, list):
        return set().union(*(_named(one) for one in value))
    return {value[7:]} if isinstance(value, str) and value.startswith("bulkId:") else set()


def _filled(value: Any, made: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {name: _filled(one, made) for name, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, made) for one in value]
    return made[value[7:]] if isinstance(value, str) and value.startswith("bulkId:") else value
