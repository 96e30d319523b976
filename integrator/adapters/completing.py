"""An event tells that something changed, never what it is now. A package that cannot ask has its adapter ask, for the same purpose.

    deliver:
      asks: {service: person.lifeStatus, keys: {ssin: ssin}, dossier: id}      # the service's key: where it stands in the event
      rows: {holder: ssin, alive: answer.alive}

Asked once for each event of a page, as the application itself would: decided, recorded. A page is written when all its answers
are there. Who cannot be reached or says *unknown* for now stops the turn: nothing is acknowledged, and the page is asked again.
Who knows nobody, takes the question for none, or will never know, gives a row without an answer: it waits at the desk where the
layout needs one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from integrator.errors import SourceUnavailable

ANSWER = "answer"
Event = Mapping[str, Any]
Ask = Callable[
    [dict[str, Any]], Awaitable[Mapping[str, Any] | None]
]  # the body of a question; None: there will be no answer to it


@dataclass(frozen=True, slots=True)
class Asks:
    """What is asked for each event, compiled."""

    service: str
    keys: Mapping[str, str]
    dossier: str  # "" = the service needs none

    def body(self, event: Event) -> dict[str, Any]:
        """The question about this event, as over the API."""
        said = {name: reach(path, event) for name, path in self.keys.items()}
        if not self.dossier:
            return said
        case = str(reach(self.dossier, event))
        # An id is 32 figures and letters: in groups, or one in twenty holds eleven figures in a row, as a national number does.
        return said | {
            "dossierReference": "/".join(case[at : at + 8] for at in range(0, len(case), 8))
            if self.dossier == "id"
            else case
        }


def asks(said: Mapping[str, Any]) -> Asks:
    """`said`: what stands under `asks:`."""
    return Asks(said["service"], dict(said["keys"]), str(said.get("dossier", "")))


async def answered(wanted: Asks | None, events: Sequence[Event], ask: Ask) -> list[Event]:
    """The events, each with its answer. Raises `SourceUnavailable` when one of them is unknown for now, and what `ask` raises."""
    if wanted is None:
        return list(events)
    found: list[Event] = []
    for event in events:
        told = await ask(wanted.body(event))
        if told is not None and _unknown_for_now(told):
            raise SourceUnavailable(wanted.service)
        found.append({**event, ANSWER: told or {}})
    return found


def faults(wanted: Asks, services: Mapping[str, Any]) -> Iterator[str]:
    """What does not fit the service that is asked; nothing when all does."""
    service = services.get(wanted.service)
    if service is None or service.later is not None:
        yield f"deliver.asks.service: no service {wanted.service!r} that answers at once"
        return
    if unknown := sorted(set(wanted.keys) - set(service.keys)):
        yield f"deliver.asks: {wanted.service} has no {', '.join(unknown)}"
    if not service.can_be_asked_by(wanted.keys):
        yield f"deliver.asks: {wanted.service} cannot be asked by these keys"
    if service.needs_dossier and not wanted.dossier:
        yield f"deliver.asks: {wanted.service} needs dossier"


def reach(path: str, event: Event, item: Any = None) -> Any:
    """`id` is the event's own; `item` and `item.x` one of its list; `answer.x` what was asked; anything else is its data."""
    first, _, rest = path.partition(".")
    if path == "id":
        return event["id"]
    value, path = {"item": (item, rest), ANSWER: (event.get(ANSWER), rest)}.get(first, (event.get("data", {}), path))
    for name in path.split(".") if path else ():
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _unknown_for_now(told: Mapping[str, Any]) -> bool:
    """Some check could not be answered, and asking again may help."""
    return any(one.get("result") == "unknown" and "retryAfterSec" in one for one in told.get("checks", ()))
