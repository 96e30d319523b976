"""The words of the command line, in the order a newcomer meets them."""

from __future__ import annotations

from integrator.commands import apps, audit, check, demo, directory, ledger, mock, new, personas, policy, serve

WORDS = (demo, serve, apps, directory, mock, personas, ledger, audit, policy, check, new)
