"""A registration and its titular as JSON, item by item; the envelope around them is app.py's.

`everything` is what an over-delivering DIV would give: the true item plus all else it knows of the holder.
"""

from __future__ import annotations

import zlib
from typing import Any

from mock_sources.sources.div.labels import coded
from mock_sources.sources.div.technical import technical
from mock_sources.sources.div.titular import Bearer, driver, titular, titular_in_full
from mock_sources.world import World
from mock_sources.world.facts import Vehicle


def registration(world: World, vehicle: Vehicle) -> dict[str, Any]:
    """One item of `registrations`."""
    draw, since = zlib.crc32(vehicle.plate.encode()), vehicle.registered_since
    bearer, normal = Bearer.of(world, vehicle), coded("statusLegal", "NOR")
    return {
        "license": {**_license(vehicle, bearer, draw), "lastUpdateDateTime": f"{since}T09:25:57.303Z"},
        "certificates": [{"id": f"{draw % 10**9:09d}", "beginDate": f"{since}T00:00:00Z", "statusLegal": normal}],
        "titular": titular(world, vehicle, bearer),
        "transaction": {
            "typeCode": "REG",
            "subTypeCode": coded("transactionSubType", "REGNM"),
            "dateTime": f"{since}T09:25:57.303Z",
            "info": {"plateNumberPriorTitular": next(iter(vehicle.previous_plates), ""), "importedVehicle": False},
        },
        "vehicle": technical(vehicle),
    }


def titular_item(world: World, vehicle: Vehicle) -> dict[str, Any]:
    """One item of `registrationsTitular`: licence and vehicle stand inside the titular, as published."""
    who = driver(world, vehicle)
    shown: dict[str, Any] = {} if who is None else {"driver": who}
    bearer = Bearer.of(world, vehicle)
    licence = _license(vehicle, bearer, zlib.crc32(vehicle.plate.encode()))
    del licence["plateUID"]
    held = titular_in_full(world, vehicle, bearer)
    return {**shown, "titular": {**held, "license": licence, "vehicle": technical(vehicle)}}


def everything(world: World, vehicle: Vehicle, item: dict[str, Any]) -> dict[str, Any]:
    """The item with all that nobody asked: the driver, the holder's life and other vehicles, contact data."""
    person = world.person(vehicle.holder.ssin) if vehicle.holder.ssin else None
    more: dict[str, Any] = {"previousPlates": list(vehicle.previous_plates), "driver": driver(world, vehicle)}
    if person is not None:
        fleet = world.vehicles_of(ssin=person.ssin)
        item["titular"]["person"] |= {
            "birthDate": person.birth_date,
            "birthPlace": person.birth_place[1],
            "gender": person.sex,
            "nationalities": [held.code for held in person.nationalities],
            "civilStates": [state.code for state in person.civil_states],
            "addressHistory": [home.address.number for home in person.residences if home.address],
        }
    else:
        fleet = world.vehicles_of(cbe=vehicle.holder.cbe)
    more["otherPlates"] = [other.plate for other in fleet if other.plate != vehicle.plate]
    more["insurance"] = {"companyCode": "00097", "policyNr": f"{zlib.crc32(vehicle.vin.encode()):010d}"}
    item["titular"]["contactInfo"] |= {"phone": "+3225550100", "email": "holder@mock.invalid"}
    return {**item, **{name: value for name, value in more.items() if value is not None}}


def _license(vehicle: Vehicle, bearer: Bearer, draw: int) -> dict[str, Any]:
    since = f"{vehicle.registered_since}T00:00:00Z"
    return {
        "plateNr": vehicle.plate,
        "plateUID": f"{draw:010d}",
        "plateType": coded("plateType", vehicle.plate_type),
        "languageCode": bearer.language.upper(),
        "startSituationDate": since,
        "lastRegistrationDate": since,
        "status": coded("licenseStatus", "REG"),
        "statusLegal": coded("statusLegal", "NOR"),
    }
