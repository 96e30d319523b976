"""Time stamps of the anchor by outside authorities (RFC 3161).

stamp.py     one stamp: asked, bound to its request, checked        openssl.py   the second judge
tsa.py       one authority over HTTP                                stamper.py   once a minute, alarms, overdue
"""

from __future__ import annotations

from audit.timestamps.stamp import RootsMissing, StampInvalid, check_stamp, load_roots
from audit.timestamps.stamper import Stamper, StamperStatus, TsaStatus
from audit.timestamps.tsa import Stamp, Tsa

__all__ = [
    "RootsMissing",
    "Stamp",
    "StampInvalid",
    "Stamper",
    "StamperStatus",
    "Tsa",
    "TsaStatus",
    "check_stamp",
    "load_roots",
]
