"""What the delivery tests share: a hub of a few lines over either engine, with an event, a message and a write to hand in."""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

import audit
from integrator.carrying import Carrying
from integrator.database import Database
from integrator.delivery.backoff import Backoff
from integrator.delivery.depositing import Message, uid_of
from integrator.delivery.outbox import Outbox
from integrator.delivery.sealing import Sealing
from integrator.delivery.terms import Held, Sent
from integrator.exchange import Exchange
from integrator.metrics import Metrics
from integrator.model import Caller, Request, Trace
from integrator.policy import compile_policies
from integrator.recording import Recorder
from integrator.services import compile_service
from tests.unit.audit.kit import engine_url

NUMBER, OTHER = "85660812341", "92671504761"
SENDER, RECEIVER, STRANGER = "0207000010", "0207000109", "0207000208"
TEXT = {"nl": "x", "fr": "x", "en": "x"}
NOW = 1_795_435_200.0  # 2026-11-23 12:00 UTC
_traces = itertools.count(1)

_PERSON = {
    "title": TEXT, "kind": "delivery", "subject": {"key": "ssin", "type": "nrn"}, "keys": {"ssin": {"type": "ssin", "required": True}},
}  # fmt: skip
SERVICES = [
    {**_PERSON, "service": "person.changes", "route": "POST /e", "delivery": {"kind": "event", "type": "p.v1.p.notify.changed", "fields": ["address", "name"], "expiresDays": 30}},
    {**_PERSON, "service": "person.report", "route": "POST /m", "delivery": {
        "kind": "message", "type": "p.v1.difference.notify.reported", "to": "recipient", "expiresDays": 7, "answerDays": 30,
        "content": {"field": {"type": "text", "required": True}, "secret": {"type": "text"}}},
     "keys": {**_PERSON["keys"], "recipient": {"type": "enterpriseNumber", "required": True}}},
    {**_PERSON, "service": "person.declare", "route": "POST /w", "delivery": {
        "kind": "write", "type": "p.v1.p.request.declared", "to": "register", "expiresDays": 7, "content": {"field": {"type": "text"}}}},
]  # fmt: skip
GRANTS = [
    {"service": "person.changes", "keys": ["ssin"], "fields": ["address"]},
    {"service": "person.report", "keys": ["ssin", "recipient"], "fields": ["field"]},
    {"service": "person.declare", "keys": ["ssin"], "fields": ["field"]},
]


def policies(
    grants: Any = GRANTS, organisations: Any = (SENDER, RECEIVER), purposes: Any = ("school",), **authorisation: Any
) -> Any:
    """The same authorisation for each purpose."""
    texts = [_text_of(purpose, grants, organisations, authorisation) for purpose in purposes]
    return compile_policies(texts, {"organisations": {}, "groups": {}})


def _text_of(purpose: str, grants: Any, organisations: Any, authorisation: Any) -> tuple[str, bytes]:
    data = {
        "purpose": purpose, "title": TEXT, "why": TEXT, "dpv": "dpv:ServiceProvision", "retention": "Y10", "legalBasis": "eu-gdpr:A6-1-e",
        "processingActivity": "https://ropa.example/school/v1", "disclosure": {},
        "authorisations": [{"id": f"{purpose}@1", "validFrom": "2026-01-01", "organisations": list(organisations), "grants": grants} | authorisation],
    }  # fmt: skip
    return f"{purpose}.yaml", yaml.safe_dump(data).encode()


class Clock:
    """Epoch seconds that move only when told."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


class Way:
    """A way out that says what a test tells it to, and remembers what went out and what was durable by then."""

    def __init__(self, ledger: audit.Ledger) -> None:
        self.says: list[Sent | Exception] = []  # one after the other; then delivered
        self.sent: list[tuple[Held, dict[str, Any]]] = []
        self.durable_before: list[list[str]] = []
        self._ledger = ledger

    async def send(self, held: Held, content: Mapping[str, Any]) -> Sent:
        self.durable_before.append(kinds(self._ledger))
        self.sent.append((held, dict(content)))
        said = self.says.pop(0) if self.says else Sent("delivered")
        if isinstance(said, Exception):
            raise said
        return said


def kinds(ledger: audit.Ledger) -> list[str]:
    return [stored.kind for stored in ledger.store.read(ledger.shard)]


def entries(ledger: audit.Ledger) -> list[dict[str, Any]]:
    return [json.loads(stored.body) for stored in ledger.store.read(ledger.shard)]


class House:
    """Everything between `accept` and the way out."""

    def __init__(self, url: str, folder: Path, *, shard: str = "hub/test/t/2026", real: bool = False) -> None:
        """`real`: the clock is the machine's."""
        self.url, self.clock = url, time.time if real else Clock()
        ring = audit.FileKeyRing(folder / "keys")
        self.ledger = audit.Ledger(audit.open_store(url), ring, shard=shard, clock=lambda: int(self.clock() * 1e6))
        self.database = Database(url, "delivery")
        self.outbox = Outbox(self.database, Sealing(ring), self.clock)
        self.services = {data["service"]: compile_service(data, {}, sandbox=frozenset()) for data in SERVICES}
        self.way = Way(self.ledger)
        self.metrics = Metrics()
        self.may(policies())

    def may(self, allowed: Any) -> None:
        recorder = Recorder(self.ledger, self.metrics)
        self.exchange = Exchange(
            self.services, allowed, {}, recorder, self.metrics, self.clock, lambda organisation: None
        )
        self.carrying = Carrying(
            self.services, self.exchange.deciding.again, recorder, self.metrics, self.clock, self.outbox, {"push": self.way, "effect": self.way},
            Backoff(10, 100),
        )  # fmt: skip

    def request(
        self, service: str = "person.report", ssin: str = NUMBER, organisation: str = SENDER, fields: Any = None
    ) -> Request:
        keys = {"ssin": ssin} | ({"recipient": RECEIVER} if service == "person.report" else {})
        return Request(
            service, Caller(organisation, "app", "school", "agent-7"), keys, Trace(f"{next(_traces):032x}", os.urandom(8).hex()),
            frozenset(fields) if fields else None, "2026/7",
        )  # fmt: skip

    def message(
        self, request: Request, key: str, content: Any = None, recipient: str = "follower-1", **more: Any
    ) -> Message:
        later = self.services[request.service].later
        kind = "answer" if "question" in more else later.kind
        mode = {"write": "effect"}.get(later.kind, "push")
        receiver = (SENDER if mode == "effect" else RECEIVER, "app", "school")
        return Message(
            self.outbox, uid_of(self.outbox, request, key), kind, more.pop("mode", mode), recipient, receiver, request,
            {"field": "street"} if content is None else content, ("nrn", request.keys["ssin"]), later.expires, later.answer, **more,
        )  # fmt: skip

    async def accept(
        self, key: str, content: Any = None, *, service: str = "person.report", ssin: str = NUMBER, **more: Any
    ) -> Any:
        request = self.request(service, ssin, fields=content or {"field"})
        return await self.exchange.accept(request, self.message(request, key, content, **more))

    async def carry(self, count: int = 100, lease: float = 60.0) -> list[str]:
        """One turn of a relay; the uids that were given out."""
        held = await self.outbox.lease(count, lease)
        if held:
            await self.carrying.carry(held)
        return [one.uid for one in held]

    async def state(self, uid: str) -> tuple[str, str | None]:
        row = await self.outbox.find(uid)
        return row["state"], row["reason"]

    def close(self) -> None:
        self.ledger.close()
        self.ledger.store.close()
        self.database.close()


@contextmanager
def house(engine: str, folder: Path) -> Iterator[House]:
    with engine_url(engine, folder) as url:
        built = House(url, folder)
        try:
            yield built
        finally:
            built.close()
