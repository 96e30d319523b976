"""The ledger in the words of other systems."""
