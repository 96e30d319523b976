"""Verification by a stranger: the whole ledger, or one bundle of evidence."""
