"""The collection as the verbs of `integrator policy` need it: authorisations, services, organisations, and names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from integrator import places, settings
from integrator.consoles.book import Book, open_book
from integrator.errors import ConfigurationError
from integrator.governing.naming import naming
from integrator.governing.texts import Suspended, Texts, compile_texts, read_texts
from integrator.mapping import load_sheets
from integrator.policy import Policies
from integrator.policy.telling import Naming
from integrator.services import Service, load_services


@dataclass(frozen=True, slots=True)
class Rooms:
    """Everything read once."""

    policies: Policies
    services: Mapping[str, Service]
    organisations: Mapping[str, Any]
    book: Book

    @property
    def offers(self) -> Mapping[str, frozenset[str]]:
        """Of each service, the names of its fields or answers."""
        return {name: service.offers for name, service in self.services.items()}

    @property
    def keys(self) -> Mapping[str, frozenset[str]]:
        """Of each service, the keys it can be asked by."""
        return {name: frozenset(service.keys) for name, service in self.services.items()}

    @property
    def directions(self) -> Mapping[str, frozenset[str]]:
        """Of each service, the directions in which it can be had."""
        return {name: service.directions for name, service in self.services.items()}

    def number(self, name: str) -> str:
        """The enterprise number of an organisation named by its short name or number. Raises `ConfigurationError`."""
        known = self.organisations["organisations"]
        if name in known:
            return str(known[name]["number"])
        if any(one["number"] == name for one in known.values()):
            return name
        raise ConfigurationError(f"no such organisation: {name!r}", advice="See config/organisations.yaml.")

    def service(self, name: str) -> Service:
        """Raises `ConfigurationError` for a service nobody offers."""
        if name not in self.services:
            raise ConfigurationError(f"no such service: {name!r}", advice="See config/services/ or /docs.")
        return self.services[name]

    def naming(self) -> Naming:
        """Names as people know them; a code that has none stays as it is written."""
        return naming(self.policies.purposes, self.services, self.organisations)


def open_rooms(texts: Texts | None = None, suspended: Iterable[Suspended] = ()) -> Rooms:
    """The rooms beside the hub (override: INTEGRATOR_HOME). Raises `ConfigurationError` naming the file.

    `texts`, `suspended`: what is in force at a hub; left out: the files of policies/.
    """
    organisations = settings.organisations()
    services = load_services(
        places.folder("config") / "services", load_sheets(places.folder("mappings")), sandbox=frozenset()
    )
    policies = compile_texts(
        read_texts(places.folder("policies")) if texts is None else texts, organisations, suspended
    )
    return Rooms(policies, services, organisations, open_book())
