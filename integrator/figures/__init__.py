"""Figures that may be published: counts without anybody in them. Data in, data out; no I/O, and no word of the hub."""
