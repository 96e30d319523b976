"""One folder per source; each exposes `build(world, credentials, clock)` and says in mock.yaml what it refuses."""
