"""What an organisation's HR may do with its people, and nobody else's: the verbs of SCIM over the roster.

Every method takes the organisation from the caller's token; what is of another is not there. Answers are whole JSON
bodies with the hub's own addresses; refusals are `ScimRefused`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from integrator.agents import roster
from integrator.agents.changing import Change
from integrator.agents.model import Author
from integrator.agents.scim import schemas
from integrator.agents.scim.errors import ScimRefused, missing
from integrator.agents.scim.listing import MOST, Asked, listed, page, read_asked, read_shown
from integrator.agents.scim.patching import patched
from integrator.agents.scim.schemas import Kind, kinds
from integrator.agents.scim.shaping import project, read_resource
from integrator.database import Database

OPERATIONS = 1_000  # of one bulk request
PAYLOAD = 1_048_576  # bytes of it
T = TypeVar("T")
Resource = dict[str, Any]
Apply = Callable[[Mapping[str, int]], None]


@dataclass(frozen=True, slots=True)
class Hr:
    """Who asks: an application of an organisation, for the purpose of the staff directory."""

    organisation: str
    by: Author


class Scim:
    """`base`: address of /scim/v2. `ended` is told what a change ended, once it is durable."""

    def __init__(
        self, database: Database, base: str, purpose: str, now: Callable[[], float], tag: roster.Tag, ended: Apply
    ) -> None:
        self._database, self.base, self.purpose, self._now, self._tag, self._ended = (
            database,
            base.rstrip("/"),
            purpose,
            now,
            tag,
            ended,
        )

    # --- what there is ------------------------------------------------------------------------------------------------

    def config(self) -> Resource:
        return schemas.config_json(self.base, most=MOST, operations=OPERATIONS, payload=PAYLOAD, purpose=self.purpose)

    def described(self, what: str, id_: str | None) -> Resource:
        """/Schemas or /ResourceTypes, all or one. Raises `ScimRefused` (404)."""
        known = list((schemas.schemas_json if what == "Schemas" else schemas.types_json)(self.base))
        if id_ is None:
            return page(len(known), 1, known)
        found = next((one for one in known if one["id"].lower() == id_.lower()), None)
        if found is None:
            raise missing()
        return found

    # --- reading ------------------------------------------------------------------------------------------------------

    async def read(self, hr: Hr, kind: Kind, id_: str, said: Mapping[str, Any]) -> tuple[Resource, str]:
        """(what is shown of it, its version)."""
        only, without = read_shown(kind, said)
        found = await self._database.run(lambda connection: roster.one(connection, hr.organisation, kind, id_))
        return project(kind, self._placed(kind, found), only, without), str(found["meta"]["version"])

    async def search(self, hr: Hr, kind: Kind | None, said: Mapping[str, Any], *, address: bool) -> Resource:
        """One kind, or (kind None) users and then groups, as one list."""
        asked = [read_asked(one, said, address=address) for one in ([kind] if kind else kinds().values())]
        return await self._database.run(lambda connection: self._search(connection, hr, asked))

    def _search(self, connection: Connection, hr: Hr, asked: list[Asked]) -> Resource:
        total, shown = 0, list[Resource]()
        for one in asked:
            candidates = (
                self._placed(one.kind, found) for found in roster.candidates(connection, one, hr.organisation)
            )
            start = max(1, one.start - total)
            count = one.count - len(shown)
            narrowed = Asked(one.kind, one.filter, one.sort, one.descending, start, count, one.only, one.without)
            matched, some = listed(narrowed, candidates)
            total += matched
            shown += [project(one.kind, found, one.only, one.without) for found in some]
        return page(total, asked[0].start, shown)

    # --- changing -----------------------------------------------------------------------------------------------------

    async def create(self, hr: Hr, kind: Kind, body: Mapping[str, Any]) -> Resource:
        data = read_resource(kind, body)
        return await self._change(hr, kind, lambda change: roster.create(change, kind, data, self._tag))

    async def replace(self, hr: Hr, kind: Kind, id_: str, body: Mapping[str, Any], match: str | None) -> Resource:
        data = read_resource(kind, body)

        def put(change: Change) -> str:
            roster.replace(change, kind, id_, data, self._tag, match)
            return id_

        return await self._change(hr, kind, put)

    async def patch(self, hr: Hr, kind: Kind, id_: str, body: Mapping[str, Any], match: str | None) -> Resource:
        def patch(change: Change) -> str:
            before = roster.kept(change.connection, hr.organisation, kind, id_)
            data = read_resource(kind, patched(kind, before, body))
            if data != read_resource(kind, before) or match is not None:
                roster.replace(change, kind, id_, data, self._tag, match)
            return id_

        return await self._change(hr, kind, patch)

    async def delete(self, hr: Hr, kind: Kind, id_: str, match: str | None) -> None:
        await self._run(hr, lambda change: roster.remove(change, kind, id_, match))

    async def _change(self, hr: Hr, kind: Kind, work: Callable[[Change], str]) -> Resource:
        def whole(change: Change) -> Resource:
            return roster.one(change.connection, hr.organisation, kind, work(change))

        return project(kind, self._placed(kind, await self._run(hr, whole)), None, None)

    async def _run(self, hr: Hr, work: Callable[[Change], T]) -> T:
        made: list[Change] = []

        def run(connection: Connection) -> T:
            made.append(Change(connection, hr.organisation, hr.by, self._now()))
            return work(made[0])

        try:
            done = await self._database.run(run)
        except IntegrityError:  # another organisation's lock is another row: only a name can be taken twice
            raise ScimRefused(
                409, "uniqueness", "Another resource of your organisation has this name already."
            ) from None
        self._ended(made[0].ends)
        return done

    def _placed(self, kind: Kind, resource: Resource) -> Resource:
        """With addresses."""
        resource["meta"]["location"] = f"{self.base}{kind.endpoint}/{resource['id']}"
        for name, endpoint in (("groups", "/Groups"), ("members", "/Users")):
            for one in resource.get(name, ()):
                one["$ref"] = f"{self.base}{endpoint}/{one['value']}"
        return resource
