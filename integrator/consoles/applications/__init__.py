"""Applications of one's own organisation: who asks to be let in, who is in, with which keys. A DPO decides; others look.

pages.py     /console/applications                 the acts themselves: integrator/identity/enrolment
"""

from integrator.consoles.applications.pages import room

__all__ = ["room"]
