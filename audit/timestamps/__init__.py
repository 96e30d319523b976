"""Time stamps of the anchor by outside authorities (RFC 3161)."""
