"""One attempt on somebody else's object and the same on nobody's: what came back, and in what the two differ."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from tests.flows.crossing.operations import NOTHING, Attempt, Operation
from tests.flows.crossing.people import SCIM, Body
from tests.flows.crossing.possessions import Things

# What belongs to everybody who governs: read by every officer, decided by others than who proposed it. Tried nevertheless:
# what only its owner, or an officer of the organisation concerned, may do must be refused.
SHARED = frozenset(("proposal", "suspension"))
OPEN = frozenset(
    ("GET /policy/v1/proposals/{id}", "POST /policy/v1/proposals/{id}/approve", "POST /policy/v1/proposals/{id}/refuse")
)
ALONE = frozenset(
    ("page", NOTHING)
)  # nobody has one: a page of one's own list cannot be another's; only what it tells is looked at

# Of each answer alone: when it was, its own number, and where it was written down.
_OWN_HEADERS = frozenset(
    (
        "date",
        "belgov-trace-id",
        "fsc-transaction-id",
        "integrator-ledger-entries",
        "audit-receipt",
        "content-length",
        "etag",
        "location",
    )
)
_NEW = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uuid>"),
    (re.compile(r"\b[0-9a-f]{16,}\b"), "<hex>"),
    (re.compile(r"\b[a-z]-[a-z]{24}\b"), "<id>"),
    (re.compile(r"\b2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?"), "<time>"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]+"), "<jws>"),
    (re.compile(r'"id":"[\w-]{22}"'), "<id>"),
    (re.compile(r'"ms":[\d.]+'), "<ms>"),
    (re.compile(r'"index":\d+'), "<index>"),
    (re.compile(r'"nextCursor":"[\w-]+"'), "<cursor>"),
    (re.compile(r"W/\\?\"[^\"\\]*\\?\""), "<version>"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one attempt came to. `told`: secrets of the owner in the answer; `differs`: what tells theirs from nobody's."""

    attempt: Attempt
    thief: str
    status: int
    told: tuple[str, ...]
    differs: str

    def __str__(self) -> str:
        return f"{self.attempt} as {self.thief}: {self.status} {self.differs or ''} {'tells ' + str(self.told) if self.told else ''}"


@dataclass(slots=True)
class Taking:
    """Tries things of others at a hub."""

    things: Things
    purposes: Mapping[str, str]  # service -> a purpose for which whoever tries may perhaps ask it

    def attempt(self, one: Attempt, thief: Body) -> Outcome:
        pair = self.things.pairs[one.kind]
        answers = []
        sent = []
        for value in pair.values(thief):
            request = self._request(one, thief, value)
            sent.append((value, json.dumps(request[1:], default=str)))
            answers.append(self._send(one.operation, thief, *request))
            if one.kind == NOTHING:  # nothing to compare with
                break
        theirs, nobodys = answers[0], answers[-1]
        differs = _difference(theirs, nobodys, sent[0][0], sent[-1][0])
        if theirs.status >= 500:
            differs = f"{theirs.status}: {theirs.body[:300]!r}"
        elif one.kind in SHARED:
            differs = f"{theirs.status}: {theirs.body[:300]!r}" if theirs.status < 400 else ""
        known = self.things.secrets - {text for text in self.things.secrets if text in sent[0][1]}
        told = tuple(sorted(text for text in known if text.encode() in theirs.body))
        return Outcome(
            one, thief.name, theirs.status, told, "" if one.kind in ALONE and theirs.status < 500 else differs
        )

    def _request(self, one: Attempt, thief: Body, value: Any) -> tuple[str, dict[str, str], Any]:
        fill: Callable[[Any], Any] = lambda part: self._filled(part, one.kind, value, thief)
        path = one.operation.path
        for name, text in one.path.items():
            path = path.replace("{" + name + "}", quote(str(fill(text)), safe=""))
        if one.query:
            path += "?" + urlencode({name: fill(text) for name, text in one.query.items()})
        return path, {name: str(fill(text)) for name, text in one.headers.items()}, fill(one.body)

    def _filled(self, part: Any, kind: str, value: Any, thief: Body) -> Any:
        if isinstance(part, dict):
            return {name: self._filled(inner, kind, value, thief) for name, inner in part.items()}
        if isinstance(part, list):
            return [self._filled(inner, kind, value, thief) for inner in part]
        if not isinstance(part, str) or "$" not in part:
            return part
        if part == f"${kind}":
            return value
        if part.startswith("$own:"):
            return self._own(part.removeprefix("$own:"), thief)
        if part == "$shard":
            return self.things.shard
        if part == "$soon":
            return self.things.pairs["soon"].theirs
        return re.sub(rf"\${kind}\b", str(value), part)

    def _own(self, kind: str, thief: Body) -> Any:
        """Of who tries, where it has one; else one that nobody has."""
        if kind == "assertion":
            return thief.client().assertion()
        if kind == "vouched":
            return thief.id_token()
        if kind == "message":
            import uuid

            return str(uuid.uuid4())
        if kind in thief.own:
            return thief.own[kind]
        return self.things.pairs[kind].values(thief)[1]

    def _send(self, operation: Operation, thief: Body, path: str, headers: Mapping[str, str], body: Any) -> Answer:
        bearer, kind = self._key(operation, thief)
        known = {"Authorization": f"Bearer {bearer}", "Accept-Language": "fr"} | dict(headers)
        content: bytes | None = None
        if operation.form:
            content, known["Content-Type"] = urlencode(body).encode(), "application/x-www-form-urlencoded"
        elif body is not None:
            content, known["Content-Type"] = json.dumps(body).encode(), kind
        reply = thief.http.request(operation.method, path, content=content, headers=known)
        told = {name: value for name, value in reply.headers.items() if name not in _OWN_HEADERS}
        return Answer(reply.status_code, told, reply.content)

    def _key(self, operation: Operation, thief: Body) -> tuple[str, str]:
        path = operation.path
        if path.startswith("/scim/"):
            return thief.token("staff_directory"), SCIM
        if path.startswith("/agents/"):
            return thief.agent, "application/json"
        if path.startswith(("/audit/", "/policy/")):
            return thief.session, "application/json"
        if path.startswith(("/events/", "/delivery/")):
            return thief.token("file_update"), "application/json"
        return thief.token(self.purposes.get(operation.service or "", "social_inquiry")), "application/json"


def _difference(theirs: Answer, nobodys: Answer, value: Any, other: Any) -> str:
    if theirs.status != nobodys.status:
        return (
            f"{theirs.status} for theirs, {nobodys.status} for nobody's: {theirs.body[:300]!r} / {nobodys.body[:300]!r}"
        )
    if theirs.headers != nobodys.headers:
        return f"headers {dict(theirs.headers)} / {dict(nobodys.headers)}"
    first, second = _plain(theirs.body, value), _plain(nobodys.body, other)
    return "" if first == second else f"{first[:400]} / {second[:400]}"


def _plain(body: bytes, sent: Any) -> str:
    """Without what was sent, and without numbers and times of its own."""
    if body[:2] == b"PK":
        return "a file"
    text = body.decode("utf-8", "replace")
    for value in sorted(_texts(sent), key=len, reverse=True):
        text = text.replace(value, "<sent>")
    for pattern, word in _NEW:
        text = pattern.sub(word, text)
    return text


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _texts(inner)]
    return [str(value)] if len(str(value)) > 3 else []
