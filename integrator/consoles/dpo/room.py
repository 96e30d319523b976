"""The room of data protection officers and auditors; its pages are in the modules beside it."""

from __future__ import annotations

from integrator.consoles.rooms import Room

OFFICERS = frozenset({"dpo", "hub_dpo"})
room = Room("dpo", OFFICERS | {"auditor"})
