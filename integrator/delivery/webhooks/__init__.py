"""Push: CloudEvents 1.0 as Standard Webhooks, signed with ed25519, to registered addresses only."""
