"""The cadastre of the FPS Finance: who held which right on a parcel, on the first day of a tax year."""

from __future__ import annotations

from mock_sources.asgi import App
from mock_sources.clock import Clock
from mock_sources.credentials import Credentials
from mock_sources.sources.cadastre.app import Cadastre
from mock_sources.sources.cadastre.land import Land
from mock_sources.world import World

__all__ = ["build"]


def build(world: World, credentials: Credentials, clock: Clock) -> App:
    """Open the documentation on this world; callers sign for their token with the kit's `client` key."""
    return Cadastre(Land(world), credentials.client.key.public_key(), clock)
