"""The words of the command line, in the order a newcomer meets them."""

from __future__ import annotations

from integrator.commands import agents, apps, audit, check, demo, ledger, mock, new, personas, policy, serve

WORDS = (demo, serve, apps, agents, mock, personas, ledger, audit, policy, check, new)
