"""A small hub for the tests of its door: real services, real identity, a source that is only a list of questions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from integrator.errors import IntegratorError
from integrator.identity import keys
from integrator.identity.applications import create_application
from integrator.identity.assertions import make
from integrator.identity.service import Identity
from integrator.mapping import Sheet
from integrator.metrics import Metrics
from integrator.model import Answer, LocalizedString, Request
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


@dataclass(frozen=True)
class FakeSettings:
    sandbox: bool = True
    issuer: str = BASE
    hosts: tuple[str, ...] = ("127.0.0.1:8443", "hub.example")
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
        self.purposes = {"resident_permit": FakePurpose(LocalizedString.read(words("Permit")), LocalizedString.read(words("To park.")))}
        self.exchange = FakeExchange()
        self.metrics = Metrics()
        self.clock = now
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
        self.identity = Identity(folder, base=BASE, world="sandbox", now=now)

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
        self, method: str, target: str, body: bytes | list[bytes] = b"", *, headers: Mapping[str, str] | None = None, kind: str = "application/json"
    ) -> Reply:
        sent = {"host": "hub.example"} | ({"authorization": f"Bearer {self.token}"} if self.token else {})
        if body:
            sent["content-type"] = kind
            sent |= {"content-length": str(len(body))} if isinstance(body, bytes) else {"transfer-encoding": "chunked"}
        sent |= {name.lower(): value for name, value in (headers or {}).items()}
        return await self.raw(method, target, body, [(n.encode(), v.encode("latin-1")) for n, v in sent.items() if v != ""])

    async def raw(self, method: str, target: str, body: bytes | list[bytes], headers: list[tuple[bytes, bytes]]) -> Reply:
        from urllib.parse import unquote

        path, _, query = target.partition("?")
        scope = {
            "type": "http", "method": method, "path": unquote(path), "raw_path": path.encode(), "query_string": query.encode(),
            "headers": headers, "http_version": "1.1", "scheme": "http", "server": ("127.0.0.1", 8443), "client": ("127.0.0.1", 1), "root_path": "",
            "asgi": {"version": "3.0"},
        }  # fmt: skip
        chunks = [body] if isinstance(body, bytes) else list(body)
        messages = [{"type": "http.request", "body": chunk, "more_body": number < len(chunks) - 1} for number, chunk in enumerate(chunks)]
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


