"""Who owns and who takes: organisations of the sandbox with an application, a data protection officer and an agent each."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from audit import Subject
from connectors.client import Hub, keys
from integrator import clock
from integrator.commands import mock
from integrator.consoles.database import Database
from integrator.consoles.people import Person
from integrator.consoles.sessions import Sessions
from integrator.consoles.vault import open_vault
from integrator.ids import like_a_number
from tests.flows.sandboxes import Beside, Callers, Reply

NUMBERS = {
    "ixelles": "1992100975",
    "cpas-ixelles": "1982100968",
    "cpas-anderlecht": "1982100174",
    "forest": "1992100777",
}
SCIM = "application/scim+json"


@dataclass(slots=True)
class Body:
    """One organisation at the hub: everything it may knock with. `vouched`: a person for whom the regional issuer speaks."""

    one: Beside
    doors: Callers
    http: httpx.Client
    name: str
    vouched: str
    number: str
    session: str = ""  # of its data protection officer
    agent: str = ""  # token of its agent; empty = it has none
    own: dict[str, Any] = field(default_factory=dict)  # kind -> what it has of that kind itself
    _tokens: dict[str, str] = field(default_factory=dict)

    @property
    def application(self) -> str:
        return f"test-{self.name}"

    def client(self, purpose: str = "social_inquiry") -> Hub:
        return self.doors.client(purpose, self.name)

    def token(self, purpose: str) -> str:
        return self.client(purpose).token()

    def post(self, path: str, body: Any, *, purpose: str = "social_inquiry", key: str | None = None) -> Reply:
        headers = {"Idempotency-Key": key} if key is not None else {}
        return self.doors.send(
            "POST", path, json.dumps(body).encode(), purpose=purpose, organisation=self.name, headers=headers
        )

    def ask(
        self, method: str, path: str, body: Any = None, *, bearer: str, kind: str = "application/json"
    ) -> httpx.Response:
        content = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {bearer}", "Content-Type": kind}
        return self.http.request(method, path, content=content, headers=headers)

    def officer(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return self.ask(method, path, body, bearer=self.session)

    def hr(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return self.ask(method, "/scim/v2" + path, body, bearer=self.token("staff_directory"), kind=SCIM)

    def id_token(self, person: str | None = None) -> str:
        """Fresh: each is exchanged once."""
        told = mock.call("POST", f"{self.one.mocks}/iam/token", {"person": person or self.vouched})
        return str(told["id_token"])

    def signed(self, kind: str, name: str, audience: str, **more: Any) -> str:
        """A statement in somebody's name, by this organisation's key."""
        return keys.sign(self.client().key, kind, name, audience, **more)


def settle(one: Beside, doors: Callers, http: httpx.Client, name: str, vouched: str) -> Body:
    """Application enrolled, officer signed in, one agent told of by HR and vouched for."""
    made = Body(one, doors, http, name, vouched, NUMBERS[name])
    made.session = session(one, Person(f"dpo-of-{name}", f"dpo-{name}", frozenset({"dpo"}), org=made.number))
    user = {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": vouched, "externalId": f"hr-{vouched}",
        "roles": [{"value": "social_worker"}],
    }  # fmt: skip
    reply = made.hr("POST", "/Users", user)
    assert 201 == reply.status_code, reply.text
    made.own |= {"user": reply.json()["id"], "username": vouched, "external": f"hr-{vouched}"}
    with made.client().for_agent(made.id_token()) as agent:
        made.agent = agent.token()
    return made


def session(one: Beside, person: Person) -> str:
    """What a browser of this person would hold."""
    database = Database(str(one.settings.consoles["database"]))
    try:
        return asyncio.run(Sessions(database, open_vault(one.state), clock.system).begin(person)).token
    finally:
        database.close()


def citizen(number: str) -> Person:
    return Person("cross-citizen", "Citizen", frozenset({"citizen"}), subject=Subject("nrn", number))


@dataclass(frozen=True, slots=True)
class Pair:
    """Somebody else's object, and one of the same form that nobody has; each as it is, or as who takes makes it."""

    theirs: Any
    nobodys: Any

    def values(self, thief: Body) -> tuple[Any, Any]:
        return tuple(one(thief) if callable(one) else one for one in (self.theirs, self.nobodys))


def like(text: str) -> str:
    """The same form, another value: digits and letters drawn again, the rest kept; none that the door takes for a number."""
    while like_a_number(made := "".join(_another(one) for one in text)):
        pass
    return made


def _another(one: str) -> str:
    if one in "0123456789abcdef":
        return secrets.choice("0123456789abcdef")
    return secrets.choice("ghijklmnopqrstuvwxyz") if one.islower() else one


def letters(text: str) -> str:
    """The same for ids of letters behind a dash (a-…, d-…)."""
    head, _, tail = text.partition("-")
    return f"{head}-" + "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz234567"[:26]) for _ in tail)


Make = Callable[[Body], Any]
Pairs = Mapping[str, Pair]
