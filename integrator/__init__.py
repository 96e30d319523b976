"""The hub: one way through for every question a local application asks an authentic source."""
