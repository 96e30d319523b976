"""A town's staff in tests: the register on an engine, a ledger that remembers, issuers with keys of the test, a clock."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from audit import Draft, LedgerError
from integrator.agents.issuers import IssuerSilent, read_issuers
from integrator.agents.model import Author
from integrator.agents.office import Agents
from integrator.agents.scim.schemas import AGENT, ENTERPRISE, kinds
from integrator.agents.scim.service import Hr
from integrator.agents.tags import open_tags
from integrator.database import Database
from integrator.identity import keys
from integrator.identity.applications import create_application
from integrator.identity.assertions import make
from integrator.identity.service import Identity
from integrator.model import Caller, LocalizedString
from integrator.policy import Purpose

BASE = "http://hub.example"
START = 1_795_000_000.0
IXELLES, ANDERLECHT = "1992100975", "1992100183"
USER, GROUP = kinds()["User"], kinds()["Group"]
CORE = "urn:ietf:params:scim:schemas:core:2.0"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"
DELEGATION = "urn:integrator:params:oauth:token-type:delegation"
IAM, IAM_IXELLES = "https://iam.example", "https://iam.ixelles.example"
NUMBER = "71631425296"  # of an invented agent: a test number
ISSUERS = [
    {"name": "iam", "issuer": IAM, "jwks": f"{IAM}/jwks", "audience": ["integrator", "portal"], "assurance": {"claim": "acr", "map": {"low": "low", "loa3": "substantial", "loa4": "high"}},
     "identifier": {"claim": "preferred_username", "matches": "userName"}, "organisations": "all"},
    {"name": "eid", "issuer": "https://eid.example", "jwks": "https://eid.example/jwks", "audience": "integrator", "assurance": {"claim": "acr", "map": {"500": "high"}},
     "identifier": {"claim": "egovNRN", "matches": "nationalNumber"}},
    {"name": "iam-ixelles", "issuer": IAM_IXELLES, "jwks": f"{IAM_IXELLES}/jwks", "audience": "integrator", "assurance": {"claim": "acr", "map": {"loa3": "substantial"}},
     "identifier": {"claim": "preferred_username", "matches": "userName"}, "organisations": [IXELLES]},
]  # fmt: skip


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


class Shelf:
    """A ledger that remembers drafts, and may be broken."""

    def __init__(self) -> None:
        self.drafts: list[Draft] = []
        self.broken = False
        self.slow: asyncio.Event | None = None  # what is written is durable only then
        self.writing = asyncio.Event()
        self.ledger = self

    async def begin(self) -> Any:
        return self

    def end(self) -> None: ...

    async def append(self, drafts: list[Draft]) -> list[Any]:
        if self.broken:
            raise LedgerError("no")
        self.writing.set()
        if self.slow is not None:
            await self.slow.wait()
        for one in drafts:
            one.check()
        self.drafts += drafts
        return []

    @property
    def names(self) -> list[str]:
        return [one.name for one in self.drafts]


class Keys:
    """What the issuers publish; `silent` = they do not answer, `slow` = not before this. Counts how often it was asked."""

    def __init__(self) -> None:
        self.private = {"1": ec.generate_private_key(ec.SECP256R1())}
        self.silent, self.asked = False, 0
        self.slow: asyncio.Event | None = None

    def jwks(self) -> dict[str, Any]:
        maker = jwt.algorithms.ECAlgorithm
        return {
            "keys": [{**json.loads(maker.to_jwk(key.public_key())), "kid": kid, "use": "sig", "alg": "ES256"} for kid, key in self.private.items()]
        }  # fmt: skip

    async def fetch(self, address: str) -> Any:
        self.asked += 1
        if self.slow is not None:
            await self.slow.wait()
        if self.silent:
            raise IssuerSilent(address)
        return self.jwks()


class Town:
    """Ixelles and its applications. `close()` it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.clock, self.shelf, self.keys = folder, Clock(), Shelf(), Keys()
        self.jwks = {name: keys.new_key("sandbox") for name in ("desk", "desk-anderlecht")}
        for name, organisation in (("desk", IXELLES), ("desk-anderlecht", ANDERLECHT)):
            create_application(
                folder / "applications", name, organisation=organisation, purposes=["parking_control", "local_tax"],
                world="sandbox", now=START, jwk=keys.public(self.jwks[name]),
            )  # fmt: skip
        self.identity = Identity(folder, base=BASE, world="sandbox", now=self.clock)
        self.database = Database(url, "agents")
        words = LocalizedString("x", "x", "x")
        purpose = Purpose(
            "staff_directory",
            words,
            words,
            "dpv:PersonnelManagement",
            "Y10",
            "https://ropa.example/staff/v1",
            "eu-gdpr:A6-1-e",
            {},
        )
        self.agents = Agents(
            self.database, open_tags(folder, self.database), read_issuers(ISSUERS, sandbox=False), self.keys.fetch,
            self.identity, self.shelf, self.clock, purpose, frozenset(),
        )  # fmt: skip
        # The standing's own timer is real; here it is the town's, and it looks when a test says so.
        self.agents.standing._timer, self.agents.standing._looked = self.clock, START
        self.scim = self.agents.scim
        self.hr = Hr(IXELLES, Author("hr-ixelles"))
        self.hr_anderlecht = Hr(ANDERLECHT, Author("hr-anderlecht"))

    def close(self) -> None:
        self.agents.close()
        self.identity.close()

    # --- HR -----------------------------------------------------------------------------------------------------------

    async def user(self, name: str, *roles: str, hr: Hr | None = None, **more: Any) -> str:
        told = await self.scim.create(hr or self.hr, USER, user(name, *roles, **more))
        await self.agents.acts.record()
        return str(told["id"])

    async def group(self, name: str, *members: str, hr: Hr | None = None) -> str:
        body = {"schemas": [f"{CORE}:Group"], "displayName": name, "members": [{"value": one} for one in members]}
        return str((await self.scim.create(hr or self.hr, GROUP, body))["id"])

    async def patch(
        self, id_: str, *operations: Mapping[str, Any], kind: Any = USER, hr: Hr | None = None
    ) -> dict[str, Any]:
        body = {"schemas": [PATCH], "Operations": list(operations)}
        told: dict[str, Any] = await self.scim.patch(hr or self.hr, kind, id_, body, None)
        return told

    async def leave(self, id_: str) -> None:
        await self.patch(id_, {"op": "replace", "path": "active", "value": False})
        await self.agents.acts.record()

    # --- tokens -------------------------------------------------------------------------------------------------------

    def claims(self, name: str, **changes: Any) -> dict[str, Any]:
        now = int(self.clock.now)
        claims = {
            "iss": IAM, "sub": "x", "aud": "integrator", "iat": now, "exp": now + 600, "acr": "loa3", "preferred_username": name,
            "jti": f"{now} {id(object())}",
        }  # fmt: skip
        return {key: value for key, value in (claims | changes).items() if value is not None}

    def vouch(self, name: str, *, header: Mapping[str, Any] | None = None, **changes: Any) -> str:
        headers = {"kid": "1", "typ": "JWT", **(header or {})}
        kid = headers["kid"] if headers["kid"] in self.keys.private else "1"
        return jwt.encode(self.claims(name, **changes), self.keys.private[kid], "ES256", headers=headers)

    async def trade(
        self, token: str, *, app: str = "desk", purpose: str = "parking_control", **more: str | None
    ) -> tuple[int, dict[str, Any]]:
        form = {
            "grant_type": EXCHANGE, "purpose": purpose, "subject_token": token, "subject_token_type": ID_TOKEN,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": make(self.jwks[app], app, f"{BASE}/oauth/token", self.clock.now), **more,
        }  # fmt: skip
        return await self.identity.token(
            urlencode({key: value for key, value in form.items() if value is not None}).encode()
        )

    async def token(self, name: str, **more: Any) -> str:
        status, body = await self.trade(self.vouch(name), **more)
        assert 200 == status, body
        return str(body["access_token"])

    async def acting(self, name: str, delegation: str) -> tuple[int, dict[str, Any]]:
        return await self.trade(
            delegation, subject_token_type=DELEGATION, actor_token=self.vouch(name), actor_token_type=ID_TOKEN
        )

    def caller(self, token: str) -> Caller:
        found: Caller = self.identity.verify(token).caller
        return found


def user(name: str, *roles: str, number: str | None = None, unit: str | None = None, **more: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "schemas": [f"{CORE}:User", ENTERPRISE, AGENT],
        "userName": name,
        "roles": [{"value": one} for one in roles],
        **more,
    }
    if unit:
        body[ENTERPRISE] = {"department": unit}
    if number:
        body[AGENT] = {"nationalNumber": number}
    return body
