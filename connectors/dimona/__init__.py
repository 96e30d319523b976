"""Dimona: a public body declares that somebody starts to work for it. See README.md."""

from __future__ import annotations

from connectors.dimona.client import Dimona
from integrator.contract import Tools
from integrator.errors import ConfigurationError
from integrator.transport.assertion import Tokens


def build(tools: Tools) -> Dimona:
    """Read the room's data and the key; nothing is sent yet."""
    if tools.send is None:
        raise ConfigurationError("connectors/dimona: sources.dimona.url is missing")
    return Dimona(tools, tools.send, Tokens(tools, tools.send, "/REST/oauth/v5/token"))
