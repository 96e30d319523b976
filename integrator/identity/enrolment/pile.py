"""Requests that wait, and one-time codes: the tables of migrations/enrolment. Secrets stand here as digests only.

A request goes one way, by one statement each, whoever else decides at the same moment:

    waiting ─► refused                                         one of the two said no
    waiting ─► admitted ─► approved                            both said yes ─► the application is enrolled
               admitted ─► waiting                             its name was taken meanwhile: the operator approves again

What is admitted is let in, also when the process that admitted it dies: Office.finish. Who asks hears that it waits.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    MetaData,
    String,
    Table,
    Text,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from integrator.database import Database
from integrator.identity.enrolment.asking import Asked

ROOM = "enrolment"
WAITS, REMEMBERED = 30 * 86_400, 90 * 86_400  # seconds: a request nobody decides on, and one that was decided
CODE_LIFE = 900  # seconds

_METADATA = MetaData()
_REQUESTS = Table(
    "enrolment_request", _METADATA, Column("id", String(16), primary_key=True), Column("secret", String(64)), Column("name", String(64)),
    Column("title", String(120)), Column("organisation", String(10)), Column("purposes", Text), Column("jwk", Text), Column("kid", String(64)),
    Column("contact", String(120)), Column("certificate_bound", Boolean), Column("asked", BigInteger), Column("state", String(10)),
    Column("decided", BigInteger), Column("reason", String(40)), Column("operator", String(80)), Column("dpo", String(80)),
)  # fmt: skip
_CODES = Table(
    "enrolment_code", _METADATA, Column("code", String(64), primary_key=True), Column("application", String(64)), Column("expires", BigInteger),
)  # fmt: skip
_UNDECIDED = _REQUESTS.c.state.in_(("waiting", "admitted"))
State = Literal["waiting", "approved", "refused"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request as it stands."""

    id: str  # 16 hexadecimal digits
    name: str
    title: str
    organisation: str
    purposes: tuple[str, ...]
    jwk: Mapping[str, Any]
    kid: str
    contact: str
    certificate_bound: bool
    asked: int  # epoch seconds
    state: State
    decided: int | None
    reason: str | None  # of a refusal
    operator: str | None  # account of who approved as operator
    dpo: str | None  # … and as data protection officer
    admitted: bool = False  # both approved, and nobody can refuse it any more; state is `waiting` until it is enrolled


class Pile:
    """All requests of one hub, whichever process took them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def counts(self, now: float) -> tuple[int, int]:
        """(how many wait, how many came within the hour); what is too old to wait or to be remembered goes first."""

        def count(connection: Connection) -> tuple[int, int]:
            old = (_REQUESTS.c.state == "waiting") & (_REQUESTS.c.asked < int(now) - WAITS)
            done = ~_UNDECIDED & (_REQUESTS.c.decided < int(now) - REMEMBERED)
            connection.execute(delete(_REQUESTS).where(old | done))
            waiting = select(func.count()).where(_UNDECIDED)
            lately = select(func.count()).where(_REQUESTS.c.asked > int(now) - 3600)
            return connection.execute(waiting).scalar_one(), connection.execute(lately).scalar_one()

        return await self._database.run(count)

    async def lay(self, id_: str, asked: Asked, now: float) -> str:
        """Keep a request; its secret, which is told once."""
        secret = secrets.token_urlsafe(32)
        row = {
            "id": id_, "secret": digest(secret), "name": asked.name, "title": asked.title, "organisation": asked.organisation,
            "purposes": json.dumps(asked.purposes), "jwk": json.dumps(dict(asked.jwk)), "kid": asked.kid, "contact": asked.contact,
            "certificate_bound": asked.certificate_bound, "asked": int(now), "state": "waiting",
        }  # fmt: skip
        await self._database.run(lambda connection: connection.execute(insert(_REQUESTS).values(row)))
        return secret

    async def with_key(self, kid: str) -> bool:
        """Whether a request with this key waits already."""
        query = select(_REQUESTS.c.id).where((_REQUESTS.c.kid == kid) & _UNDECIDED)
        return await self._database.run(lambda connection: connection.execute(query).first()) is not None

    async def find(self, id_: str, secret: str | None = None) -> Waiting | None:
        """One request; with `secret`, None unless it is the request's own."""
        row = await self._database.run(
            lambda connection: connection.execute(select(_REQUESTS).where(_REQUESTS.c.id == id_)).one_or_none()
        )
        # Compared also when there is no such request, so that both take as long.
        right = hmac.compare_digest(row.secret if row is not None else "0" * 64, digest(secret or ""))
        return _waiting(row) if row is not None and (secret is None or right) else None

    async def all(self, organisation: str | None = None) -> list[Waiting]:
        """The newest first; of one organisation, where one is named."""
        query = select(_REQUESTS).order_by(_REQUESTS.c.asked.desc(), _REQUESTS.c.id).limit(500)
        if organisation is not None:
            query = query.where(_REQUESTS.c.organisation == organisation)
        rows = await self._database.run(lambda connection: connection.execute(query).all())
        return [_waiting(row) for row in rows]

    async def admitted(self) -> list[Waiting]:
        """Those that both approved and nobody enrolled yet."""
        query = select(_REQUESTS).where(_REQUESTS.c.state == "admitted")
        return [_waiting(row) for row in await self._database.run(lambda connection: connection.execute(query).all())]

    async def approve(self, one: Waiting, role: str, account: str) -> bool:
        """Write one approval, the operator's with the name; the second of two people admits it. False: somebody decided meanwhile."""
        other = _REQUESTS.c["dpo" if role == "operator" else "operator"]
        state = case((other.is_(None), "waiting"), else_="admitted")
        values = {"state": state, role: account} | ({"name": one.name} if role == "operator" else {})
        return await self._change(
            one, values, (_REQUESTS.c.state == "waiting") & or_(other.is_(None), other != account)
        )

    async def change(self, one: Waiting, **values: Any) -> bool:
        """Write, unless somebody decided meanwhile."""
        return await self._change(one, values, _REQUESTS.c.state == ("admitted" if one.admitted else "waiting"))

    async def _change(self, one: Waiting, values: Mapping[str, Any], still: ColumnElement[bool]) -> bool:
        where = (_REQUESTS.c.id == one.id) & still
        done = await self._database.run(
            lambda connection: connection.execute(update(_REQUESTS).where(where).values(values)).rowcount
        )
        return done == 1

    # --- one-time codes ---------------------------------------------------------------------------------------------

    async def give_code(self, application: str, now: float) -> str:
        """A code that opens the page of this application's rights once, within a quarter of an hour."""
        code = secrets.token_urlsafe(24)
        row = {"code": digest(code), "application": application, "expires": int(now) + CODE_LIFE}

        def write(connection: Connection) -> None:
            connection.execute(delete(_CODES).where(_CODES.c.expires <= int(now)))
            connection.execute(insert(_CODES).values(row))

        await self._database.run(write)
        return code

    async def take_code(self, code: str, now: float) -> str | None:
        """The application of a code, the first time."""
        mine = _CODES.c.code == digest(code)

        def take(connection: Connection) -> str | None:
            row = connection.execute(select(_CODES).where(mine & (_CODES.c.expires > int(now)))).one_or_none()
            taken = connection.execute(delete(_CODES).where(mine)).rowcount  # of two at once, one deletes it
            return str(row.application) if row is not None and taken == 1 else None

        return await self._database.run(take)

    def close(self) -> None:
        self._database.close()


def digest(secret: str) -> str:
    """SHA-256, hexadecimal; what is hashed has 192 bits of chance or more."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _waiting(row: Any) -> Waiting:
    return Waiting(
        row.id, row.name, row.title, row.organisation, tuple(json.loads(row.purposes)), json.loads(row.jwk), row.kid, row.contact,
        bool(row.certificate_bound), row.asked, "waiting" if row.state == "admitted" else row.state, row.decided, row.reason,
        row.operator, row.dpo, row.state == "admitted",
    )  # fmt: skip
