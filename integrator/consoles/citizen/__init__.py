"""What a citizen sees: who used his data and why, how to contest it, and how to know that nothing was left out."""

from integrator.consoles.citizen import contesting, days, home, line, notice, office, trust  # noqa: F401 - each adds its pages
from integrator.consoles.citizen.office import room as office_room
from integrator.consoles.citizen.room import room

_MENU = ("me.home", "me.complete", "me.contests", "me.notice")
room.menu.sort(key=lambda entry: _MENU.index(entry.word))

__all__ = ["office_room", "room"]
