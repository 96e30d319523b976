"""Residents' parking cards: for the car one holds or drives, at the address where one lives."""

from __future__ import annotations

from datetime import date

from mock_sources.world.arithmetic import key_for, scatter
from mock_sources.world.blocks import RESIDENT_SEATS
from mock_sources.world.facts import Card
from mock_sources.world.families import HORIZON, Families
from mock_sources.world.motors import Motors, Registration
from mock_sources.world.places import Places
from mock_sources.world.roll import Roll, household_index


class Parking:
    def __init__(self, seed: int, roll: Roll, places: Places, families: Families, motors: Motors) -> None:
        self._roll, self._places, self._families, self._motors = roll, places, families, motors
        self._key = key_for(seed, "parking cards")

    def card(self, registration: Registration) -> Card | None:
        """Every second car has one, or had one: look at `end` and `status`."""
        draw = scatter(self._key, registration.index)
        if draw % 100 >= 50:
            return None
        slot, block = self._motors.user(registration), registration.block
        address = self._places.address(self._families.home(household_index(slot, block)))
        if address is None:
            raise LookupError(f"slot {slot} of block {block} lives nowhere")
        start = HORIZON - draw // 100 % 700
        cancelled = draw // 7 % 100 < 3 or self._motors.deregistered(registration)
        status = "X" if cancelled else "S" if draw // 7 % 100 < 5 else "A"
        return Card(
            self._motors.plate(registration),
            address,
            self._roll.number(slot, block),
            date.fromordinal(start).isoformat(),
            date.fromordinal(start + 730).isoformat(),
            status,
        )

    def cards_of_house(self, house: int, block: int) -> tuple[Card, ...]:
        """The cards of everybody who lives in a household."""
        found = (
            self.card(registration)
            for slot in RESIDENT_SEATS[house]
            for registration in (*self._motors.held_by(slot, block), *self._motors.driven_by(slot, block))
        )
        return tuple(card for card in found if card is not None)
