"""What a connector is, and what it may be given. A connector turns a `Question` into a `Reply` and names every fault.

A connector MUST raise `SourceUnavailable` when no answer came, `SourceFault` when one came that cannot be believed,
and MUST return `Reply(document=None)` or raise `SubjectNotFound` only when the source *said* that it has nothing.
A connector MUST NOT look at HTTP status alone: envelope, then answer, then item are read.
A connector MUST NOT cache, log or keep any part of a document.
It never sees purposes, grants or the ledger: the hub decided and recorded before it is called.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from integrator.fixed import fixed


@fixed
class Question:
    """One call to a source: canonical keys in, permission already given."""

    operation: str  # as named in the connector's manifest
    keys: Mapping[str, Any]  # canonical, validated: ssin, plateNumber, enterpriseNumber, …
    groups: frozenset[str]  # the source's own groups the permitted fields need (TI codes, blocks); may be empty
    history: bool  # closed periods wanted (the authorisation allows some depth)
    ticket: str  # our id for this call, ≤ 36 characters, unique: the source echoes or logs it
    organisation: str  # KBO number of the body on whose behalf we ask
    legal_context: str  # the source's word for the purpose, from the authorisation; "" when the source has none
    deadline: float  # time.monotonic() value after which nobody waits any more
    language: str = "fr"
    scenario: str | None = None  # sandbox only: passed on as Integrator-Test-Scenario
    purpose: str | None = None  # said to sources of the hub's own only (the directory), never to one outside
    dossier: str | None = None  # likewise: the case
    body: str | None = None  # which of its bodies is asked, of a source that is several: enterprise number


@fixed
class Reply:
    """What a source said, checked (transport, signature, schema, status) but not yet trimmed.

    `document` is what the mapping's extraction plan walks: an lxml element or decoded JSON; None = nothing found.
    """

    document: Any | None
    ticket: str | None = None  # the source's own id for this call
    filtered: tuple[str, ...] = ()  # source words of what the source itself held back for us
    incomplete: bool = False  # the source says that more may exist (INCOMPLETE_DATA, more pages)
    replaced_by: str | None = None  # the source says that the key asked was replaced by this one


class Connector(Protocol):
    """One source, ready to be asked. Built once at start by the room's `build(tools)`."""

    async def ask(self, question: Question) -> Reply:
        """Ask once (retries are the channel's). Raises the `SourceError` family, nothing else."""

    async def check(self) -> None:
        """Prove settings, connection and credentials without changing anything. Raises as `ask` does."""


@fixed
class HttpAnswer:
    """Bytes as they came, size already capped."""

    status: int
    content_type: str  # lowercased, without parameters
    body: bytes
    headers: Mapping[str, str]


class Send(Protocol):
    """The only way out of the house: pooled, deadlined, size-capped, breaker and bulkhead inside. One per connector."""

    async def __call__(
        self,
        method: str,
        path: str,
        *,
        body: bytes | Callable[[], bytes] | None = None,  # a function is called for every attempt: a fresh signature
        headers: Mapping[str, str] | None = None,
        deadline: float,
        query: Mapping[str, str] | None = None,
        repeatable: bool = True,  # False for anything that changes something at the source
    ) -> HttpAnswer:
        """Raises SourceUnavailable (no answer, breaker open, 503), SourceThrottled (429), SourceFault (too large)."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What the composition root hands to `build`. Nothing else of the hub is within a connector's reach."""

    source: str  # the connector's id
    room: Path  # the connector's own folder (contract/, faults.yaml, …)
    settings: Mapping[str, Any]  # `sources.<id>` of the settings: endpoint paths, credentials files, organisation ids
    send: Send | None  # None for sources that are not HTTP
    now: Callable[[], float]  # epoch seconds
    sandbox: bool
    sends: Mapping[str, Send] = field(default_factory=dict)  # to each body of a source that is several, by its number


Build = Callable[[Tools], Connector | Awaitable[Connector]]
