"""Every authentic source, mocked from its real contract. Imports nothing of the hub, to share no mistake with it."""
