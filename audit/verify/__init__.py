"""The ledger, verified: evidence bundles for strangers, a program and a page that need no hub, and the whole ledger.

    bundle.py            makes a bundle                 evidence.py  judges one from within a program
    hub_audit_verify.py  judges a bundle or a published folder, alone: one file, no code of ours
    verify.html          judges a bundle in the browser, without network
    ledger.py            the whole ledger: onelog (tiles, roots), alignment (names of wounds), rows (columns, pairs,
                         payloads), orders (erasures), outside (witnesses, stamps), sealed (values), marks (to resume)

What each name means and what to do then: docs/verify.md.
"""

from __future__ import annotations

from audit.verify.bundle import make_bundle
from audit.verify.evidence import verify_bundle
from audit.verify.ledger import codes_of, verify_ledger
from audit.verify.marks import Mark
from audit.verify.model import Finding, Verdict
from audit.verify.outside import Rules

__all__ = ["Finding", "Mark", "Rules", "Verdict", "codes_of", "make_bundle", "verify_bundle", "verify_ledger"]
