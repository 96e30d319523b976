"""Emergencies at the consoles: what passed a condition, and the second person who confirms or rejects it.

second.py   who may, over integrator.emergency      pages.py   /console/emergencies     api.py   /audit/v1/emergencies
"""

from integrator.consoles.emergencies.pages import room
from integrator.consoles.emergencies.second import SecondPersons

__all__ = ["SecondPersons", "room"]
