"""Figures that public centres for welfare hand in, one small file for each indicator and month. See README.md."""

from __future__ import annotations

from connectors.welfare_counts.client import WelfareCounts
from integrator.contract import Tools


def build(tools: Tools) -> WelfareCounts:
    """Read the definitions; files are read by questions."""
    return WelfareCounts(tools)
