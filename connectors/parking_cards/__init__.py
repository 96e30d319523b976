"""Resident parking cards: a municipality's old package that has no interface, only a file. See README.md."""

from __future__ import annotations

from connectors.parking_cards.client import ParkingCards
from integrator.contract import Tools


def build(tools: Tools) -> ParkingCards:
    """Read the layout; the file is opened by the first question."""
    return ParkingCards(tools)
