"""What the sources can know: people, homes, vehicles, enterprises, parking cards. Values only, no behaviour.

Every date is text, `YYYY-MM-DD`. A register may not know the day or the month: then it reads `00` (`1961-00-00`).
Histories are tuples, newest first. Codes are the source's own (Rijksregister, KBO, DIV), kept as text.
"""

from __future__ import annotations

from mock_sources.world.facts.enterprises import Activity, Denomination, Enterprise, Establishment, PlacedAt, Situation
from mock_sources.world.facts.people import (
    SOCIAL_STATUSES,
    CivilState,
    Coded,
    Death,
    Household,
    Integration,
    LegalCohabitation,
    Licence,
    LivingWage,
    Member,
    Name,
    Person,
    Position,
    Residence,
)
from mock_sources.world.facts.personas import Persona
from mock_sources.world.facts.places import Address, Municipality, Names, Street
from mock_sources.world.facts.vehicles import Card, Holder, Vehicle
from mock_sources.world.facts.work import Occupation

__all__ = [
    "SOCIAL_STATUSES",
    "Activity",
    "Address",
    "Card",
    "CivilState",
    "Coded",
    "Death",
    "Denomination",
    "Enterprise",
    "Establishment",
    "Holder",
    "Household",
    "Integration",
    "LegalCohabitation",
    "Licence",
    "LivingWage",
    "Member",
    "Municipality",
    "Name",
    "Names",
    "Occupation",
    "Person",
    "Persona",
    "PlacedAt",
    "Position",
    "Residence",
    "Situation",
    "Street",
    "Vehicle",
]
