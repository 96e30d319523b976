"""Alerts as pages, the list of protected people, the scope of a leaked key, and statistics that name nobody.

pages.py      the alerts, one alert in words, justify or escalate      protecting.py  the protected list, read by two
counting.py   scope of a leaked key and statistics, pure               figures.py     their pages
"""

from integrator.consoles.alerts import figures, pages, protecting  # noqa: F401 - importing them makes their doors
from integrator.consoles.alerts.room import room

_ORDER = ("menu", "protected", "breach", "statistics")
room.menu.sort(key=lambda line: _ORDER.index(line.word.removeprefix("alerts.")))

__all__ = ["room"]
