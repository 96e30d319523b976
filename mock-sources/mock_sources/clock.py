"""What time it is, as something to pass in: tests freeze it, `python -m mock_sources` reads the machine's clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Answers the present moment as an aware datetime in UTC."""


def system_clock() -> datetime:
    """Read the machine's clock: aware, UTC."""
    return datetime.now(UTC)
