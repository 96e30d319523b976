"""Witnesses after C2SP tlog-witness: they sign that a log only grew.

request.py   the body of add-checkpoint     memory.py   what a witness remembers     witness.py, app.py   a witness
client.py    asking one                     witnessing.py   asking all, quorum, alarms     cosigned.py   lines join a note
"""

from __future__ import annotations

from audit.witness.client import Cosigned, WitnessClient, WitnessConflict, WitnessForked, WitnessRefused
from audit.witness.witness import Witness
from audit.witness.witnessing import AHEAD, FORKED, Witnessing, WitnessingStatus, WitnessStatus

__all__ = [
    "AHEAD",
    "FORKED",
    "Cosigned",
    "Witness",
    "WitnessClient",
    "WitnessConflict",
    "WitnessForked",
    "WitnessRefused",
    "WitnessStatus",
    "Witnessing",
    "WitnessingStatus",
]
