"""Exactly what the API needs of the hub; `integrator.app` hands over something of this shape, tests a small fake."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from prometheus_client import CollectorRegistry

from integrator.model import Answer, LocalizedString, Request


class Key(Protocol):
    """One key of a service, as `integrator.keytypes.KeyType`."""

    @property
    def required(self) -> bool: ...
    @property
    def schema(self) -> Mapping[str, Any]: ...


class Question(Protocol):
    """What a service read from a request."""

    @property
    def keys(self) -> Mapping[str, Any]: ...
    @property
    def fields(self) -> frozenset[str] | None: ...
    @property
    def dossier(self) -> str | None: ...
    @property
    def history(self) -> bool: ...
    @property
    def emergency(self) -> str | None: ...


class Check(Protocol):
    @property
    def code(self) -> str: ...
    @property
    def title(self) -> LocalizedString: ...
    @property
    def source(self) -> str: ...


class Sheet(Protocol):
    """The fields of a mapping, as its YAML says them: enough to show what an answer looks like."""

    @property
    def fields(self) -> Mapping[str, Any]: ...


class Service(Protocol):
    """One operation the hub offers, as `integrator.services.Service`."""

    @property
    def name(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def tag(self) -> str: ...
    @property
    def title(self) -> LocalizedString: ...
    @property
    def description(self) -> LocalizedString: ...
    @property
    def keys(self) -> Mapping[str, Key]: ...
    @property
    def exactly_one(self) -> tuple[tuple[str, ...], ...]: ...
    @property
    def needs_dossier(self) -> bool: ...
    @property
    def has_door(self) -> bool: ...
    @property
    def source(self) -> str | None: ...
    @property
    def sheet(self) -> Sheet | None: ...
    @property
    def offers(self) -> frozenset[str]: ...
    @property
    def list_name(self) -> str | None: ...
    @property
    def checks(self) -> tuple[Check, ...]: ...
    @property
    def answer_name(self) -> str: ...
    @property
    def is_open(self) -> bool: ...  # asked at the open door (opened.py) and nowhere else
    @property
    def past(self) -> str | None: ...  # the key that says from when, of a service about the past
    @property
    def later(self) -> Any: ...  # integrator.services.Later: its effect is later; None: it is answered at once
    def subject(self, keys: Mapping[str, Any]) -> tuple[str, str] | None: ...

    def read(self, body: Mapping[str, Any], *, where: str = "body") -> Question:
        """Raises `MalformedRequest` with every issue found."""


class Exchange(Protocol):
    async def answer(self, request: Request) -> Answer:
        """Raises the `IntegratorError` family, nothing else."""

    async def accept(self, request: Request, deposit: Any) -> Answer:
        """What has its effect later (integrator.delivery.terms.Deposit). Raises the same family."""


class Verified(Protocol):
    """What a token says, as `integrator.identity.tokens.Verified`."""

    @property
    def caller(self) -> Any: ...
    @property
    def dossier(self) -> str | None: ...


class Certificates(Protocol):
    def believe(self, der: bytes) -> str:
        """The thumbprint of a client certificate. Raises `UnknownCaller`."""


class Identity(Protocol):
    @property
    def certificates(self) -> Certificates: ...
    @property
    def applications(self) -> Any: ...  # integrator.identity.applications.Applications
    @property
    def senders(self) -> Any: ...  # integrator.identity.senders.Senders
    def verify(self, token: str, certificate: str | None = None) -> Verified:
        """`certificate`: thumbprint of the one shown with the request. Raises `UnknownCaller`."""

    async def token(self, form: bytes, certificate: str | None = None) -> tuple[int, dict[str, Any]]:
        """An RFC 6749 token request (urlencoded) to its answer: HTTP status and JSON."""

    def jwks(self) -> dict[str, Any]: ...
    def metadata(self) -> dict[str, Any]: ...


class Settings(Protocol):
    @property
    def sandbox(self) -> bool: ...
    @property
    def issuer(self) -> str: ...
    @property
    def hosts(self) -> tuple[str, ...]: ...
    @property
    def tls(self) -> Mapping[str, Any]: ...  # {} = no listener of our own
    @property
    def proxies(self) -> Sequence[Mapping[str, Any]]: ...
    @property
    def limits(self) -> Mapping[str, Any]: ...


class Metrics(Protocol):
    @property
    def registry(self) -> CollectorRegistry: ...
    @property
    def refused(self) -> Any: ...  # Counter(kind): refused before a decision
    @property
    def in_flight(self) -> Any: ...  # Gauge


class Published(Protocol):
    """The published ledger, as `integrator.publishing.Published`. Reading blocks; raises FileNotFoundError."""

    def read(self, path: str) -> bytes: ...
    def bundle(self, origin: str, index: int, width: int) -> bytes: ...
    async def may_read(self, request: Any) -> bool:
        """Whether who asks may see tiles and entries."""


class Hub(Protocol):
    """Built once at start by the composition root."""

    @property
    def services(self) -> Mapping[str, Service]: ...
    @property
    def purposes(self) -> Mapping[str, Any]: ...  # code -> .title, .why (LocalizedString); for the documentation
    @property
    def exchange(self) -> Exchange: ...
    @property
    def identity(self) -> Identity: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def metrics(self) -> Metrics: ...
    @property
    def published(self) -> Published | None: ...  # None: nothing is published
    @property
    def consoles(self) -> Any: ...  # integrator.consoles.web.Consoles; None: no pages, no questions
    @property
    def enrolment(self) -> Any: ...  # integrator.identity.enrolment.Office; None: nobody is let in over the API
    @property
    def bureau(self) -> Any: ...  # integrator.identity.grants.Bureau; None: nobody learns about rights here
    @property
    def agents(self) -> Any: ...  # integrator.agents.office.Agents; None: nobody told who works where
    @property
    def soap(self) -> Any: ...  # integrator.api.soap.opening.Soap; None: no SOAP here
    @property
    def opened(self) -> Any: ...  # integrator.opened.door.Opened; None: nothing is open to anybody
    @property
    def dispatch(self) -> Any: ...  # integrator.dispatch.Dispatch; None: nothing is delivered
    @property
    def clock(self) -> Callable[[], float]: ...  # epoch seconds
    @property
    def codes(self) -> Path: ...  # folder of the code lists (mappings/codes)

    def health(self) -> Mapping[str, Any]:
        """`{"status": "UP" | "DEGRADED" | "DOWN", "sources": {connector: status}}`; cheap, no I/O."""
