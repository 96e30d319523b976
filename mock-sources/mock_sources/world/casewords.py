"""From the words of a persona file to facts. One function per kind of fact; what is left out gets its ordinary value.

Dates are `YYYY-MM-DD` (parts may be 00), or told from today: `today`, `today-1`, `today+30` (days).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from mock_sources.world.facts import (
    Activity,
    Address,
    CivilState,
    Coded,
    Death,
    Denomination,
    Enterprise,
    Establishment,
    Holder,
    Integration,
    LegalCohabitation,
    Licence,
    LivingWage,
    Name,
    Names,
    Occupation,
    PlacedAt,
    Residence,
    Situation,
    Street,
    Vehicle,
)
from mock_sources.world.identifiers import enterprise_number
from mock_sources.world.municipalities import public_body_first_eight

Words = Mapping[str, Any]
_RELATIVE = re.compile(r"today(?:([+-])(\d{1,5}))?\Z")
_USUAL_INTEGRATIONS = ([65, 0, 0, "2021-01-01"], [17, 1, 1, "2021-01-01"], [48, 0, 0, "2022-01-01"])


class Dates:
    """Reads dates as of one day.

    >>> day = Dates(date(2026, 11, 23))
    >>> day("today-1"), day("1961-00-00"), day(None)
    ('2026-11-22', '1961-00-00', None)
    """

    def __init__(self, today: date) -> None:
        self._today = today

    def __call__(self, words: Any) -> str | None:
        if words is None:
            return None
        relative = _RELATIVE.match(str(words))
        if relative is None:
            return str(words)
        days = int(relative[2] or 0) * (-1 if relative[1] == "-" else 1)
        return (self._today + timedelta(days=days)).isoformat()

    def needed(self, words: Any) -> str:
        told = self(words)
        if told is None:
            raise ValueError("a date is missing")
        return told


def names(words: Words, born: str, day: Dates) -> tuple[Name, ...]:
    """`name: "Last, First Second"`, or `names:` with history, newest first."""
    if "names" in words:
        return tuple(
            _name(str(each["name"]), day.needed(each["start"]), day(each.get("end"))) for each in words["names"]
        )
    return (_name(str(words["name"]), born),)


def _name(text: str, start: str, end: str | None = None) -> Name:
    last, _, first = text.partition(",")
    return Name(tuple(part.strip() for part in last.split("/")), tuple(first.split()), start, end)


def coded(words: Any, start: str, day: Dates) -> tuple[Coded, ...]:
    """A bare code that holds from `start`, or a list with dates, newest first."""
    if isinstance(words, str):
        return (Coded(words, start),)
    return tuple(Coded(str(each["code"]), day.needed(each["start"]), day(each.get("end"))) for each in words)


def civil_states(words: Words, born: str, day: Dates) -> tuple[CivilState, ...]:
    return tuple(
        CivilState(str(each["code"]), day.needed(each.get("start", born)), day(each.get("end")), each.get("spouse"))
        for each in words.get("civil_states", [{"code": "10"}])
    )


def cohabitation(words: Words, day: Dates) -> LegalCohabitation | None:
    told = words.get("legal_cohabitation")
    return LegalCohabitation(told.get("partner"), day.needed(told["start"]), day(told.get("end"))) if told else None


def residences(
    words: Words, home: Address | None, since: str, day: Dates, place: Callable[[Words], Address]
) -> tuple[Residence, ...]:
    """`residences:` newest first; without it the home since the household's date."""
    if "residences" not in words:
        return (Residence("main", home, None, None, since),) if home else ()
    return tuple(
        Residence(
            str(each.get("kind", "main")),
            place(each["at"]) if "at" in each else None,
            each.get("country"),
            each.get("text"),
            day.needed(each["start"]),
            day(each.get("end")),
        )
        for each in words["residences"]
    )


def licences(words: Words, ssin: str, day: Dates) -> tuple[Licence, ...]:
    number = f"9{ssin[2:11]}"
    return tuple(
        Licence(
            str(each["category"]),
            day.needed(each["since"]),
            str(each.get("number", number)),
            day(each.get("withdrawn")),
            each.get("reason"),
        )
        for each in words.get("licences", ())
    )


def living_wages(words: Words, day: Dates) -> tuple[LivingWage, ...]:
    return tuple(
        LivingWage(
            enterprise_number(public_body_first_eight(str(each["nis"]), "412")),
            day.needed(each["start"]),
            day(each.get("end")),
            str(each["category"]),
        )
        for each in words.get("living_wage", ())
    )


def work(words: Words, day: Dates) -> tuple[Occupation, ...]:
    """`work:` newest first; what is not said is that of a clerk with full-time work."""
    return tuple(
        Occupation(
            str(each["employer"]),
            day.needed(each["start"]),
            day(each.get("end")),
            str(each.get("worker", "495")),
            each.get("commission", "200"),
            int(each.get("hours", 3800)),
            int(each.get("days", 500)),
            int(each.get("wage", 14_000)),
        )
        for each in words.get("work", ())
    )


def integrations(words: Words, day: Dates) -> tuple[Integration, ...]:
    """`[sector, institution, quality, start, end?]`; by default Region, OCMW and housing company keep a file."""
    return tuple(
        Integration(each[0], each[1], each[2], day.needed(each[3]), day(each[4]) if len(each) > 4 else None)
        for each in words.get("integrations", _USUAL_INTEGRATIONS)
    )


def death(words: Words, day: Dates) -> Death | None:
    told = words.get("died")
    return Death(day.needed(told["date"]), str(told["place"])) if told else None


def address(words: Words, id: int, street: Street, position: Callable[[Street, int], tuple[float, float]]) -> Address:
    """A house in the personas' street; `unpositioned`, `status: retired` and `official: false` are its wounds."""
    number = str(words["number"])
    digits = re.match(r"\d+", number)
    x, y = (0.0, 0.0) if words.get("unpositioned") else position(street, int(digits[0]) if digits else 1)
    return Address(
        id,
        street,
        number,
        words.get("box"),
        str(words.get("status", "current")),
        bool(words.get("official", True)),
        x,
        y,
    )


def vehicle(words: Words, me: str | None, day: Dates) -> Vehicle:
    """`holder: me`, a national number, or `cbe:` with a KBO number."""
    since = day.needed(words.get("since", "2021-03-15"))
    holder = me if words.get("holder", "me") == "me" else str(words["holder"])
    driver = me if words.get("driver") == "me" else words.get("driver")
    gone = day(words.get("deregistered"))
    return Vehicle(
        plate=str(words["plate"]),
        plate_type=str(words.get("type", "NM")),
        vin=str(words["vin"]),
        unifier=str(words.get("unifier", "01")),
        holder=Holder(cbe=str(words["cbe"])) if "cbe" in words else Holder(ssin=holder),
        driver=driver,
        lease=bool(words.get("lease", False)),
        make=str(words.get("make", "TOYOTA")),
        model=str(words.get("model", "YARIS")),
        category=str(words.get("category", "M1")),
        first_registration=day.needed(words.get("first", since)),
        registered_since=since,
        status="deregistered" if gone else "REG",
        deregistered_on=gone,
        fuel=str(words.get("fuel", "10")),
        mass=int(words.get("mass", 1150)),
        colour=str(words.get("colour", "6")),
        previous_plates=tuple(words.get("previous", ())),
    )


def enterprise(words: Words, me: str | None, day: Dates, place: Callable[[Words], Address]) -> Enterprise:
    """`names` as `[text, language, code?]`; a legal form or situation is a code or a list with dates."""
    start, close = day.needed(words["start"]), day(words.get("close"))
    status, kind = str(words.get("status", "AC")), str(words.get("kind", "2"))
    seat = place(words["seat"])
    situations = words.get("situations", [{"code": "000", "start": start, "end": close}])
    owner = me if words.get("owner") == "me" else words.get("owner")
    return Enterprise(
        number=str(words["number"]),
        kind=kind,
        status=status,
        names=_denominations(words["names"], start),
        legal_forms=coded(words.get("form", "610"), start, day) if kind == "2" else (),
        situations=tuple(
            Situation(str(each["code"]), day.needed(each["start"]), day(each.get("end")), str(each.get("status", "AC")))
            for each in situations
        ),
        addresses=(PlacedAt(str(words["seat"].get("kind", "REGO")), seat, start, close),),
        establishments=tuple(
            _establishment(each, words, start, close, day, place) for each in words.get("establishments", ())
        ),
        start=start,
        close=close,
        owner_ssin=owner,
        activities=tuple(
            Activity(str(nace), "MAIN" if rank == 0 else "SECO", "001", start, close)
            for rank, nace in enumerate(words.get("activities", ["70220"]))
        ),
        private_hidden=bool(words.get("hidden", False)),
        replaced_by=words.get("replaced_by"),
    )


def _establishment(
    words: Words, parent: Words, start: str, close: str | None, day: Dates, place: Callable[[Words], Address]
) -> Establishment:
    began, end = day.needed(words.get("start", start)), day(words.get("end", close))
    return Establishment(
        str(words["number"]),
        str(parent["number"]),
        _denominations(words.get("names", ()), began),
        place(words["at"]),
        began,
        end,
        "AC" if end is None else "ST",
    )


def _denominations(words: Sequence[Sequence[str]], start: str) -> tuple[Denomination, ...]:
    return tuple(Denomination(each[0], each[1], each[2] if len(each) > 2 else "001", start) for each in words)


def title(words: Words) -> Names:
    return Names(nl=str(words["nl"]), fr=str(words["fr"]), de=words.get("de"))
