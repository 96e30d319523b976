"""The room of citizens; its pages are in the modules beside it."""

from __future__ import annotations

from integrator.consoles.rooms import Room

room = Room("me", frozenset({"citizen"}))
