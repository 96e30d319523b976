"""DIV: who holds which plate, over the REST projection that MAGDA publishes. See README.md."""

from __future__ import annotations

from connectors.div.client import Div
from connectors.div.token import Tokens, read_secret
from integrator.contract import Tools
from integrator.errors import ConfigurationError


def build(tools: Tools) -> Div:
    """Read the room's data and the credentials; nothing is sent yet."""
    if tools.send is None:
        raise ConfigurationError("connectors/div: sources.div.url is missing")
    secret = read_secret(tools.settings)
    return Div(tools, tools.send, Tokens(tools.send, secret, tools.settings, tools.now))
