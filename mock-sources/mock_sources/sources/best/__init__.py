"""BeSt Address, the federal address register, for the nineteen municipalities of Brussels (records from UrbIS)."""

from __future__ import annotations

from mock_sources.asgi import App
from mock_sources.clock import Clock
from mock_sources.credentials import Credentials
from mock_sources.sources.best.app import BelgianAddress
from mock_sources.world import World

__all__ = ["build"]


def build(world: World, credentials: Credentials, clock: Clock) -> App:
    """Open the register on this world. It is open data: no credentials, and nothing in it depends on the clock."""
    return BelgianAddress(world)
