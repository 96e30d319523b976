"""How an application comes in, and how its keys come and go. Every act is an entry of the ledger before it counts.

    vendor ── request (with proof of the key) ──► waits ── operator approves ─┐
                                                        └─ DPO approves ──────┴──► application file
    application ── order signed with a key it has ──► another key, or one key less

proofs.py   what is signed, and believed             asking.py   what is asked, read strictly
pile.py     requests that wait                       office.py   who lets an application in
keydesk.py  keys of those who are in                 entries.py  what is written in the ledger
"""

from integrator.identity.enrolment.asking import Asked, Rooms
from integrator.identity.enrolment.keydesk import EnrolmentRefused, KeyDesk
from integrator.identity.enrolment.office import EnrolmentBusy, Office, RequestUnknown
from integrator.identity.enrolment.pile import ROOM, Pile, Waiting

__all__ = [
    "ROOM", "Asked", "EnrolmentBusy", "EnrolmentRefused", "KeyDesk", "Office", "Pile", "RequestUnknown", "Rooms", "Waiting",
]  # fmt: skip
