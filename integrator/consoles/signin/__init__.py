"""Signing in: local accounts with a password and a code (sandbox only), or the organisation's own sign-in (OpenID)."""
