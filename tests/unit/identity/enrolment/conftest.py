from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from audit import Draft
from audit.errors import LedgerUnwritable
from integrator.database import Database
from integrator.identity import keys
from integrator.identity.enrolment import ROOM, KeyDesk, Office, Pile, Rooms
from integrator.identity.enrolment.proofs import make_order, make_proof
from integrator.identity.service import Identity
from tests.unit.audit.kit import ENGINES, engine_url
from tests.unit.identity.conftest import BASE, Clock

BODY = "0207373429"  # a participant
LIMITS = {"keyDays": 365, "waiting": 4, "perHour": 6}


class House:
    """An office with a ledger that is only a list."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.clock = folder, Clock()
        self.entries: list[Draft] = []
        self.full = False  # the ledger cannot be written
        self.identity = Identity(folder, base=BASE, world="sandbox", now=self.clock)
        rooms = Rooms("sandbox", self.identity.issuer, {BODY, "0314595348"}, lambda: {"resident_permit", "social_inquiry"})
        self.applications = folder / "applications"
        desk = KeyDesk(self.identity.applications, self.applications, self.identity.replays, rooms, self._write, LIMITS, self.clock)
        self.office = Office(Pile(Database(url, ROOM)), desk, self.applications, LIMITS)

    async def _write(self, drafts: Any) -> None:
        if self.full:
            raise LedgerUnwritable("full")
        for draft in drafts:
            draft.check()
        self.entries.extend(drafts)

    @property
    def names(self) -> list[str]:
        return [draft.name for draft in self.entries]

    def request(self, jwk: dict[str, Any], name: str = "social-desk", **changes: Any) -> dict[str, Any]:
        body = {
            "application": name, "title": "Social desk", "organisation": BODY, "purposes": ["social_inquiry"], "key": keys.public(jwk),
            "proof": self.proof(jwk, name), "contact": "integrations@vendor.example",
        }  # fmt: skip
        return {key: value for key, value in (body | changes).items() if value is not None}

    def proof(self, jwk: dict[str, Any], name: str = "social-desk", **more: Any) -> str:
        return make_proof(jwk, name, more.get("audience", self.identity.issuer), more.get("now", self.clock.now))

    def order(self, key: dict[str, Any], name: str = "social-desk", /, **act: Any) -> str:
        return make_order(key, name, self.identity.issuer, self.clock.now, **act)

    async def enrolled(self, name: str = "social-desk") -> dict[str, Any]:
        """The private key of an application that both approved."""
        jwk = keys.new_key("sandbox")
        one, _ = await self.office.ask(self.request(jwk, name))
        await self.office.approve(one.id, "operator", "ops-1")
        await self.office.approve(one.id, "dpo", "dpo-1")
        return jwk

    def file(self, name: str = "social-desk") -> Any:
        return json.loads((self.applications / f"{name}.json").read_text())

    async def token(self, jwk: dict[str, Any], name: str = "social-desk") -> tuple[int, dict[str, Any]]:
        from urllib.parse import urlencode

        from integrator.identity.assertions import make

        form = {
            "grant_type": "client_credentials", "purpose": "social_inquiry", "client_assertion": make(jwk, name, f"{BASE}/oauth/token", self.clock.now),
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        }  # fmt: skip
        return await self.identity.token(urlencode(form).encode())

    def believed(self, token: str) -> bool:
        from integrator.errors import UnknownCaller

        try:
            self.identity.verify(token)
        except UnknownCaller:
            return False
        return True

    def close(self) -> None:
        self.office.pile.close()
        self.identity.close()


@pytest.fixture(params=ENGINES)
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    with engine_url(request.param, tmp_path) as url:
        made = House(tmp_path / "state", url)
        yield made
        made.close()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[House]:
    """On SQLite only, where the engine does not matter."""
    made = House(tmp_path / "state", f"sqlite:///{tmp_path / 'enrolment.db'}")
    yield made
    made.close()


@pytest.fixture
def new_key() -> Callable[..., dict[str, Any]]:
    return keys.new_key
