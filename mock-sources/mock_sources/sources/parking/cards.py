"""Which cards the package holds: all of Ixelles, and those of the personas wherever they live."""

from __future__ import annotations

from collections.abc import Iterator

from mock_sources.sources.parking.layout import Record
from mock_sources.world import World
from mock_sources.world.facts import Card
from mock_sources.world.naming import surname

MUNICIPALITY = "21009"


def records(world: World) -> Iterator[Record]:
    """Every card once: first the personas' outside the municipality, then the municipality's own."""
    seen = set()
    for card in (*_of_personas(world), *world.cards(MUNICIPALITY)):
        key = (card.plate, card.address.id, card.start)
        if key not in seen:
            seen.add(key)
            yield record(world, card)


def record(world: World, card: Card) -> Record:
    """A card with the texts a clerk would type: French street and municipality, SURNAME, First names."""
    street, municipality = card.address.street, world.municipality(card.address.nis)
    return Record(
        plate=card.plate,
        nis=card.address.nis,
        street_code=street.rrn_code,
        house_number=card.address.number,
        box=card.address.box or "",
        holder=card.holder or "",
        start=card.start,
        end=card.end,
        status=card.status,
        kind=card.kind,
        street=street.names.fr,
        municipality="" if municipality is None else municipality.names.fr,
        name="" if card.holder is None else _name(world, card.holder),
    )


def _of_personas(world: World) -> Iterator[Card]:
    for persona in world.personas.values():
        if persona.plate is not None:
            yield from world.cards_for(persona.plate)
        if persona.person is not None and persona.person.address is not None:
            yield from world.cards_at(persona.person.address.id)


def _name(world: World, ssin: str) -> str:
    """Twenty thousand names are wanted at start: derived people are asked for their name only, not their life."""
    region = world.region
    place = region.roll.locate(ssin)
    if place is not None:
        last = surname(region.people.surname_index(*place))
        return f"{last.upper()}, {' '.join(region.people.first_names(*place, region.roll.sex(*place)))}"
    person = world.person(ssin)
    return "" if person is None else f"{' '.join(person.name.last).upper()}, {' '.join(person.name.first)}"
