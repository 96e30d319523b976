"""A small hub for the tests of its door: real services, real identity, a source that is only a list of questions."""

from __future__ import annotations

import asyncio
import select
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import uvloop

from integrator.api.server import run
from integrator.api.soap.opening import open_soap
from integrator.database import Database
from integrator.exchange import Exchange
from integrator.identity import keys
from integrator.identity.applications import create_application
from integrator.identity.assertions import make
from integrator.identity.enrolment import ROOM, KeyDesk, Office, Pile, Rooms
from integrator.identity.grants import Bureau
from integrator.identity.service import Identity
from integrator.mapping import Sheet
from integrator.metrics import Metrics
from integrator.model import Answer, LocalizedString, Request
from integrator.policy import Policies, compile_policies
from integrator.services import Service, compile_service

BASE = "http://127.0.0.1:8443"
PERSON = "/person/v1/persons/get"
NUMBER = "85660812341"
OTHER = "92671504761"


def words(text: str) -> dict[str, str]:
    return {"nl": f"{text} (nl)", "fr": f"{text} (fr)", "en": text}


_CODES = {"gender": {"1": words("male"), "2": words("female")}}
_PERSON_SHEET = {
    "mapping": "person", "source": "register", "operation": "person_file", "document": "json",
    "fields": {
        "ssin": {"at": "number"}, "familyName": {"at": "name"}, "birthDate": {"at": "born", "read": "date"},
        "gender": {"at": "sex", "code": "gender"}, "source": {"const": "RR"},
        "address": {"at": "home", "record": {"postCode": {"at": "post"}, "houseNumber": {"at": "number"}}},
        "nationalities": {"at": "nations", "many": True, "record": {"code": {"at": "code"}, "since": {"at": "from", "read": "date"}}},
        "name": {"at": "names", "spread": {"givenNames": {"at": "given", "many": True}}},
    },
}  # fmt: skip
_LIST_SHEET = {
    "mapping": "rows", "source": "register", "operation": "rows", "document": "json",
    "fields": {"items": {"at": "rows", "many": True, "record": {"plateNumber": {"at": "plate"}, "count": {"at": "n", "read": "integer"}}}},
}  # fmt: skip
_SERVICES: tuple[dict[str, Any], ...] = (
    {
        "service": "person.get", "title": words("Person"), "description": words("One person."), "route": f"POST {PERSON}", "tag": "person",
        "subject": {"key": "ssin", "type": "nrn"}, "keys": {"ssin": {"type": "ssin", "required": True, "example": NUMBER}},
        "source": "register", "operation": "person_file", "mapping": "person",
    },
    {
        "service": "enterprise.get", "title": words("Enterprise"), "route": "GET /enterprise/v1/enterprises/{enterpriseNumber}",
        "tag": "enterprise", "subject": {"key": "enterpriseNumber", "type": "cbe"},
        "keys": {"enterpriseNumber": {"type": "enterpriseNumber", "required": True, "example": "0314595348"},
                 "page": {"type": "integer", "min": 1, "max": 9}},
        "source": "register", "operation": "rows", "mapping": "rows", "list": "items",
    },
    {
        "service": "vehicle.registrations", "title": words("Vehicles"), "route": "POST /vehicle/v1/registrations/query", "tag": "vehicle",
        "subject": {"key": ["plateNumber", "ssin"], "type": "plate"},
        "keys": {"plateNumber": {"type": "plate", "example": "1ABC123"}, "ssin": {"type": "ssin", "example": NUMBER}},
        "exactlyOne": [["plateNumber"], ["ssin"]], "source": "register", "operation": "rows", "mapping": "rows", "list": "items",
    },
    {
        "service": "parking.check", "title": words("Permit"), "route": "POST /parking/v1/checks/check", "tag": "parking", "kind": "composition",
        "subject": {"key": "ssin", "type": "nrn"},
        "keys": {"ssin": {"type": "ssin", "required": True, "example": NUMBER},
                 "address": {"type": "object", "required": True, "properties": {"postCode": {"type": "postCode", "required": True, "example": "1050"}}}},
        "parts": {"person": {"service": "person.get", "with": {"ssin": "$ssin"}, "fields": ["birthDate"]}},
        "checks": [{"code": "alive", "title": words("Alive?"), "source": "register", "rule": {"absent": "person.birthDate"}}],
        "answer": {"eligible": "all"},
    },
)  # fmt: skip


def services() -> dict[str, Service]:
    sheets = {data["mapping"]: Sheet(data, _CODES) for data in (_PERSON_SHEET, _LIST_SHEET)}
    made = [compile_service(data, sheets, sandbox=frozenset()) for data in _SERVICES]
    return {service.name: service for service in made}


@dataclass
class FakeExchange:
    """Remembers what it was asked; answers, fails or waits as the test says."""

    asked: list[Request] = field(default_factory=list)
    finished: list[Request] = field(default_factory=list)
    error: BaseException | None = None
    body: Mapping[str, Any] = field(default_factory=lambda: {"familyName": "Eekhoorn"})
    hold: asyncio.Event | None = None
    seconds: float = 0.0
    retry_after: int | None = None

    async def answer(self, request: Request) -> Answer:
        self.asked.append(request)
        if self.hold is not None:
            await self.hold.wait()
        if self.seconds:
            await asyncio.sleep(self.seconds)
        self.finished.append(request)
        if self.error is not None:
            raise self.error
        return Answer(self.body, orjson.dumps(self.body), request.trace, (7, 8), "hub/test", self.retry_after)


@dataclass
class FakeReports:
    """Rows of a ledger by trace, as the reports give them."""

    rows: list[Any] = field(default_factory=list)

    def exchange(self, trace_id: str, *, org: str | None = None) -> Any:
        found = [row for row in self.rows if row.trace_id == trace_id and org in (None, row.org)]
        return SimpleNamespace(rows=found, behind=0)

    def row(self, shard: str, index: int) -> Any:
        return next((row for row in self.rows if (row.shard, row.index) == (shard, index)), None)


POLICY = b"""
purpose: resident_permit
title: {nl: Vergunning, fr: Carte, en: Permit}
why: {nl: Om te parkeren., fr: Pour stationner., en: To park.}
dpv: dpv:RequestedServiceProvision
legalBasis: eu-gdpr:A6-1-e
processingActivity: https://ropa.integrator.example/resident_permit/v1
retention: Y10
disclosure: {rule: immediate}
authorisations:
  - id: resident_permit@1
    legal: {kind: protocol, number: "1", issuer: Test, date: 2025-12-15}
    validFrom: 2026-01-01
    organisations: ["0207373429"]
    grants:
      - {service: person.get, keys: [ssin], fields: [familyName, address.postCode]}
      - {service: vehicle.registrations, keys: [plateNumber], fields: [plateNumber], use: answersOnly}
      - {service: parking.check, keys: [ssin, address], answers: [alive]}
      - {service: person.get, keys: [ssin], fields: [birthDate], use: answersOnly}
"""


def small_policies() -> Policies:
    return compile_policies([("resident_permit.yaml", POLICY)], {"organisations": {}, "groups": {}})


@dataclass(frozen=True)
class FakeSettings:
    sandbox: bool = True
    issuer: str = BASE
    hosts: tuple[str, ...] = ("127.0.0.1:8443", "hub.example")
    tls: Mapping[str, Any] = field(default_factory=dict)
    proxies: tuple[Mapping[str, Any], ...] = ()
    limits: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class FakePurpose:
    title: LocalizedString
    why: LocalizedString


class StandIn:
    """What `integrator.api` needs of a hub, and a caller who is enrolled."""

    def __init__(self, folder: Path, now: Callable[[], float], **settings: Any) -> None:
        self.settings = FakeSettings(**settings)
        self.services = services()
        self.purposes = {
            "resident_permit": FakePurpose(
                LocalizedString.read(words("Permit")), LocalizedString.read(words("To park."))
            )
        }
        self.exchange = FakeExchange()
        self.metrics = Metrics()
        self.clock = now
        self.published: Any = None
        self.consoles: Any = None
        self.agents: Any = None
        self.dispatch: Any = None
        self.codes = folder / "codes"
        self.codes.mkdir(parents=True, exist_ok=True)
        (self.codes / "gender.yaml").write_bytes(
            b"list: gender\ntitle: {nl: Geslacht, fr: Sexe, en: Gender}\ncodes:\n  '1': {nl: man, fr: homme, en: male}\n"
        )
        self.state = "UP"
        self.key = keys.new_key("sandbox")
        for name in ("ixelles-parking", "forest-parking"):
            if not (folder / "applications" / f"{name}.json").exists():
                create_application(
                    folder / "applications", name, organisation="0207373429", purposes=["resident_permit"], world="sandbox",
                    now=now(), jwk=keys.public(self.key),
                )  # fmt: skip
        authority = self.settings.tls.get("clientCa")
        self.identity = Identity(
            folder, base=BASE, world="sandbox", now=now, authority=Path(authority) if authority else None,
            mutual=self.settings.tls.get("address"), binds=bool(authority or self.settings.proxies),
        )  # fmt: skip
        keys_of_soap = {"signingKey": folder / "soap.key.pem", "signingCertificate": folder / "soap.cert.pem"}
        self.soap = open_soap(keys_of_soap, sandbox=True, now=now)
        self.written: list[Any] = []  # entries of the ledger about callers

        async def write(drafts: Any) -> None:
            for draft in drafts:
                draft.check()
            self.written.extend(drafts)

        limits = {"keyDays": 365, "waiting": 200, "perHour": 60}
        rooms = Rooms("sandbox", self.identity.issuer, {"0207373429", "0314595348"}, lambda: self.purposes)
        desk = KeyDesk(
            self.identity.applications, folder / "applications", self.identity.replays, rooms, write, limits, now
        )
        self.enrolment = Office(
            Pile(Database(f"sqlite:///{folder / 'enrolment.db'}", ROOM)), desk, folder / "applications", limits
        )

        self.reports = FakeReports()
        weighing = Exchange(self.services, small_policies(), {}, None, self.metrics, now, lambda organisation: None)  # type: ignore[arg-type]
        self.bureau = Bureau(weighing, self.services, self.identity.applications, dict, self.reports, write, now)

    opened: Any = None

    def health(self) -> dict[str, Any]:
        return {"status": self.state, "sources": {"register": "UP"}}

    async def token(self, application: str = "ixelles-parking", **more: str) -> str:
        status, body = await self.identity.token(self.form(application, **more))
        assert 200 == status, body
        return str(body["access_token"])

    def form(self, application: str = "ixelles-parking", **more: str) -> bytes:
        from urllib.parse import urlencode

        assertion = make(self.key, application, f"{BASE}/oauth/token", self.clock())
        fields = {
            "grant_type": "client_credentials", "purpose": "resident_permit", "client_assertion": assertion,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        }  # fmt: skip
        return urlencode({name: value for name, value in (fields | more).items() if value}).encode()


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return orjson.loads(self.body)


class Caller:
    """Speaks ASGI to an application, in this process."""

    def __init__(self, app: Any, token: str | None = None) -> None:
        self.app, self.token = app, token

    async def __call__(
        self,
        method: str,
        target: str,
        body: bytes | list[bytes] = b"",
        *,
        headers: Mapping[str, str] | None = None,
        kind: str = "application/json",
    ) -> Reply:
        sent = {"host": "hub.example"} | ({"authorization": f"Bearer {self.token}"} if self.token else {})
        if body:
            sent["content-type"] = kind
            sent |= {"content-length": str(len(body))} if isinstance(body, bytes) else {"transfer-encoding": "chunked"}
        sent |= {name.lower(): value for name, value in (headers or {}).items()}
        return await self.raw(
            method, target, body, [(n.encode(), v.encode("latin-1")) for n, v in sent.items() if v != ""]
        )

    async def raw(
        self, method: str, target: str, body: bytes | list[bytes], headers: list[tuple[bytes, bytes]]
    ) -> Reply:
        from urllib.parse import unquote

        path, _, query = target.partition("?")
        scope = {
            "type": "http", "method": method, "path": unquote(path), "raw_path": path.encode(), "query_string": query.encode(),
            "headers": headers, "http_version": "1.1", "scheme": "http", "server": ("127.0.0.1", 8443), "client": ("127.0.0.1", 1), "root_path": "",
            "asgi": {"version": "3.0"},
        }  # fmt: skip
        chunks = [body] if isinstance(body, bytes) else list(body)
        messages = [
            {"type": "http.request", "body": chunk, "more_body": number < len(chunks) - 1}
            for number, chunk in enumerate(chunks)
        ]
        sent: list[Any] = []

        async def receive() -> Any:
            return messages.pop(0) if messages else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        if not sent:
            return Reply(0, {}, b"")
        start, rest = sent[0], sent[1:]
        named: dict[str, str] = {}
        for name, value in start["headers"]:
            assert name not in named, f"{name!r} twice"
            named[name.decode().lower()] = value.decode()
        return Reply(start["status"], named, b"".join(message.get("body", b"") for message in rest))


class Live:
    """A running server, and plain sockets to speak to it as rudely as one likes."""

    def __init__(self, hub: StandIn) -> None:
        self.hub = hub
        self.token = asyncio.run(hub.token())
        self.port = 0
        self._started, self._failed = threading.Event(), None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        if not self._started.wait(20) or self._failed is not None:
            raise RuntimeError("the server did not start") from self._failed

    def _run(self) -> None:
        async def main() -> None:
            self.loop = asyncio.get_running_loop()
            self.ending = asyncio.Event()
            await run(self.hub, "127.0.0.1", 0, started=self._on_start, stop=self.ending)

        try:
            uvloop.run(main())
        except BaseException as error:
            self._failed = error
        finally:
            self._started.set()

    def _on_start(self, port: int) -> None:
        self.port = port
        self._started.set()

    def soon(self, act: Callable[[], Any]) -> None:
        self.loop.call_soon_threadsafe(act)

    def begin_stop(self) -> None:
        if self._thread.is_alive():
            self.soon(self.ending.set)

    def stop(self) -> None:
        self.begin_stop()
        self._thread.join(40)
        assert not self._thread.is_alive(), "the server did not stop"
        if self._failed is not None:
            raise self._failed

    def connect(self) -> Wire:
        return Wire(self.port)

    def head(self, length: int, path: str = PERSON) -> bytes:
        return (
            f"POST {path} HTTP/1.1\r\nhost: hub.example\r\nauthorization: Bearer {self.token}\r\n"
            f"content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        ).encode()

    def question(self, body: bytes = b'{"ssin":"85660812341","dossierReference":"IX-1"}') -> bytes:
        return self.head(len(body)) + body


class Wire:
    """One TCP connection, read with patience of ten seconds."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.buffer = b""

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> Wire:
        self.socket.sendall(data)
        return self

    def reply(self) -> Reply:
        """The next whole answer. Raises `EOFError` when the connection ends before one."""
        while b"\r\n\r\n" not in self.buffer:
            self._more()
        head, _, rest = self.buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        while len(rest) < int(headers.get("content-length", "0")):
            self._more()
            rest = self.buffer.partition(b"\r\n\r\n")[2]
        length = int(headers.get("content-length", "0"))
        self.buffer = rest[length:]
        return Reply(int(first.split()[1]), headers, rest[:length])

    def closed(self) -> bool:
        """Whether the other side ends the connection (waits for it)."""
        try:
            while self.socket.recv(65536):
                pass
        except TimeoutError:
            return False
        except ConnectionError:
            return True
        return True

    def was_reset(self) -> bool:
        """Whether the other side gives up on us although we never read (waits for it)."""
        watch = select.poll()
        watch.register(self.socket, 0)  # errors and hang-ups only
        return bool(watch.poll(10_000))

    def _more(self) -> None:
        try:
            data = self.socket.recv(65536)
        except ConnectionError as error:
            raise EOFError(str(error)) from error
        if not data:
            raise EOFError(f"closed after {self.buffer[:200]!r}")
        self.buffer += data
