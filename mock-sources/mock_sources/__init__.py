"""Every authentic source, mocked from its real contract. Imports nothing of the hub: else both would share one mistake."""
