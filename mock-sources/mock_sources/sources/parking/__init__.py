"""The parking-card register: a closed legacy package of a municipality, which shows nothing but a file.

state/parking/cards.txt     fixed width, cp1252, CR LF; layout in README.md and layout.py
"""

from __future__ import annotations

from mock_sources.clock import Clock
from mock_sources.credentials import Credentials
from mock_sources.sources.parking.cards import records
from mock_sources.sources.parking.package import Package
from mock_sources.world import World

__all__ = ["Package", "build"]


def build(world: World, credentials: Credentials, clock: Clock) -> Package:
    """Write the file under the state folder; what comes back can rewrite it and break it."""
    package = Package(credentials.state / "parking", clock)
    package.rewrite(records(world))
    return package
