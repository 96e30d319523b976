"""Every source the hub asks, mocked from its real contract; imports nothing of the hub."""
