"""Dimona, the immediate declaration of employment to the NSSO: declared, worked on for a moment, then told."""

from __future__ import annotations

from mock_sources.asgi import App
from mock_sources.clock import Clock
from mock_sources.credentials import Credentials
from mock_sources.sources.dimona.app import Dimona
from mock_sources.sources.dimona.register import Register
from mock_sources.world import World

__all__ = ["build"]


def build(world: World, credentials: Credentials, clock: Clock) -> App:
    """Open the register on this world; callers sign for their token with the kit's `client` key."""
    return Dimona(Register(world, clock), credentials.client.key.public_key(), clock)
