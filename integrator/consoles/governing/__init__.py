"""The life of a text, for people: proposals, approvals, suspensions, the data diet, the register of processing.

pages.py     /console/texts        register.py   /console/register (open to anyone)
api.py       /policy/v1            telling.py    the same values as JSON
"""

from integrator.consoles.governing.pages import room
from integrator.consoles.governing.register import room as register_room

__all__ = ["register_room", "room"]
