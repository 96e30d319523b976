"""The exchange behind the open door: the same pipeline and ledger, but nothing personal stands within its reach.

Its services are those that say `open: true`; its connectors answer only operations that their manifest calls
`personal: false`, and hand on the question of no other. A service that would need more is refused when the hub starts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from integrator.contract import Connector, Question, Reply
from integrator.errors import ConfigurationError, SourceFault
from integrator.exchange import Exchange
from integrator.keytypes import compile_key
from integrator.policy.reading import OPEN
from integrator.registry import Manifest
from integrator.services import Service

_PEOPLE = frozenset({"nrn", "plate", "vin"})  # subjects that are, or lead to, a natural person
_PATTERNS = frozenset(
    compile_key(kind, {"type": kind}, sandbox=frozenset()).schema["pattern"] for kind in ("ssin", "plate", "vin")
)  # of keys that do


@dataclass(frozen=True, slots=True)
class OnlyOpen:
    """A connector of which some operations are within reach."""

    source: str
    connector: Connector
    operations: frozenset[str]

    async def ask(self, question: Question) -> Reply:
        """As the connector does. Raises `SourceFault` for an operation that is not open; the source hears nothing."""
        if question.operation not in self.operations:
            raise SourceFault(self.source, "NOT_OPEN", "this operation is not for the open door")
        return await self.connector.ask(question)

    async def check(self) -> None:
        await self.connector.check()


def open_operations(manifest: Manifest) -> frozenset[str]:
    """Operations that say, in so many words, that no answer of theirs is about a natural person."""
    return frozenset(name for name, said in manifest.operations.items() if said.get("personal") is False)


def open_services(services: Mapping[str, Service], manifests: Mapping[str, Manifest]) -> dict[str, Service]:
    """Those for anybody. Raises `ConfigurationError` naming the first that could reach a person."""
    found = {name: service for name, service in services.items() if service.is_open}
    for service in services.values():
        wrong = next(_wrong(service, manifests), None) if service.is_open else _misnamed(service)
        if wrong is not None:
            raise ConfigurationError(
                f"{service.name}: {wrong}", advice="What is open reaches no person: see docs/opendata.md."
            )
    return found


def open_exchange(exchange: Exchange, services: Mapping[str, Service], manifests: Mapping[str, Manifest]) -> Exchange:
    """The same hub, ledger and texts, without anything that knows a person. `services`: as `open_services` gave them."""
    sources = {service.source for service in services.values() if service.source is not None}
    connectors: dict[str, Connector] = {
        name: OnlyOpen(name, exchange.connectors[name], open_operations(manifests[name])) for name in sources
    }
    return replace(
        exchange, services=services, connectors=connectors, registered=None, emergencies=None, pseudonyms=None
    )  # fmt: skip


def _misnamed(service: Service) -> str | None:
    return f"only what is open is called {OPEN}…" if service.name.startswith(OPEN) else None


def _wrong(service: Service, manifests: Mapping[str, Manifest]) -> Iterator[str]:
    """Why an open service may not be: the first reason is enough to refuse to start."""
    manifest = manifests.get(service.source or "")
    if not service.name.startswith(OPEN):
        yield f"the name of what is open begins with {OPEN}"
    if service.method != "GET":
        yield "what is open is read with GET"
    if service.is_composition or service.later is not None or manifest is None:
        yield "what is open asks one source of connectors/, at once"
    elif service.operation not in open_operations(manifest):
        yield f"operation {service.operation} of {manifest.id} does not say `personal: false`"
    if service.subject_type in _PEOPLE or any(key.schema.get("pattern") in _PATTERNS for key in service.keys.values()):
        yield "a key of it leads to a person"
    if service.sheet is not None and any(name.startswith("people") for name in service.sheet.facts):
        yield f"mapping {service.sheet.name} knows of people"
