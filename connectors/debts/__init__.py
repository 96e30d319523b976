"""What somebody owes to each body, asked of that body's own accounting package. See README.md."""

from __future__ import annotations

from connectors.debts.client import Debts
from connectors.debts.layout import Layout
from integrator.contract import Tools
from integrator.errors import ConfigurationError


def build(tools: Tools) -> Debts:
    """Read every layout, and the credentials of every body; nothing is sent yet."""
    layouts = {path.stem: Layout.load(path) for path in sorted((tools.room / "packages").glob("*.yaml"))}
    bodies = tools.settings.get("bodies") or {}
    if not bodies or set(bodies) - set(tools.sends):
        raise ConfigurationError(
            "connectors/debts: sources.debts.bodies names nobody, or somebody who cannot be reached"
        )
    return Debts(tools, layouts, bodies)
