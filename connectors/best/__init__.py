"""BeSt Address: the addresses, streets and municipalities of the country. Open data. See README.md."""

from __future__ import annotations

from connectors.best.client import Best
from integrator.contract import Tools
from integrator.errors import ConfigurationError


def build(tools: Tools) -> Best:
    """Read the room's data; nothing is sent yet."""
    if tools.send is None:
        raise ConfigurationError("connectors/best: sources.best.url is missing")
    return Best(tools, tools.send)
