"""The questions a data protection officer, a citizen or an auditor asks of the ledger.

Reports (reports.py) answers with pages of rows (rows.py). Rows about a subject or by an agent come straight from the
ledger's blind tags (finding.py); lists and counts rest on tables that a follower keeps up to date (tally.py, tables.py).
"""

from __future__ import annotations

from audit.reports.opening import Details, role_of
from audit.reports.reports import Health, Reports, Retained
from audit.reports.rows import CursorInvalid, Only, Page, Row, Tally
from audit.reports.use import FieldUse, Granted

__all__ = [
    "CursorInvalid",
    "Details",
    "FieldUse",
    "Granted",
    "Health",
    "Only",
    "Page",
    "Reports",
    "Retained",
    "Row",
    "Tally",
    "role_of",
]
