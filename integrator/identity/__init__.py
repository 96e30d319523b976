"""Who asks: applications and their keys, tokens bound to a purpose, and nothing believed that is not pinned."""
