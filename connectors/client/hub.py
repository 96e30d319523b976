"""The client: a token per purpose, services found in the hub's own OpenAPI file, problems raised as `Problem`."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, cast

import httpx
import jwt
from jwt.algorithms import ECAlgorithm, OKPAlgorithm

from connectors.client import receipts
from connectors.client.receipts import Receipt

_METHODS = ("get", "post")
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class HubUnreachable(Exception):
    """No answer from the hub at all: the network, or the hub is down. Nothing is known about the question."""


class Problem(Exception):
    """The hub refused or could not answer (RFC 9457): `type` is stable, `detail` says what to do."""

    def __init__(self, status: int, body: Mapping[str, Any], trace_id: str | None, retry_after: int | None) -> None:
        super().__init__(f"{status} {body.get('title', '')}: {body.get('detail', '')}")
        self.status = status
        self.type: str = body.get("type", "about:blank")
        self.title: str = body.get("title", "")
        self.detail: str = body.get("detail", "")
        self.issues: list[Mapping[str, Any]] = body.get("issues", [])
        self.body = body
        self.trace_id = trace_id  # name this one when you ask for help
        self.retry_after = retry_after  # seconds; None = asking again unchanged gives the same
        self.receipt: str | None = None  # a refusal is recorded as well


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; reads like the JSON object it is."""

    body: Mapping[str, Any]
    trace_id: str  # of the hub's record of this exchange
    entries: str | None = None  # where in the ledger it was recorded before it was sent
    retry_after: int | None = None  # seconds; set when part of the answer is unknown
    receipt: str | None = None  # the ledger's signed promise: keep it beside the case, `Hub.check_receipt` reads it

    def __getitem__(self, name: str) -> Any:
        return self.body[name]

    def get(self, name: str, default: Any = None) -> Any:
        return self.body.get(name, default)


@dataclass(slots=True)
class Hub:
    """One application asking for one purpose. Not for use from several threads at once."""

    url: str
    client_id: str
    key: Mapping[str, Any]  # private JWK
    purpose: str
    timeout: float = 15.0  # seconds; the hub itself stops after 10
    transport: httpx.BaseTransport | None = None
    _http: httpx.Client = field(init=False)
    _token: str = field(default="", init=False)
    _expires: float = field(default=0.0, init=False)
    _services: dict[str, tuple[str, str]] = field(default_factory=dict, init=False)
    _vkeys: dict[str, str] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._http = httpx.Client(base_url=self.url, timeout=self.timeout, transport=self.transport, trust_env=False)

    @classmethod
    def from_key(cls, path: str | Path, *, purpose: str, url: str | None = None, client_id: str | None = None) -> Hub:
        """From the key file of `integrator app create`, which also names the application and its hub."""
        jwk = json.loads(Path(path).read_text(encoding="utf-8"))
        return cls(url or jwk["hub"], client_id or jwk["client_id"], jwk, purpose)

    def ask(self, service: str, /, **keys: Any) -> Answer:
        """Ask a service by name (`person.get`) or by its path. Raises `Problem` and `HubUnreachable`."""
        method, path = self._route(service)
        for name in [name for name in keys if "{" + name + "}" in path]:
            path = path.replace("{" + name + "}", str(keys.pop(name)))
        return self.call(method, path, keys or None)

    def send(self, service: str, key: str, /, **body: Any) -> Answer:
        """Hand in what is to be delivered; accepted means durable. `key`: new for each message, kept until this returns:

        after `HubUnreachable` send the same again with the same key. Raises `Problem` and `HubUnreachable`.
        """
        method, path = self._route(service)
        return self.call(method, path, body, key)

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None, key: str | None = None) -> Answer:
        """One request with this purpose's token; a token that was just revoked or expired is renewed once."""
        for fresh in (False, True):
            headers = {"Authorization": f"Bearer {self.token(fresh=fresh)}", "BelGov-Trace-Id": str(uuid.uuid4())}
            if key is not None:
                headers["Idempotency-Key"] = key
            reply = self._send(method, path, json=body, headers=headers)
            if reply.status_code != 401 or fresh:
                break
        if reply.is_error:
            raise _problem(reply)
        return Answer(
            reply.json(), reply.headers.get("BelGov-Trace-Id", ""), reply.headers.get("Integrator-Ledger-Entries"),
            _seconds(reply), reply.headers.get("Audit-Receipt"),
        )  # fmt: skip

    def check_receipt(self, header: str) -> Receipt:
        """What a receipt promises, checked with the key that the hub publishes. Raises `ReceiptInvalid`, `Problem`.

        To rely on the hub less, pin its keys: `receipts.check(header, vkey)`.
        """
        log = receipts.read(header).log
        if log not in self._vkeys:
            reply = self._send("GET", f"/log/{log}/vkey")
            if reply.is_error:
                raise _problem(reply)
            self._vkeys[log] = reply.text
        return receipts.check(header, self._vkeys[log])

    def token(self, *, fresh: bool = False) -> str:
        """An access token of minutes, asked with the application's own key (RFC 7523); kept until shortly before its end."""
        if fresh or time.time() > self._expires - 30:
            form = {
                "grant_type": "client_credentials", "client_assertion_type": _ASSERTION, "client_assertion": self._assertion(),
                "authorization_details": json.dumps([{"type": "purpose", "purpose": self.purpose}]),
            }  # fmt: skip
            reply = self._send("POST", "/oauth/token", data=form)
            if reply.is_error:
                raise _problem(reply)
            granted = reply.json()
            self._token, self._expires = granted["access_token"], time.time() + granted["expires_in"]
        return self._token

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Hub:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _assertion(self) -> str:
        now = int(time.time())
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": f"{self.url}/oauth/token",
            "iat": now,
            "exp": now + 60,
            "jti": str(uuid.uuid4()),
        }
        algorithm = self.key.get("alg", "ES256")
        reader = ECAlgorithm if algorithm == "ES256" else OKPAlgorithm
        wanted = {name: value for name, value in self.key.items() if name in ("kty", "crv", "x", "y", "d")}
        return jwt.encode(
            claims,
            cast("Any", reader.from_jwk(wanted)),
            algorithm=algorithm,
            headers={"kid": self.key["kid"], "typ": "JWT"},
        )

    def _route(self, service: str) -> tuple[str, str]:
        if service.startswith("/"):
            return "POST", service
        if not self._services:
            reply = self._send("GET", "/openapi.json")
            for path, operations in reply.json()["paths"].items():
                for method in _METHODS:
                    if method in operations and "x-service" in operations[method]:
                        self._services[operations[method]["x-service"]] = (method.upper(), path)
        if service not in self._services:
            raise KeyError(f"the hub offers no service {service!r}; it offers {', '.join(sorted(self._services))}")
        return self._services[service]

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            return self._http.request(
                method, path, **{name: value for name, value in options.items() if value is not None}
            )
        except httpx.TransportError as error:
            raise HubUnreachable(f"no answer from {self.url}: {type(error).__name__}") from error


def _problem(reply: httpx.Response) -> Problem:
    try:
        body = reply.json()
    except ValueError:
        body = {}
    if not isinstance(body, dict):
        body = {}
    if "error" in body:  # the token endpoint speaks RFC 6749
        body = {"type": f"oauth:{body['error']}", "title": body["error"], "detail": body.get("error_description", "")}
    problem = Problem(reply.status_code, body, reply.headers.get("BelGov-Trace-Id"), _seconds(reply))
    problem.receipt = reply.headers.get("Audit-Receipt")
    return problem


def _seconds(reply: httpx.Response) -> int | None:
    value = reply.headers.get("Retry-After", "")
    return int(value) if value.isdigit() else None
