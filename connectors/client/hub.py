"""The client: a token per purpose, services found in the hub's own OpenAPI file, problems raised as `Problem`."""

from __future__ import annotations

import contextlib
import json
import ssl
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from connectors.client import keys, receipts
from connectors.client.receipts import Receipt
from connectors.client.replies import Answer, HubUnreachable, Problem, problem_of, seconds_of

_METHODS = ("get", "post")
_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
_ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"  # noqa: S105 (a name)
_DELEGATION = "urn:integrator:params:oauth:token-type:delegation"
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(slots=True)
class Hub:
    """One application asking for one purpose. Not for use from several threads at once."""

    url: str
    client_id: str
    key: Mapping[str, Any]  # private JWK
    purpose: str
    timeout: float = 15.0  # seconds; the hub itself stops after 10
    transport: httpx.BaseTransport | None = None
    tls: ssl.SSLContext | None = None  # for mutual TLS: a context with your certificate; tokens are then bound to it
    path: Path | None = None  # the key's file: where there is one, the key is replaced before it ends
    renew: float = 30 * 86_400.0  # seconds before its end
    _http: httpx.Client = field(init=False)
    _token: str = field(default="", init=False)
    _expires: float = field(default=0.0, init=False)
    _services: dict[str, tuple[str, str]] = field(default_factory=dict, init=False)
    _vkeys: dict[str, str] = field(default_factory=dict, init=False)
    _issuer: str = field(default="", init=False)
    _exchange: dict[str, str] = field(default_factory=dict, init=False)  # the agent's own token, shown once

    def __post_init__(self) -> None:
        verify = True if self.tls is None else self.tls
        self._http = httpx.Client(
            base_url=self.url, timeout=self.timeout, transport=self.transport, trust_env=False, verify=verify
        )

    @classmethod
    def from_key(
        cls, path: str | Path, *, purpose: str, url: str | None = None, client_id: str | None = None, **more: Any
    ) -> Hub:
        """From the key file of `integrator app create`, which also names the application and its hub.

        A key that ends is replaced in that file in time; `renew=0` leaves that to you. `more`: other fields of Hub.
        """
        jwk = json.loads(Path(path).read_text(encoding="utf-8"))
        return cls(url or jwk["hub"], client_id or jwk["client_id"], jwk, purpose, path=Path(path), **more)

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
        for fresh in (False,) if self._exchange else (False, True):
            headers = {"Authorization": f"Bearer {self.token(fresh=fresh)}", "BelGov-Trace-Id": str(uuid.uuid4())}
            if key is not None:
                headers["Idempotency-Key"] = key
            reply = self._send(method, path, json=body, headers=headers)
            if reply.status_code != 401:
                break
        if reply.is_error:
            raise problem_of(reply)
        return Answer(
            reply.json(), reply.headers.get("BelGov-Trace-Id", ""), reply.headers.get("Integrator-Ledger-Entries"),
            seconds_of(reply), reply.headers.get("Audit-Receipt"),
        )  # fmt: skip

    def rights(self, *, all_purposes: bool = False) -> Answer:
        """What this application may ask for its purpose (or for every purpose it is enrolled for), and until when."""
        return self.call("POST", "/authorisation/v1/grants/mine", {"allPurposes": all_purposes})

    def why(self, trace_id: str) -> Answer:
        """Why an exchange of this organisation was allowed or refused."""
        return self.call("POST", "/authorisation/v1/decisions/explain", {"traceId": trace_id})

    def check_receipt(self, header: str) -> Receipt:
        """What a receipt promises, checked with the key that the hub publishes. Raises `ReceiptInvalid`, `Problem`.

        To rely on the hub less, pin its keys: `receipts.check(header, vkey)`.
        """
        log = receipts.read(header).log
        if log not in self._vkeys:
            reply = self._send("GET", f"/log/{log}/vkey")
            if reply.is_error:
                raise problem_of(reply)
            self._vkeys[log] = reply.text
        return receipts.check(header, self._vkeys[log])

    def token(self, *, fresh: bool = False) -> str:
        """An access token of minutes, asked with the application's own key (RFC 7523); kept until shortly before its end."""
        if fresh or time.time() > self._expires - 30:
            try:
                granted = self._granted()
            except Problem as problem:
                if problem.type != "oauth:invalid_client" or not self._adopt():
                    raise
                granted = self._granted()  # another process of this application has replaced the key
            self._token, self._expires = granted["access_token"], time.time() + granted["expires_in"]
            ends = granted.get("key_ends")
            if ends is not None and datetime.fromisoformat(ends).timestamp() - time.time() < self.renew:
                with contextlib.suppress(Problem, HubUnreachable, OSError):  # tried again with the next token
                    self.rotate()
        return self._token

    def rotate(self, *, overlap: int = 86_400) -> str:
        """Replace the application's key by a new one, in the hub and in its file; the old one ends `overlap` seconds later.

        Returns the key id in use afterwards. Raises `Problem`, `HubUnreachable`, `OSError` (the file): the old key stays.
        """
        if self.path is None:
            raise OSError("the new key needs a file: make the Hub with Hub.from_key")
        aside = self.path.with_name(self.path.name + ".new")
        if self._adopt() or self._take_up(aside):
            return str(self.key["kid"])
        new = {**self.key, **keys.new_key(self.key["kid"].partition(".")[0], self.key.get("alg", "ES256"))}
        new = {name: value for name, value in new.items() if name != "y" or new["alg"] == "ES256"}
        if not keys.keep(aside, new):  # another process is busy with it
            return str(self.key["kid"])
        order = {"act": "rotate", "jwk": keys.public(new), "overlap": overlap}
        try:
            self._order("rotate", order, proof=self._statement(new, "key-proof+jwt"))
        except Problem:
            aside.unlink(missing_ok=True)  # it was refused, so nobody knows this key. No answer is no refusal: it stays
            raise
        aside.replace(self.path)
        self.key = new
        return str(new["kid"])

    def revoke(self, kid: str) -> None:
        """Take back a key of this application, at once, with the tokens it got. Raises `Problem`, `HubUnreachable`."""
        self._order("revoke", {"act": "revoke", "kid": kid})

    def for_agent(self, token: str, kind: str = _ID_TOKEN, *, delegation: str | None = None) -> Hub:
        """The same, asking for the agent whose own token this is (RFC 8693); good for as long as one token of the hub.

        `delegation`: the agent acts for the colleague who delegated to him. Raises `Problem` and `HubUnreachable`.
        """
        other = Hub(self.url, self.client_id, self.key, self.purpose, self.timeout, self.transport, self.tls)
        if delegation is None:
            other._exchange = {"subject_token": token, "subject_token_type": kind}
        else:
            lent = {"subject_token": delegation, "subject_token_type": _DELEGATION}
            other._exchange = {"actor_token": token, "actor_token_type": kind, **lent}
        try:
            other.token()
        except BaseException:
            other.close()
            raise
        return other

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Hub:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def assertion(self) -> str:
        """A fresh proof of who the application is (RFC 7523): good once, for a minute."""
        return keys.sign(self.key, "JWT", self.client_id, f"{self.url}/oauth/token")

    def _granted(self) -> dict[str, Any]:
        form = {
            "grant_type": _EXCHANGE if self._exchange else "client_credentials", **self._exchange,
            "client_assertion_type": _ASSERTION,
            "client_assertion": self.assertion(),
            "authorization_details": json.dumps([{"type": "purpose", "purpose": self.purpose}]),
        }  # fmt: skip
        reply = self._send("POST", "/oauth/token", data=form)
        if reply.is_error:
            raise problem_of(reply)
        granted: dict[str, Any] = reply.json()
        return granted

    def _order(self, act: str, order: Mapping[str, Any], **more: str) -> None:
        body = {"order": self._statement(self.key, "key-order+jwt", **order), **more}
        reply = self._send("POST", f"/enrolment/v1/keys/{act}", json=body)
        if reply.is_error:
            raise problem_of(reply)

    def _statement(self, key: Mapping[str, Any], kind: str, /, **more: Any) -> str:
        if not self._issuer:
            self._issuer = self._send("GET", "/.well-known/oauth-authorization-server").json()["issuer"]
        return keys.sign(key, kind, self.client_id, self._issuer, **more)

    def _adopt(self) -> bool:
        """Whether the file holds another key than ours by now; it is ours from here on."""
        if self.path is None:
            return False
        with contextlib.suppress(OSError, ValueError):
            there = json.loads(self.path.read_text(encoding="utf-8"))
            if there["kid"] != self.key["kid"]:
                self.key = there
                return True
        return False

    def _take_up(self, aside: Path) -> bool:
        """Finish what a crash interrupted, when the hub had heard of the new key; else forget it."""
        left = keys.left_behind(aside)
        if left is None or self.path is None:
            return False
        before, self.key = self.key, left
        try:
            self._granted()
        except Problem:
            self.key = before
            aside.unlink(missing_ok=True)
            return False
        aside.replace(self.path)
        return True

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
