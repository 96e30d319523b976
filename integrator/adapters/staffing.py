"""Rows of an HR package tell who works where. The part of adapter.yaml that says so:

    staff:
      organisation: cpas-ixelles
      application: hr-package          # enrolled for the purpose of the staff directory
      purpose: staff_directory
      contract: contract               # what makes a row one engagement: the same again changes nothing
      user: {userName: login, familyName: name, givenName: first, department: unit, role: function, nationalNumber: person}
      active: state                    # true: has access; false: has none from now on

Each is a field of the layout. Of a login with two contracts the newer one counts: the end of an older one withdraws nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from integrator.adapters.intake import Stopped, Taken
from integrator.adapters.layout import Layout
from integrator.errors import ConfigurationError, IntegratorError

_SCHEMAS = {
    "core": "urn:ietf:params:scim:schemas:core:2.0:User",
    "enterprise": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
    "agent": "urn:integrator:params:scim:schemas:extension:agent:1.0:User",
}
Resource = Mapping[str, Any]


class NotTaken(Exception):
    """The directory refuses this row; another one may do."""


class Directory(Protocol):
    """The staff directory of one organisation. Raises `NotTaken`, or `IntegratorError` when it cannot go on."""

    async def find(self, login: str) -> Resource | None: ...

    async def create(self, user: Resource) -> None: ...

    async def replace(self, id_: str, user: Resource) -> None: ...


@dataclass(frozen=True, slots=True)
class Staffing:
    """One HR package's part, compiled."""

    adapter: str
    organisation: str  # as written: short name or number
    application: str
    purpose: str
    contract: str
    active: str
    user: Mapping[str, str]  # attribute -> field of the layout

    def resource(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The SCIM user (RFC 7643) that a row makes."""
        said = {name: row[field] for name, field in self.user.items() if field in row}
        made: dict[str, Any] = {
            "schemas": list(_SCHEMAS.values()), "userName": said["userName"], "externalId": str(row[self.contract]),
            "active": bool(row[self.active]),
            "name": {name: said[name] for name in ("familyName", "givenName") if name in said},
            "roles": [{"value": said["role"]}] if "role" in said else [],
        }  # fmt: skip
        for schema, name in (("enterprise", "department"), ("agent", "nationalNumber")):
            if name in said:
                made[_SCHEMAS[schema]] = {name: said[name]}
        return made


def staffing(layout: Layout) -> Staffing | None:
    """None when the package tells of no staff. Raises `ConfigurationError`."""
    said = layout.data.get("staff")
    if said is None:
        return None
    needed = {one.name for one in layout.fields if one.required}
    strange = set(said["user"].values()) - {one.name for one in layout.fields}
    strange |= {said["contract"], said["active"], said["user"]["userName"]} - needed
    if strange or {"deposit", "deliver", "ask", "even"} & set(layout.data):
        raise ConfigurationError(
            f"{layout.adapter}: staff: stands alone, over fields of the layout; contract, active and userName are required"
        )
    return Staffing(
        layout.adapter, str(said["organisation"]), said["application"], said["purpose"], said["contract"], said["active"],
        dict(said["user"]),
    )  # fmt: skip


class Tells:
    """`Effect` of an intake: row by row, as the file has them. Raises `Stopped`."""

    def __init__(self, part: Staffing, directory: Directory) -> None:
        self._part, self._directory = part, directory

    async def __call__(self, rows: Sequence[Taken]) -> Mapping[str, str]:
        refused, settled = dict[str, str](), set[str]()
        for row in rows:
            try:
                await self._tell(self._part.resource(row.values))
            except NotTaken:
                refused[row.key] = "NOT_ACCEPTED"
            except IntegratorError as error:
                raise Stopped(frozenset(settled), refused) from error
            settled.add(row.key)
        return refused

    async def _tell(self, user: dict[str, Any]) -> None:
        there = await self._directory.find(user["userName"])
        if there is None:
            if user["active"]:  # who never came does not leave
                await self._directory.create(user)
        elif user["active"] or there.get("externalId") == user["externalId"]:
            await self._directory.replace(str(there["id"]), user)
