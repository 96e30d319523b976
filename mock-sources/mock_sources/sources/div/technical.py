"""The `vehicle` part of a registration: what the certificate of conformity says about the machine.

The world knows make, model, mass, fuel and colour; the rest is drawn from the VIN, always the same for the same one.
"""

from __future__ import annotations

import zlib
from typing import Any

from mock_sources.sources.div.labels import coded
from mock_sources.world.facts import Vehicle

_NORMAL = {"code": "NOR", "description": "Normaal"}
_BODYWORK = ("AA", "AB", "AC", "AF")
_CAPACITIES = (875.0, 998.0, 1199.0, 1368.0, 1499.0, 1598.0, 1995.0)
_WITHOUT_PISTONS = "50"  # hydrogen: a fuel cell has no cylinder capacity
_EURO_SINCE = (("2015-09", "6b"), ("2011-01", "5a"), ("2006-01", "4"))
_TYPES = ("AUV", "DYB", "MPV", "VP")


def technical(vehicle: Vehicle) -> dict[str, Any]:
    """The vehicle as JSON, in the order and types of the published answers."""
    draw = zlib.crc32(vehicle.vin.encode())
    first, model = vehicle.first_registration, vehicle.model.upper().replace(" ", "-")
    body = coded("bodywork", _BODYWORK[draw % len(_BODYWORK)])
    return {
        "vin": vehicle.vin,
        "unifier": vehicle.unifier,
        "category": coded("category", vehicle.category),
        "makeName": vehicle.make,
        "commercialName": vehicle.model,
        "firstRegistrationDate": first,
        "firstKnownUseDate": first,
        "type": _TYPES[draw % len(_TYPES)],
        "wvta": f"e{draw % 9 + 1}*2007/46*{draw % 9999:04d}*{draw % 60:02d}",
        "variant": f"{model}-{draw % 97:02d}",
        "version": f"{model}-{draw % 9973:04d}",
        "dateCOC": first,
        "status": {"code": "NOR", "description": "normaal"},
        "statusLegal": _NORMAL,
        "statusAdministrative": {"code": "NOR", "description": "normaal"},
        "customsStickerCode": "3",
        "distanceType": "K",
        "techControlValidityDate": f"{int(first[:4]) + 4}{first[4:]}".replace("-02-29", "-02-28"),
        "techControlEntryDatetime": f"{first}T13:20:00Z",
        "codeForBodyWork": [body],
        "kind": body,
        "colour": [coded("colour", vehicle.colour)],
        "technicPermissibleMaxMass": vehicle.mass + 500 + draw % 8 * 25,
        "massOfTheVehicleInRunningOrder": vehicle.mass,
        "referenceMass": vehicle.mass + 25,
        "actualMassOfTheVehicle": vehicle.mass + draw % 70,
        "numberOfAxles": 1 if vehicle.category.startswith("O") else 2,
        "wheelBase": 2300 + draw % 45 * 10,
        "maximumSpeed": 160 + draw % 13 * 5,
        "limiterIndicator": False,
        "handicapIndicator": False,
        "tachoIndicator": False,
        "assistanceWithoutPedallingIndicator": False,
        "nrOfSeatingPositions": 5 if vehicle.category == "M1" else 2,
        "suspension": coded("suspension", str(draw % 3 + 1)),
        "exhaustDirectiveRefCode": "715/2007*2018/1832AP",
        "engine": [_engine(vehicle, draw)],
    }


def _engine(vehicle: Vehicle, draw: int) -> dict[str, Any]:
    co2 = 90 + draw % 80
    fuel = {
        **coded("fuel", vehicle.fuel),
        "maximumNetPower": 55.0 + draw % 90,
        "euroNormCode": _euro_norm(vehicle.first_registration),
        "combinedFuelConsumption": round(co2 / 24, 1),
        "combinedCO2": co2,
        "WLTPCombinedCO2": co2 + 15,
    }
    capacity = 0.0 if vehicle.fuel == _WITHOUT_PISTONS else _CAPACITIES[draw % len(_CAPACITIES)]
    return {"engineCapacity": capacity, "fuel": [fuel]}


def _euro_norm(first_registration: str) -> str:
    return next((norm for since, norm in _EURO_SINCE if first_registration >= since), "3")
