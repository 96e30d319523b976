"""KBO/BCE, the register of enterprises, over a projection of its public search service wsKBOPub."""

from __future__ import annotations

from mock_sources.asgi import App
from mock_sources.clock import Clock
from mock_sources.credentials import Credentials
from mock_sources.sources.kbo.app import PublicSearch
from mock_sources.world import World

__all__ = ["build"]


def build(world: World, credentials: Credentials, clock: Clock) -> App:
    """Open the register on this world; callers sign in with the UsernameToken of `credentials.kbo`."""
    return PublicSearch(world, credentials.kbo, clock)
