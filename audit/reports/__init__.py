"""The questions a data protection officer, a citizen or an auditor asks of the ledger."""
