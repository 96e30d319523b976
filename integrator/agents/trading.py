"""Token exchange (RFC 8693): an application brings its agent's own token, and gets one of ours that names the agent.

    subject_token = the agent's token                          he acts himself
    subject_token = a delegation, actor_token = his token      he acts for the colleague who delegated

Who he is comes from his issuer; what he may be called comes from his organisation's staff directory, never from the
request. An agent nobody knows, one who left, and one of another organisation get the same answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, select

from integrator.agents import delegating, proofs
from integrator.agents.changing import agents
from integrator.agents.issuers import Issuers, IssuerSilent
from integrator.agents.model import Agent
from integrator.agents.tables import resource_table
from integrator.agents.tags import AgentTags
from integrator.database import Database
from integrator.identity.acting import Acting
from integrator.identity.applications import Application
from integrator.identity.assertions import NotBelieved
from integrator.identity.endpoint import ACCESS_TOKEN
from integrator.identity.replays import Replays

DELEGATION = "urn:integrator:params:oauth:token-type:delegation"
_NOBODY = "the token's holder is no active agent of your organisation in the hub's staff directory"


class NotTraded(ValueError):
    """`error` is a word of RFC 6749 or 8693; the message says what to do and repeats nothing of the request."""

    def __init__(self, words: str, error: str = "invalid_request") -> None:
        super().__init__(words)
        self.error = error


class Trading:
    """`acting(application, form, detail)`: who acts, or `NotTraded`."""

    def __init__(
        self, database: Database, issuers: Issuers, tags: AgentTags, replays: Replays, now: Callable[[], float]
    ) -> None:
        self._database, self._issuers, self._tags, self._replays, self._now = database, issuers, tags, replays, now

    async def acting(self, application: Application, form: Mapping[str, str], what: str) -> Acting:
        """`what`: the details asked, as text: the same token may be shown once for each. Raises `NotTraded`, `LedgerUnwritable`."""
        if form.get("requested_token_type", ACCESS_TOKEN) != ACCESS_TOKEN:
            raise NotTraded(f"requested_token_type, when given, is {ACCESS_TOKEN}")
        subject, kind = form.get("subject_token"), form.get("subject_token_type")
        if not subject or not kind:
            raise NotTraded("subject_token and subject_token_type are needed")
        if kind == DELEGATION:
            actor, actor_kind = form.get("actor_token"), form.get("actor_token_type")
            if not actor or not actor_kind:
                raise NotTraded("with a delegation, actor_token and actor_token_type say who acts")
            proof = await self._proof(actor, actor_kind)
            agent = await self._agent(application, proof)
            acting = await self._lent(agent, subject, proof)
        else:
            if "actor_token" in form or "actor_token_type" in form:
                raise NotTraded(f"to act for a colleague, give the delegation as subject_token ({DELEGATION})")
            proof = await self._proof(subject, kind)
            acting = _himself(await self._agent(application, proof), proof)
        await self._once(application, proof, f"{kind == DELEGATION and subject} {what}")
        return acting

    async def _proof(self, token: str, kind: str) -> proofs.Proof:
        if kind not in proofs.TOKEN_TYPES:
            raise NotTraded(f"a token's type is one of {', '.join(proofs.TOKEN_TYPES)}")
        try:
            return await proofs.check(token, kind, self._issuers, self._now())
        except NotBelieved as error:
            raise NotTraded(f"the agent's token is not believed: {error}") from None
        except IssuerSilent as error:
            raise NotTraded(error.hint, "temporarily_unavailable") from error

    async def _agent(self, application: Application, proof: proofs.Proof) -> Agent:
        if not proof.issuer.vouches_for(application.organisation):
            raise NotTraded("this issuer vouches for agents of other organisations: bring a token of your own's issuer")

        def find(connection: Connection) -> Agent | None:
            ids = matching(connection, proof.issuer.matches, proof.identifier, self._tags, application.organisation)
            return agents(connection, ids).get(ids[0]) if len(ids) == 1 else None  # two with one number: nobody

        found = await self._database.run(find)
        if found is None or not found.active:
            raise NotTraded(_NOBODY)
        return found

    async def _lent(self, agent: Agent, delegation: str, proof: proofs.Proof) -> Acting:
        def find(connection: Connection) -> tuple[Any, Agent | None]:
            found = delegating.find(connection, agent.organisation, delegation)
            return found, agents(connection, {found.giver}).get(found.giver) if found is not None else None

        found, giver = await self._database.run(find)
        if found is None or giver is None or found.taker != agent.id:
            raise NotTraded("there is no such delegation to this agent")
        roles = delegating.lent(found, giver, self._now())
        if not roles:
            raise NotTraded("this delegation gives nothing now: it has ended, was revoked, or did not begin yet")
        standing = {agent.id: agent.generation, giver.id: giver.generation, found.id: 1}
        return Acting(agent.id, roles, agent.unit, proof.assurance, giver.mandate, giver.id, standing, found.ends)

    async def _once(self, application: Application, proof: proofs.Proof, what: str) -> None:
        client = f"{application.id} {proof.issuer.issuer} {what}"
        first = await asyncio.to_thread(
            self._replays.first_use, client, proof.digest, expires=proof.expires + proofs.LEEWAY, now=self._now()
        )
        if not first:
            raise NotTraded("this token was exchanged for this already: ask the issuer a fresh one")


def _himself(agent: Agent, proof: proofs.Proof) -> Acting:
    standing = {agent.id: agent.generation}
    return Acting(agent.id, agent.roles, agent.unit, proof.assurance, agent.mandate, None, standing)


def matching(
    connection: Connection, matches: str, value: str, tags: AgentTags, organisation: str | None, *, gone: bool = False
) -> list[str]:
    """Ids of users whose attribute is this value; of one organisation, or (None) of all. `gone`: those deleted too."""
    table = resource_table.c
    column, wanted = {
        "userName": (table.name, value.casefold()), "externalId": (table.external_id, value), "nationalNumber": (table.own, tags.of(value)),
    }[matches]  # fmt: skip
    query = select(table.id).where(column == wanted, table.kind == "User")
    if organisation is not None:
        query = query.where(table.organisation == organisation)
    if not gone:
        query = query.where(table.gone.is_(None))
    return list(connection.execute(query.order_by(table.id).limit(20)).scalars())
