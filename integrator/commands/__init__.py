"""The words of the command line, in the order a newcomer meets them."""

from __future__ import annotations

from integrator.commands import apps, audit, check, delivery, demo, ledger, mock, new, personas, policy, serve

WORDS = (demo, serve, apps, mock, personas, ledger, audit, delivery, policy, check, new)
