"""Work for an employer, as the NSSO hears of it each quarter."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Occupation:
    employer: str  # enterprise number
    start: str
    end: str | None
    worker: str  # kengetal: 015 manual worker, 495 clerk, 840 student
    commission: str | None  # joint committee, 200 or 124.01; None where there is none
    hours: int  # a week, in hundredths; 3800 is full-time
    days: int  # a week, in hundredths
    wage: int  # of one day of work, in cents
