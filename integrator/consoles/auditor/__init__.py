"""The auditor's pages: is the ledger whole, who vouches for it, run a verification now, take the evidence along.

verifying.py  runs of a verification in a process of its own, and what they found     process.py  that process
reconciling.py  our exchanges beside a source's own list, both ways                    pages.py    /console/auditor
"""

from integrator.consoles.auditor.pages import room
from integrator.consoles.auditor.tools import AuditTools
from integrator.consoles.auditor.verifying import Verifying

__all__ = ["AuditTools", "Verifying", "room"]
