"""Everything of this room behind one object; built once at start by the composition root.

scim (HR's feed) · delegations · trading (tokens) · standing (every use of a token) · acts (ledger) · admit (consoles)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from audit.log.years import Shelf
from integrator import clock
from integrator.agents import delegating, persons
from integrator.agents.acting import Acts
from integrator.agents.changing import Change, agents
from integrator.agents.issuers import Fetch, Issuers, Trusted
from integrator.agents.model import Agent, Author, Delegation
from integrator.agents.scim.errors import invalid
from integrator.agents.scim.service import Scim
from integrator.agents.standing import Standing
from integrator.agents.tags import AgentTags, open_tags
from integrator.agents.trading import NotTraded, Trading
from integrator.database import Database
from integrator.errors import ConfigurationError, LedgerUnwritable, MalformedRequest
from integrator.identity.acting import Acting
from integrator.identity.applications import Application
from integrator.identity.endpoint import TokenRefused
from integrator.identity.service import Identity
from integrator.keytypes import compile_key
from integrator.policy import Purpose
from integrator.settings import Settings

T = TypeVar("T")


class Agents:
    """`purpose`: for which HR's applications are enrolled. `numbers`: real-looking ones a sandbox knows on purpose; None in production."""

    def __init__(
        self,
        database: Database,
        tags: AgentTags,
        trusted: list[Trusted],
        fetch: Fetch,
        identity: Identity,
        shelf: Shelf,
        now: clock.Now,
        purpose: Purpose,
        numbers: frozenset[str] | None,
    ) -> None:
        self._database, self._now = database, now
        self.tags, self.purpose = tags, purpose.code
        self._number = compile_key("nationalNumber", {"type": "ssin"}, sandbox=numbers)
        self.standing = Standing(database, now)
        self.acts = Acts(database, shelf, purpose, now)
        self.scim = Scim(database, f"{identity.base}/scim/v2", purpose.code, now, self._tag, self.standing.end)
        self._trading = Trading(database, Issuers(trusted, fetch, now), tags, identity.replays, now)
        identity.know_agents(self._acting, self.standing.holds)

    # --- delegations --------------------------------------------------------------------------------------------------

    async def delegate(
        self, organisation: str, by: Author, giver: str, taker: str, roles: list[str], starts: float | None, ends: float
    ) -> Delegation:
        """Raises `MalformedRequest`."""

        def work(change: Change) -> Delegation:
            return delegating.delegate(change, giver, taker, roles, change.now if starts is None else starts, ends)

        return await self._change(organisation, by, work)

    async def revoke(self, organisation: str, by: Author, id_: str, agent: str | None) -> Delegation:
        """Raises `NotYours`."""

        def work(change: Change) -> Delegation:
            delegating.revoke(change, id_, agent)
            found = delegating.find(change.connection, organisation, id_)
            if found is None:
                raise delegating.NotYours
            return found

        return await self._change(organisation, by, work)

    async def delegations(self, organisation: str, agent: str | None) -> list[Delegation]:
        return await self._database.run(lambda connection: delegating.known(connection, organisation, agent))

    async def agent(self, organisation: str, id_: str) -> Agent | None:
        found = (await self._database.run(lambda connection: agents(connection, {id_}))).get(id_)
        return found if found is not None and found.organisation == organisation else None

    # --- tokens -------------------------------------------------------------------------------------------------------

    async def _acting(self, application: Application, form: Mapping[str, str], what: str) -> Acting:
        try:
            return await self._trading.acting(application, form, what)
        except NotTraded as error:
            raise TokenRefused(
                error.error, str(error), 503 if error.error == "temporarily_unavailable" else 400
            ) from error
        except SQLAlchemyError as error:
            raise LedgerUnwritable("the register of agents cannot be read") from error

    # --- consoles -----------------------------------------------------------------------------------------------------

    async def may_work(self, person: str, organisation: str | None, matches: str, value: str) -> bool:
        """Whether an official who signs in at the consoles still works where he says; those no feed told of are not ours to judge.

        `person`: as the consoles know him; remembered, so that his sessions end when he leaves.
        """
        return await self._database.run(
            lambda connection: persons.may_work(connection, self.tags, person, organisation, matches, value)
        )

    async def somebody_else(
        self, person: str, number: str | None, organisation: str, asked: Collection[str]
    ) -> bool | None:
        """Whether who is signed in at the consoles is none of these agents of an organisation; None when that cannot be told."""
        tag = self.tags.of(number) if number else None
        return await self._database.run(
            lambda connection: persons.somebody_else(connection, person, tag, organisation, asked)
        )

    # --- keeping ------------------------------------------------------------------------------------------------------

    def end_sessions_by(self, end: Callable[[str], Awaitable[object]]) -> None:
        """How the consoles end somebody's sessions."""
        self.acts.end_sessions = end

    def close(self) -> None:
        self._database.close()

    async def _change(self, organisation: str, by: Author, work: Callable[[Change], T]) -> T:
        made: list[Change] = []

        def run(connection: Connection) -> T:
            made.append(Change(connection, organisation, by, self._now()))
            return work(made[0])

        done = await self._database.run(run)
        self.standing.end(made[0].ends)
        await self.acts.record()
        return done

    def _tag(self, number: str) -> str:
        try:
            return self.tags.of(str(self._number.read(number, "/")))
        except MalformedRequest:
            raise invalid("invalidValue", "nationalNumber is not a national number of this world.") from None


def open_agents(
    settings: Settings,
    purposes: Mapping[str, Purpose],
    identity: Identity,
    shelf: Shelf,
    trusted: list[Trusted],
    fetch: Fetch,
    now: clock.Now,
) -> Agents:
    """Raises `ConfigurationError`."""
    purpose = purposes.get(str(settings.agents["purpose"]))
    if purpose is None:
        raise ConfigurationError("agents.purpose names no file in policies/")
    database = Database(str(settings.agents["database"]), "agents")
    try:
        numbers = settings.named_numbers if settings.sandbox else None
        return Agents(
            database, open_tags(settings.state, database), trusted, fetch, identity, shelf, now, purpose, numbers
        )
    except BaseException:
        database.close()
        raise
