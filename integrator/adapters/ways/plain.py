"""Values of a database as JSON carries them: text, whole numbers, true and false, null. Decimals and times are text.

What has no such form is {"!": reason}: the row waits, the others go on.
"""

from __future__ import annotations

import math
from datetime import date, time
from decimal import Decimal
from typing import Any
from uuid import UUID


def plain(value: Any) -> Any:
    """
    >>> from datetime import date; from decimal import Decimal
    >>> plain(Decimal("12.50")), plain(date(2026, 11, 20)), plain(b"")
    ('12.50', '2026-11-20', {'!': 'NOT_THE_FORM'})
    """
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return {"!": "ENCODING"} if any("\ud800" <= sign <= "\udfff" for sign in value) else value
    if isinstance(value, float):
        return _decimal(Decimal(repr(value))) if math.isfinite(value) else {"!": "NOT_A_NUMBER"}
    if isinstance(value, Decimal):
        return _decimal(value)
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else {"!": "NOT_THE_FORM"}


def _decimal(value: Decimal) -> Any:
    """In figures; one with an exponent beyond any amount is none."""
    if not value.is_finite() or abs(int(value.as_tuple().exponent)) > 40:
        return {"!": "NOT_A_NUMBER"}
    return format(value, "f")
