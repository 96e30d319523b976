"""How much of a limit is left, exactly, for all processes together, without a row that every question must write.

    a process takes a lease of some questions from the shared table ─► spends it in memory ─► takes the next one
    what it does not use it gives back: when it ends, and when it was idle for a while

What is leased never goes beyond the limit, so what is used never does. Leases get smaller towards the end, so that
little of a limit lies idle elsewhere when somebody is refused. A process that dies wastes at most one lease of each limit.

tables.py    the shared table: one statement leases         leases.py   in memory: spend, lease, give back
"""

from integrator.quotas.leases import Quotas, Want, wants
from integrator.quotas.tables import Table

__all__ = ["Quotas", "Table", "Want", "wants"]
