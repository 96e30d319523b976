"""Use against authorisation: which of the fields that a legal text grants were really given, and how often."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from audit.reports.tables import Tables

_ANSWERED = "SELECT policy, name, sum(n) FROM report_day WHERE day >= ? AND day <= ? AND topic = 'outcome'"
_GIVEN = "SELECT policy, name, field, sum(n) FROM report_field WHERE month >= ? AND month <= ?"


@dataclass(frozen=True, slots=True)
class Granted:
    """One field that one authorisation grants for one service; comes from whoever knows the authorisations."""

    authorisation: str
    service: str
    field: str
    # Where the field is only looked at inside an answer: (service, category) pairs, any of which means it was used.
    within: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FieldUse:
    """How a granted field was used in a period."""

    authorisation: str
    service: str
    field: str
    granted: bool
    answered: int  # exchanges of this service that were answered under this authorisation, whatever they asked for
    delivered: int  # of these, those in which the field (or something inside it) left the hub, or served the answer


def field_use(tables: Tables, granted: Iterable[Granted], first: int, last: int, org: str | None) -> list[FieldUse]:
    """Use of every granted field between two days (yyyymmdd, whole months are counted), by authorisation and service."""
    narrow, values = (" AND org = ?", (org,)) if org else ("", ())
    answered = {
        (policy, name): int(n)
        for policy, name, n in tables.rows(_ANSWERED + narrow + " GROUP BY policy, name", first, last, *values)
    }
    given: dict[tuple[str, str], dict[str, int]] = {}
    months = (first // 100, last // 100)
    for policy, name, field, n in tables.rows(_GIVEN + narrow + " GROUP BY policy, name, field", *months, *values):
        given.setdefault((policy, name), {})[field] = int(n)
    return [
        FieldUse(
            one.authorisation,
            one.service,
            one.field,
            True,
            answered.get((one.authorisation, one.service), 0),
            _delivered(one, given),
        )
        for one in granted
    ]


def _delivered(one: Granted, given: dict[tuple[str, str], dict[str, int]]) -> int:
    own = given.get((one.authorisation, one.service), {})
    # A category is the topmost name that was given: `address` gives address.postCode, and address.postCode some address.
    direct = [
        n
        for field, n in own.items()
        if field == one.field or field.startswith(one.field + ".") or one.field.startswith(field + ".")
    ]
    inside = [given.get((one.authorisation, service), {}).get(category, 0) for service, category in one.within]
    return max([*direct, *inside], default=0)
