"""Witnesses after C2SP tlog-witness: they sign that a log only grew."""
