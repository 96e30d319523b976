"""The people who work for organisations: told by HR (SCIM), believed from their own issuer, ended the moment they leave.

scim/ ─► roster ─► generations, ends, acts ─► standing (who still is who a token says) · acting (ledger, sessions)
issuers ─► trading (RFC 8693) ◄─ roster, delegations
"""
