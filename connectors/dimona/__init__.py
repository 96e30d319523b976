"""Dimona: a public body declares that somebody starts to work for it. See README.md."""

from __future__ import annotations

from connectors.dimona.client import Dimona
from connectors.dimona.token import Tokens, read_signer
from integrator.contract import Tools
from integrator.errors import ConfigurationError


def build(tools: Tools) -> Dimona:
    """Read the room's data and the key; nothing is sent yet."""
    if tools.send is None:
        raise ConfigurationError("connectors/dimona: sources.dimona.url is missing")
    return Dimona(
        tools, tools.send, Tokens(tools.send, read_signer(tools.settings, tools.now), tools.settings, tools.now)
    )
