"""KBO/BCE: enterprises by number and by name, over the public search service. See README.md."""

from __future__ import annotations

import json
from pathlib import Path

from connectors.kbo.client import Kbo
from integrator.contract import Tools
from integrator.errors import ConfigurationError
from integrator.transport.wsse import UsernameToken


def build(tools: Tools) -> Kbo:
    """Read the contract, the room's data and the credentials {"username", "password"}; nothing is sent yet."""
    if tools.send is None:
        raise ConfigurationError("connectors/kbo: sources.kbo.url is missing")
    try:
        kit = json.loads(Path(tools.settings["credentials"]).read_text(encoding="utf-8"))
        token = UsernameToken(str(kit["username"]), str(kit["password"]), tools.now)
    except (KeyError, TypeError, OSError, ValueError) as error:
        raise ConfigurationError(f"sources.kbo.credentials: {type(error).__name__}; username and password") from None
    return Kbo(tools, tools.send, token)
