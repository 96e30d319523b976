"""A ledger published: shard logs, the anchor log over them, signed state, receipts."""
