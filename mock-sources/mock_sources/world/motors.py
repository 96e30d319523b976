"""Sixty registrations per block: 45 cars and a motorbike of residents, ten company cars, four leased ones.

The adults of a block stand in a circle of 87; every block turns the circle by its own amount, and the registrations
are handed out at fixed places. So holder and vehicle find each other by turning back. Leasing companies hold the
leased cars of fifty blocks; their drivers live in those blocks.
"""

from __future__ import annotations

from dataclasses import dataclass

from mock_sources.world.arithmetic import Shuffle, key_for, scatter
from mock_sources.world.blocks import ADULTS, BLOCKS, YEAR
from mock_sources.world.circumstances import text
from mock_sources.world.facts import Holder, Vehicle
from mock_sources.world.families import HORIZON
from mock_sources.world.identifiers import CAR_INITIALS, PLATES_PER_INITIAL, plate, plate_place
from mock_sources.world.roll import Roll

VEHICLES_IN_BLOCK = 60
_CARS_IN_BLOCK = VEHICLES_IN_BLOCK - 1
_BIKE = 45  # place of the motorbike in the block
_COMPANY = range(46, 56)
_LEASED = range(56, 60)
LEASING_EVERY = 50  # blocks served by one leasing company
LEASING_ENTERPRISE = 10  # its place among the enterprises of its block

# Places in the circle of adults. Four people have a second car; company and leased cars go to people of their own.
_HOLDER_PLACES = (*range(0, 82, 2), 0, 20, 40, 60, 3)  # 41 + 4 cars, 1 motorbike
_DRIVER_PLACES = (5, 11, 17, 23, 29, 35, 41, 47, 53, 59, 65, 71, 77, 83)

_MAKES = (  # make, models, first three characters of the VIN (invented), fuel, kg in running order
    ("RENAULT", ("CLIO", "CAPTUR", "MEGANE"), "YR1", "10", 1180),
    ("VOLKSWAGEN, VW", ("GOLF", "POLO", "PASSAT"), "YV1", "20", 1320),
    ("PEUGEOT", ("208", "308", "2008"), "YP1", "10", 1150),
    ("TOYOTA", ("YARIS", "COROLLA", "AYGO"), "YT1", "10", 1090),
    ("SKODA", ("FABIA", "OCTAVIA", "KAMIQ"), "YS1", "20", 1290),
    ("BMW", ("118", "320", "X1"), "YB1", "20", 1510),
    ("DACIA", ("SANDERO", "DUSTER", "JOGGER"), "YD1", "30", 1160),
    ("VOLVO", ("V40", "V60", "XC40"), "YL1", "10", 1620),
)
_BIKE_MAKES = (("HONDA", ("CB500", "NC750"), "YH2", "10", 190), ("YAMAHA", ("MT-07", "TRACER"), "YY2", "10", 184))
_VIN_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"  # no I, O, Q: they would be read as 1 and 0
_COLOURS = ("1", "3", "4", "6", "7", "8", "10")


@dataclass(frozen=True, slots=True)
class Registration:
    """A derived vehicle before it is described: block and place in the block (0 … 59)."""

    block: int
    place: int

    @property
    def index(self) -> int:
        return self.block * VEHICLES_IN_BLOCK + self.place

    @property
    def category(self) -> str:
        return "L3e" if self.place == _BIKE else "M1"


class Motors:
    """Who has which vehicle, and every plate and VIN, both ways."""

    def __init__(self, seed: int, roll: Roll) -> None:
        self._roll = roll
        self._turn_key = key_for(seed, "circle of adults")
        self._facts_key = key_for(seed, "vehicle")
        self._cars = Shuffle(2 * len(CAR_INITIALS) * PLATES_PER_INITIAL, key_for(seed, "plates"))
        self._bikes = Shuffle(2 * PLATES_PER_INITIAL, key_for(seed, "motorbike plates"))
        self._vins = Shuffle(BLOCKS * VEHICLES_IN_BLOCK, key_for(seed, "vins"))
        self._held = _by_circle_place(_HOLDER_PLACES, 0)
        self._driven = _by_circle_place(_DRIVER_PLACES, len(_HOLDER_PLACES))

    # --- who has which

    def _turn(self, block: int) -> int:
        return scatter(self._turn_key, block) % len(ADULTS)

    def slot_at(self, circle_place: int, block: int) -> int:
        """The adult at a place of the circle, as this block turned it."""
        return ADULTS[(circle_place + self._turn(block)) % len(ADULTS)]

    def user(self, registration: Registration) -> int:
        """Slot of the holder, or of the driver when an enterprise holds it."""
        places = (*_HOLDER_PLACES, *_DRIVER_PLACES)
        return self.slot_at(places[registration.place], registration.block)

    def held_by(self, slot: int, block: int) -> tuple[Registration, ...]:
        return self._at(self._held, slot, block)

    def driven_by(self, slot: int, block: int) -> tuple[Registration, ...]:
        """Company and leased cars somebody drives without being the holder."""
        return self._at(self._driven, slot, block)

    def _at(self, table: dict[int, tuple[int, ...]], slot: int, block: int) -> tuple[Registration, ...]:
        adult = _ADULT_RANK.get(slot)
        if adult is None:
            return ()
        circle_place = (adult - self._turn(block)) % len(ADULTS)
        return tuple(Registration(block, place) for place in table.get(circle_place, ()))

    def categories(self, slot: int, block: int) -> tuple[str, ...]:
        """Vehicle categories somebody holds or drives: what a licence would be for."""
        mine = (*self.held_by(slot, block), *self.driven_by(slot, block))
        return tuple(registration.category for registration in mine)

    # --- plates and VINs

    def plate(self, registration: Registration) -> str:
        if registration.place == _BIKE:
            return plate("M", self._bikes[registration.block])
        car = registration.block * _CARS_IN_BLOCK + registration.place - (registration.place > _BIKE)
        return plate(CAR_INITIALS, self._cars[car])

    def by_plate(self, plate: str) -> Registration | None:
        bike = plate_place("M", plate)
        if bike is not None:
            block = self._bikes.back(bike)
            return Registration(block, _BIKE) if block < BLOCKS else None
        place = plate_place(CAR_INITIALS, plate)
        if place is None:
            return None
        block, car = divmod(self._cars.back(place), _CARS_IN_BLOCK)
        return Registration(block, car + (car >= _BIKE)) if block < BLOCKS else None

    def vin(self, registration: Registration) -> str:
        draw = scatter(self._facts_key, ~registration.index)
        middle = "".join(_VIN_LETTERS[draw // 33**turn % 33] for turn in range(6))
        return f"{self._model(registration)[2]}{middle}{10_000_000 + self._vins[registration.index]}"

    def by_vin(self, vin: str) -> Registration | None:
        tail = vin[9:]
        if len(vin) != 17 or not vin.isascii() or not tail.isdigit():
            return None
        place = int(tail) - 10_000_000
        if not 0 <= place < BLOCKS * VEHICLES_IN_BLOCK:
            return None
        found = Registration(*divmod(self._vins.back(place), VEHICLES_IN_BLOCK))
        return found if self.vin(found) == vin else None

    def _model(self, registration: Registration) -> tuple[str, str, str, str, int]:
        draw = scatter(self._facts_key, registration.index)
        makes = _BIKE_MAKES if registration.place == _BIKE else _MAKES
        make, models, wmi, fuel, mass = makes[draw % len(makes)]
        return make, models[draw // 8 % len(models)], wmi, fuel, mass

    # --- the vehicle

    def deregistered(self, registration: Registration) -> bool:
        """One plate in 61 was handed in; DIV still knows it."""
        return (scatter(self._facts_key, registration.index) >> 8) % 61 == 0

    def vehicle(self, registration: Registration, holder_cbe: str | None) -> Vehicle:
        """Everything DIV knows; `holder_cbe` for company and leased cars, None for residents' own."""
        block = registration.block
        draw = scatter(self._facts_key, registration.index) >> 8
        slot = self.user(registration)
        user = self._roll.number(slot, block)
        make, model, _, fuel, mass = self._model(registration)
        grown = self._roll.day(slot, block) + round(18 * YEAR)
        since = max(HORIZON - 30 - draw % 3000, grown)
        built = since - (draw >> 3) % 3500 * (draw % 3 > 0)
        gone = self.deregistered(registration)
        return Vehicle(
            plate=self.plate(registration),
            plate_type="NM",
            vin=self.vin(registration),
            unifier="01",
            holder=Holder(cbe=holder_cbe) if holder_cbe else Holder(ssin=user),
            driver=user if holder_cbe else None,
            lease=registration.place in _LEASED,
            make=make,
            model=model,
            category=registration.category,
            first_registration=text(built),
            registered_since=text(since),
            status="deregistered" if gone else "REG",
            deregistered_on=text(min(since + 30 + draw % 900, HORIZON - 1)) if gone else None,
            fuel=fuel,
            mass=mass + draw % 90,
            colour=_COLOURS[draw % len(_COLOURS)],
        )


def enterprise_behind(registration: Registration) -> tuple[int, int] | None:
    """(block, place among its enterprises) of the holder of a company or leased car; None for residents' own."""
    if registration.place in _LEASED:
        return registration.block // LEASING_EVERY * LEASING_EVERY, LEASING_ENTERPRISE
    if registration.place in _COMPANY:
        return registration.block, 4 + registration.place % 6
    return None


def registrations_of_enterprise(block: int, place: int) -> tuple[Registration, ...]:
    """The inverse: a company's own cars, or two hundred for a leasing company."""
    if place == LEASING_ENTERPRISE:
        served = range(block, block + LEASING_EVERY) if block % LEASING_EVERY == 0 else range(0)
        return tuple(Registration(other, leased) for other in served for leased in _LEASED)
    return tuple(Registration(block, car) for car in _COMPANY if 4 + car % 6 == place)


def _by_circle_place(places: tuple[int, ...], first: int) -> dict[int, tuple[int, ...]]:
    return {place: tuple(first + rank for rank, other in enumerate(places) if other == place) for place in places}


_ADULT_RANK = {slot: rank for rank, slot in enumerate(ADULTS)}
