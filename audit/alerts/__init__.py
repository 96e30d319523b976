"""Looks at data that somebody should ask about: few, explained first, each an entry of the ledger itself.

    judge = Judge(rules, Known(open_case=…, registration=…))     pure: looks in, findings out (judging.py)
    watch = Watch(store, keyring, append, judge)                 reads the ledger behind the hot path, writes alerts
    alerts = Alerts(store, append)                               open → justified | escalated, for the pages

Rules and thresholds are data (config/alerts.yaml). Count-based scores alone are weak: most accesses have a plain reason,
so a reason is looked for first, and what has none is scored; beside that a random sample, which nobody can dodge.
"""

from __future__ import annotations

from audit.alerts.alerts import Alert, Alerts, AlertState
from audit.alerts.breach import Scope, breach
from audit.alerts.judging import Judge, Known
from audit.alerts.looks import Finding, Look
from audit.alerts.opened import Sealed
from audit.alerts.protected import Protected
from audit.alerts.rules import Rule, Rules, RulesInvalid
from audit.alerts.watch import Watch, look_of

__all__ = [
    "Alert",
    "AlertState",
    "Alerts",
    "Finding",
    "Judge",
    "Known",
    "Look",
    "Protected",
    "Rule",
    "Rules",
    "RulesInvalid",
    "Scope",
    "Sealed",
    "Watch",
    "breach",
    "look_of",
]
