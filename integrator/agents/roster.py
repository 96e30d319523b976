"""Users and groups of one organisation in the database, as SCIM resources. Every statement names the organisation.

Functions here are given a connection and block; scim/service.py says what may be done with them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, insert, select, update

from integrator.agents.changing import Change, agents
from integrator.agents.scim.errors import ScimRefused, invalid, missing
from integrator.agents.scim.listing import Asked
from integrator.agents.scim.schemas import AGENT, Kind, kinds
from integrator.agents.tables import member_table, resource_table
from integrator.agents.tags import new_id

Resource = dict[str, Any]
Tag = Callable[[str], str]  # from a national number as sent to its tag; raises ScimRefused
_PREFIX = {"User": "a", "Group": "g"}
_MANY = 500
_TABLE = resource_table.c


def create(change: Change, kind: Kind, data: Resource, tag: Tag) -> str:
    """A new resource; its id. Raises `ScimRefused` (409 uniqueness)."""
    id_ = new_id(_PREFIX[kind.name])
    row = _row(kind, data, tag)
    _refuse_taken(change, kind, row["name"], None)
    before = agents(change.connection, _members(data))
    change.connection.execute(
        insert(resource_table).values(
            id=id_, organisation=change.organisation, kind=kind.name, generation=1, version=1,
            created=change.now, modified=change.now, **row,
        )
    )  # fmt: skip
    touched = {id_} if kind.name == "User" else _write_members(change, id_, data)
    change.account(before, touched)
    return id_


def replace(change: Change, kind: Kind, id_: str, data: Resource, tag: Tag, match: str | None) -> None:
    """Put what was sent in the place of what is there. `match`: the version the caller saw. Raises `ScimRefused`."""
    there = _there(change, kind, id_, match)
    if kind.name == "User":
        data = {"active": bool(there.active), **data}  # who left does not come back because a feed forgot to say so
    row = _row(kind, data, tag)
    _refuse_taken(change, kind, row["name"], id_)
    touched = {id_} if kind.name == "User" else _of_group(change.connection, id_) | _members(data)
    before = agents(change.connection, touched)
    if "own" not in row:
        row["own"] = there.own  # a number that was told once stays, as it is never given back
    where = _TABLE.id == id_
    change.connection.execute(
        update(resource_table).where(where).values(version=there.version + 1, modified=change.now, **row)
    )
    if kind.name == "Group":
        _write_members(change, id_, data)
    change.account(before, touched)


def remove(change: Change, kind: Kind, id_: str, match: str | None) -> None:
    """Delete: what HR told is wiped, and that somebody was here stays. Raises `ScimRefused`."""
    _there(change, kind, id_, match)
    touched = {id_} if kind.name == "User" else _of_group(change.connection, id_)
    before = agents(change.connection, touched)
    gone = {"gone": change.now, "data": "{}", "active": False, "name": id_, "mandate": None}
    change.connection.execute(update(resource_table).where(_TABLE.id == id_).values(gone))
    column = member_table.c.user if kind.name == "User" else member_table.c.group
    change.connection.execute(delete(member_table).where(column == id_))
    change.account(before, touched)


def one(connection: Connection, organisation: str, kind: Kind, id_: str) -> Resource:
    """A whole resource. Raises `ScimRefused` (404)."""
    query = _all(organisation, kind).where(_TABLE.id == id_)
    found = next(_resources(connection, kind, connection.execute(query).all()), None)
    if found is None:
        raise missing()
    return found


def kept(connection: Connection, organisation: str, kind: Kind, id_: str) -> Resource:
    """The same as PATCH works on it: what was sent, without what the hub adds."""
    found = one(connection, organisation, kind, id_)
    return {name: value for name, value in found.items() if name not in ("id", "meta", "groups")}


def candidates(connection: Connection, asked: Asked, organisation: str) -> Iterator[Resource]:
    """At least every resource that the question is about; an index narrows it where the filter is one equality."""
    query = _all(organisation, asked.kind)
    name = "userName" if asked.kind.name == "User" else "displayName"
    if (value := asked.exactly(name)) is not None:
        query = query.where(_TABLE.name == value.casefold())
    elif (value := asked.exactly("externalId")) is not None:
        query = query.where(_TABLE.external_id == value)
    elif (value := asked.exactly("id")) is not None:
        query = query.where(_TABLE.id == value)
    return _resources(connection, asked.kind, connection.execute(query).all())


def version(number: int) -> str:
    """An ETag (weak: RFC 7644 §3.14)."""
    return f'W/"{number}"'


# --- rows -------------------------------------------------------------------------------------------------------------


def _all(organisation: str, kind: Kind) -> Select[Any]:
    here = (_TABLE.organisation == organisation, _TABLE.kind == kind.name, _TABLE.gone.is_(None))
    return select(resource_table).where(*here).order_by(_TABLE.created, _TABLE.id)


def _row(kind: Kind, data: Resource, tag: Tag) -> dict[str, Any]:
    data = {name: value for name, value in data.items() if name != "members"}
    agent = dict(data.get(AGENT) or {})
    row: dict[str, Any] = {"mandate": agent.get("mandate")}
    if "nationalNumber" in agent:
        row["own"] = tag(agent.pop("nationalNumber"))
        data = {**data, AGENT: agent} if agent else {name: value for name, value in data.items() if name != AGENT}
    name = data["userName" if kind.name == "User" else "displayName"]
    return {
        **row, "name": name.casefold(), "external_id": data.get("externalId"),
        "data": json.dumps(data, ensure_ascii=False), "active": data.get("active", True),
    }  # fmt: skip


def _there(change: Change, kind: Kind, id_: str, match: str | None) -> Any:
    row = change.connection.execute(_all(change.organisation, kind).where(_TABLE.id == id_)).one_or_none()
    if row is None:
        raise missing()
    if (
        match is not None
        and match.strip() != "*"
        and version(row.version) not in [one.strip() for one in match.split(",")]
    ):
        raise ScimRefused(412, None, "The resource has changed since you read it: read it again.")
    return row


def _refuse_taken(change: Change, kind: Kind, name: str, id_: str | None) -> None:
    query = _all(change.organisation, kind).where(_TABLE.name == name)
    found = change.connection.execute(query).first()
    if found is not None and found.id != id_:
        raise ScimRefused(409, "uniqueness", "Another resource of your organisation has this name already.")


def _members(data: Mapping[str, Any]) -> set[str]:
    return {str(one["value"]) for one in data.get("members", ())}


def _of_group(connection: Connection, id_: str) -> set[str]:
    query = select(member_table.c.user).where(member_table.c.group == id_)
    return set(connection.execute(query).scalars())


def _write_members(change: Change, id_: str, data: Mapping[str, Any]) -> set[str]:
    """Members as they should be; who came or went. Raises `ScimRefused`: not a user of this organisation."""
    before, after = _of_group(change.connection, id_), _members(data)
    came, went = after - before, before - after
    here = kinds()["User"]
    for start in range(0, len(came), _MANY):
        some = sorted(came)[start : start + _MANY]
        known = _all(change.organisation, here).where(_TABLE.id.in_(some))
        if len(change.connection.execute(known).all()) != len(some):
            raise invalid("invalidValue", "A member is not a user of your organisation.")
    for start in range(0, len(went), _MANY):
        where = (member_table.c.group == id_) & member_table.c.user.in_(sorted(went)[start : start + _MANY])
        change.connection.execute(delete(member_table).where(where))
    if came:
        change.connection.execute(insert(member_table), [{"group": id_, "user": user} for user in sorted(came)])
    return came | went


def _resources(connection: Connection, kind: Kind, rows: Any) -> Iterator[Resource]:
    """Rows as whole SCIM resources; addresses are put in by whoever knows the hub's own."""
    links = _links(connection, kind, [row.id for row in rows])
    for row in rows:
        data = json.loads(row.data)
        extensions = [one.id for one in kind.extensions if one.id in data]
        resource = {"schemas": [kind.core.id, *extensions], "id": row.id, **data}
        if kind.name == "User":
            resource.setdefault("active", True)
        if linked := links.get(row.id):
            resource["groups" if kind.name == "User" else "members"] = linked
        resource["meta"] = {
            "resourceType": kind.name, "created": _iso(row.created), "lastModified": _iso(row.modified), "version": version(row.version),
        }  # fmt: skip
        yield resource


def _links(connection: Connection, kind: Kind, ids: list[str]) -> dict[str, list[Resource]]:
    """Members of groups, or groups of users."""
    ours, theirs = (
        (member_table.c.user, member_table.c.group)
        if kind.name == "User"
        else (member_table.c.group, member_table.c.user)
    )
    found: dict[str, list[Resource]] = {}
    for start in range(0, len(ids), _MANY):
        query = (
            select(ours.label("mine"), _TABLE.id, _TABLE.data)
            .join(resource_table, _TABLE.id == theirs)
            .where(ours.in_(ids[start : start + _MANY]))
            .order_by(_TABLE.id)
        )
        for row in connection.execute(query):
            link = {"value": row.id, "type": "direct" if kind.name == "User" else "User"}
            if kind.name == "User":
                link["display"] = json.loads(row.data)["displayName"]
            found.setdefault(row.mine, []).append(link)
    return found


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
