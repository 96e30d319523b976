"""DIV, the register of vehicles and plates, over the REST projection that MAGDA publishes."""

from __future__ import annotations

from mock_sources.asgi import App
from mock_sources.clock import Clock
from mock_sources.credentials import Credentials
from mock_sources.sources.div.app import Registrations
from mock_sources.world import World

__all__ = ["build"]


def build(world: World, credentials: Credentials, clock: Clock) -> App:
    """Open the register on this world; callers pay with a bearer token bought with `credentials.div`."""
    return Registrations(world, credentials.div, clock)
