"""What a package takes part in, held against what it names: its service, its organisation, its purpose, and the direction that
the purpose grants its organisation (ADR 26). Pure.

    deposit             sender          deliver               receiver
    deposit.answers     receiver        deliver: answers      sender          who answers was told; who is answered has asked
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from integrator.adapters.asking import Asking, asking
from integrator.adapters.asking import faults as faults_of_asking
from integrator.adapters.completing import faults as faults_of_completing
from integrator.adapters.layout import Layout
from integrator.adapters.participation import Participation, participations
from integrator.adapters.participation import faults as faults_of_part
from integrator.adapters.serving import Delivery, delivery
from integrator.adapters.staffing import Staffing, staffing
from integrator.model import RECEIVER, SENDER
from integrator.policy import Policies
from integrator.services import Service

Services = Mapping[str, Service]
Part = Participation | Delivery | Asking | Staffing
Place = tuple[str | int, ...]
Said = tuple[str, Place]  # what is wrong, where in adapter.yaml
_NOBODY = frozenset[str]()
_WAYS = {  # (word, about answers) -> what is decided, in words
    ("deposit", False): (SENDER, "hands in"),
    ("deposit", True): (RECEIVER, "answers"),
    ("deliver", False): (RECEIVER, "is told of"),
    ("deliver", True): (SENDER, "reads what was answered to"),
}


def of_package(
    layout: Layout, services: Services, policies: Policies, organisations: Mapping[str, Any]
) -> Iterator[Said]:
    """What is wrong with its part. Raises `ConfigurationError` for one that cannot be read at all."""
    taken: list[tuple[Place, Part, Iterator[str]]] = []
    for number, part in enumerate(participations(layout)):
        taken.append((("deposit", number), part, faults_of_part(part, services)))
    if (out := delivery(layout)) is not None:
        taken.append((("deliver",), out, _faults_of_delivery(out, services)))
    if (asks := asking(layout, sandbox=_NOBODY)) is not None:
        taken.append((("ask",), asks, faults_of_asking(asks, services)))
    if (staff := staffing(layout)) is not None:
        taken.append((("staff",), staff, iter(())))
    numbers = {name: str(one["number"]) for name, one in organisations["organisations"].items()}
    for place, one, faults in taken:
        yield from ((said, place) for said in (*faults, *_of_part(str(place[0]), one, numbers, services, policies)))


def _of_part(
    word: str, said: Part, numbers: Mapping[str, str], services: Services, policies: Policies
) -> Iterator[str]:
    number = numbers.get(said.organisation, said.organisation)
    if number not in numbers.values():
        yield f"{word}.organisation: nobody in config/organisations.yaml"
    if said.purpose not in policies.purposes:
        yield f"{word}.purpose: no such file in policies/"
    elif number in numbers.values() and isinstance(said, Participation | Delivery):
        yield from _of_direction(word, said, number, services, policies)


def _faults_of_delivery(out: Delivery, services: Services) -> Iterator[str]:
    if not _is_delivered(out.service, services):
        yield f"deliver.service: no service {out.service!r} that is delivered"
    if out.asks is not None:
        yield from faults_of_completing(out.asks, services)


def _is_delivered(name: str, services: Services) -> bool:
    return name in services and services[name].later is not None


def _of_direction(
    word: str, said: Participation | Delivery, number: str, services: Services, policies: Policies
) -> Iterator[str]:
    """A package that does what its organisation is granted in the other direction only, or not at all."""
    if not _is_delivered(said.service, services):
        return  # said already
    wanted, does = _WAYS[word, bool(said.answers)]
    for service in _decided(said, services):
        lines = [line for line in policies.grants(said.purpose, number) if line.service == service]
        if any(wanted in line.directions for line in lines):
            continue
        texts = ", ".join(sorted({line.authorisation for line in lines}))
        other = ", ".join(sorted(frozenset().union(*(line.directions for line in lines))))
        yield (
            f"{word}: {said.organisation} {does} {service} for {said.purpose}, which takes `as: [{wanted}]`, and "
            f"{f'{texts} says only `as: [{other}]`' if lines else 'no authorisation grants it'}; "
            "name the organisation that was granted it, or have it granted"
        )


def _decided(said: Participation | Delivery, services: Services) -> list[str]:
    """The service that is decided on: whoever answers a relay's letter answers the notice it came from."""
    if isinstance(said, Participation) and said.answers and not services[said.service].has_door:
        letter = ("relay", said.service)
        notices = [name for name, one in services.items() if one.later and (one.later.kind, one.later.to) == letter]
        return notices or [said.service]
    return [said.service]
