"""Emergencies: a justified question passes conditions that its authorisation lets be broken, and is looked at afterwards.

    asked with a justification ─► a condition fails, the line says `breakable` ─► kept here, durably ─► intent flagged
    BREAK_GLASS in the ledger ─► answered ─► a second person confirms or rejects within 24 hours ─► else an alert

Never the grant itself: what no authorisation gives, no emergency gives. An agent has few emergencies a day, and none
while too many of his wait for a second person; nor has an application, whatever it calls its agents.

store.py   the table          office.py   opening, confirming, escalating
"""

from integrator.emergency.office import Emergencies, Rules, SecondPersonRefused
from integrator.emergency.store import Emergency, Most, Store

__all__ = ["Emergencies", "Emergency", "Most", "Rules", "SecondPersonRefused", "Store"]
