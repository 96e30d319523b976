"""Names of agents can be opened at a hub that runs."""

from __future__ import annotations

from integrator.consoles.reveals.opener import Opener
from integrator.consoles.reveals.store import Store
from integrator.consoles.web import Consoles


def open_reveals(consoles: Consoles) -> Opener:
    """Pages find it as `consoles.extras["reveals"]`; the desk asks it."""
    opener = Opener(consoles.desk, Store(consoles.database, consoles.vault), consoles.now)
    consoles.desk.open_names_by(opener)
    consoles.extras["reveals"] = opener
    return opener
