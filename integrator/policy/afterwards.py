"""What can only be judged once the source answered: does the purpose cover this person, and is it not too much at once?

Pure, and strict: where nobody knows the municipality or the age, the purpose does not cover it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from integrator.policy.terms import Grant

OF_AGE = 18  # years; old Civil Code art. 488


def looks(grant: Grant) -> bool:
    """Whether there is anything to judge at all."""
    return grant.territory_own or grant.minors != "any" or grant.limits.results is not None


def refused(grant: Grant, facts: Mapping[str, Any], results: int, home: str | None, today: date) -> str | None:
    """The reason why this answer may not be given under this line; None when it may.

    `facts`: of the answer, `municipality` (NIS code) and `birthDate` (ISO); `home`: municipality of who asks.
    """
    if grant.territory_own and (home is None or facts.get("municipality") != home):
        return "TERRITORY"
    if grant.minors != "any":
        grown = of_age(facts.get("birthDate"), today)
        if grown is None or grown is (grant.minors == "only"):
            return "AGE"
    if grant.limits.results is not None and results > grant.limits.results:
        return "TOO_MANY_RESULTS"
    return None


def of_age(born: Any, today: date) -> bool | None:
    """Whether somebody born then is 18 today; None when the date does not tell (incomplete dates of birth exist).

    >>> of_age("2008-11-23", date(2026, 11, 23)), of_age("2008-11-24", date(2026, 11, 23)), of_age("2008", date(2026, 11, 23))
    (True, False, None)
    """
    try:
        year, month, day = (int(part) for part in str(born).split("-"))
    except ValueError:
        return _by_year(born, today)
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return _by_year(str(year), today)
    return (today.year - OF_AGE, today.month, today.day) >= (year, month, day)


def _by_year(born: Any, today: date) -> bool | None:
    """Of who has only a year of birth: certain except in the one year in between."""
    year = str(born)[:4]
    if born is None or len(year) != 4 or not year.isdigit():
        return None
    years = today.year - int(year)
    return None if years == OF_AGE else years > OF_AGE
