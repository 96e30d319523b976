"""What several bodies said to one question, as one document, and the sum of it. Data in, value out, no I/O.

{"bodies": [{"body": {number, name}, "state": "known", "items": […], "amount": "12.50"}, {"body": …, "state": "unknown", "reason": …}],
 "total": {"complete": false}}

A sum is told of a body that answered, and of all together only when every one of them did: a smaller sum would look whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from integrator.errors import IntegratorError
from integrator.model import LocalizedString
from integrator.services import Gather


@dataclass(frozen=True, slots=True)
class Body:
    """One of the bodies that are a source together."""

    number: str  # enterprise number
    names: LocalizedString


@dataclass(frozen=True, slots=True)
class Told:
    """How the question to one body ended: what `listed` made of its answer, or the error for which nobody knows."""

    body: Body
    said: Mapping[str, Any]
    error: IntegratorError | None = None


def listed(document: Any | None, gather: Gather) -> dict[str, Any]:
    """What one body lists, and the sum of it. `None`: it says that it has nothing. Raises for what cannot be added up."""
    items = [] if document is None else document["bodies"][0][gather.items]
    return {gather.items: items, "amount": added(item[gather.sum] for item in items)}


def together(told: Sequence[Told], language: str) -> dict[str, Any]:
    """The document that the mapping reads, each body in the place it has in `told`."""
    complete = bool(told) and all(one.error is None for one in told)
    total: dict[str, Any] = {"complete": complete}
    if complete:
        total["amount"] = added(one.said["amount"] for one in told)
    return {"bodies": [_state(one, language) for one in told], "total": total}


def added(amounts: Iterable[str]) -> str:
    """The sum of amounts in euro, exact. Raises ValueError or InvalidOperation for what is no amount in euro and cents.

    >>> added(["0.10", "0.20"]), added([])
    ('0.30', '0.00')
    """
    cents = 0
    for amount in amounts:
        exact = Decimal(amount) * 100
        if exact != exact.to_integral_value():
            raise ValueError("no amount in euro and cents")
        cents += int(exact)
    return str(Decimal(cents).scaleb(-2))


def retry_after(told: Sequence[Told]) -> int | None:
    """Seconds after which asking again may help, for all who could not say."""
    return max((seconds for one in told if (seconds := _seconds(one.error)) is not None), default=None)


def _state(one: Told, language: str) -> dict[str, Any]:
    body = {"body": {"number": one.body.number, "name": one.body.names.in_(language)}}
    if one.error is None:
        return {**body, "state": "known", **one.said}
    seconds = _seconds(one.error)
    retry = {} if seconds is None else {"retryAfterSec": seconds}
    return {**body, "state": "unknown", "reason": one.error.code, **retry}


def _seconds(error: IntegratorError | None) -> int | None:
    return getattr(error, "retry_after", None)
