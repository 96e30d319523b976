"""The cadastre: who holds which right on a parcel, for a tax year. See README.md."""

from __future__ import annotations

from connectors.cadastre.client import Cadastre
from integrator.contract import Tools
from integrator.errors import ConfigurationError
from integrator.transport.assertion import Tokens


def build(tools: Tools) -> Cadastre:
    """Read the room's data and the key; nothing is sent yet."""
    if tools.send is None:
        raise ConfigurationError("connectors/cadastre: sources.cadastre.url is missing")
    return Cadastre(tools, tools.send, Tokens(tools, tools.send, "/oauth/token"))
