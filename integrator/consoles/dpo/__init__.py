"""The pages of data protection officers and auditors."""

from integrator.consoles.dpo.room import room

__all__ = ["room"]
