"""The words of the command line, in the order a newcomer meets them."""

from __future__ import annotations

from integrator.commands import apps, audit, check, demo, emergency, ledger, mock, new, personas, policy, serve

WORDS = (demo, serve, apps, mock, personas, ledger, audit, policy, emergency, check, new)
