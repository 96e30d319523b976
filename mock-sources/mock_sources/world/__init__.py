"""The region behind every mock: people, homes, vehicles, enterprises and parking cards that agree with each other."""

from __future__ import annotations

from mock_sources.world.world import World

__all__ = ["World"]
