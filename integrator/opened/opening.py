"""Put together from settings: the open door, or nothing where it is closed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from integrator.database import Database
from integrator.errors import ConfigurationError
from integrator.exchange import Exchange
from integrator.model import Caller
from integrator.opened.copies import Copies
from integrator.opened.documents import Documents
from integrator.opened.door import APPLICATION, Opened
from integrator.opened.exchange import open_exchange, open_services
from integrator.opened.published import ROOM, Published
from integrator.policy.reading import everybody
from integrator.registry import Manifest
from integrator.services import Service
from integrator.settings import Settings

Opening = Callable[[Exchange], Opened | None]


def opening(
    settings: Settings,
    services: Mapping[str, Service],
    manifests: Mapping[str, Manifest],
    organisations: Mapping[str, Any],
) -> Opening:
    """What opens the door once there is an exchange. Everything is looked at now, also where the door stays closed.

    Raises `ConfigurationError`.
    """
    said, public, reachable = settings.opened, everybody(organisations), open_services(services, manifests)
    if said.get("run", True) and len(public) != 1:
        raise ConfigurationError(
            "config/organisations.yaml: one organisation of kind public stands for anybody",
            advice="Add it, or say opened.run: false.",
        )

    def door(exchange: Exchange) -> Opened | None:
        if not said.get("run", True):
            return None
        caller = Caller(next(iter(public)), APPLICATION, said["purpose"])
        copies = Copies(float(said.get("cacheSeconds", 300)), exchange.now)
        behind = open_exchange(exchange, reachable, manifests)
        published = Published(Database(str(said["database"]), ROOM))
        documents = Documents(reachable, published, settings.issuer, exchange.now())
        return Opened(
            behind, caller, copies, documents, published, int(said.get("perMinute", 120)), int(said.get("inFlight", 8))
        )

    return door
