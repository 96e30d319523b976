"""The room of alerts; its pages are in the modules beside it."""

from __future__ import annotations

from integrator.alerting import Alerting
from integrator.consoles.rooms import Room
from integrator.consoles.visit import Visit
from integrator.consoles.web import PageRefused

room = Room("alerts", frozenset({"dpo", "hub_dpo"}))


def alerting_of(visit: Visit) -> Alerting:
    """Raises `PageRefused` where nobody watches."""
    alerting = visit.consoles.extras.get("alerting")
    if not isinstance(alerting, Alerting):
        raise PageRefused("not_there", 404)
    return alerting
