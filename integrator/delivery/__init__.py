"""Deliveries: exchanges whose effect is later. Outbox, relay, webhooks, feed, subscriptions, effects."""
