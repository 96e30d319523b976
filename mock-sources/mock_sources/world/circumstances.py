"""Circumstances of one derived person, each from a few random bits: origin, papers, help. `people` tells them whole."""

from __future__ import annotations

from datetime import date

from mock_sources.world.blocks import SEATS, SLOTS, YEAR
from mock_sources.world.facts import Coded, Integration, Licence, LivingWage, Residence
from mock_sources.world.families import COUNTRY_LABELS, HORIZON, Family
from mock_sources.world.identifiers import enterprise_number
from mock_sources.world.municipalities import TERRITORIES, public_body_first_eight

_BIRTHPLACES = (
    *((territory.municipality.nis, territory.municipality.names.fr) for territory in TERRITORIES),
    ("11002", "Antwerpen"),
    ("44021", "Gent"),
    ("62063", "Liège"),
    ("92094", "Namur"),
    ("24062", "Leuven"),
    ("12025", "Mechelen"),
    ("52011", "Charleroi"),
    ("53053", "Mons"),
    ("31005", "Brugge"),
    ("25072", "Nivelles"),
)
_WAGE_KINDS = ("young single", "single", "divorced", "parent and child", "parent and two", "parent and three")


def text(day: int) -> str:
    """`YYYY-MM-DD` of a proleptic ordinal."""
    return date.fromordinal(day).isoformat()


def licences(driven: tuple[str, ...], papers: int, born: int) -> tuple[Licence, ...]:
    """Two adults in three may drive; of those who hold or drive a vehicle (`driven`: its categories) nearly all."""
    if papers % 100 >= (97 if driven else 66):
        return ()
    adult = born + round(18 * YEAR)
    since = adult + papers // 100 % max(min(HORIZON - adult, 2500), 1)
    withdrawn = text(HORIZON - 1 - papers % 700) if papers // 7 % 97 == 0 and since < HORIZON - 700 else None
    number = f"{papers % 10**9 + 10**9:010d}"
    categories = ("AM", "B", "A") if "L3e" in driven else ("AM", "B", "C") if papers % 23 == 0 else ("AM", "B")
    return tuple(
        Licence(category, text(since), number, withdrawn, "01" if withdrawn else None) for category in categories
    )


def living_wage(slot: int, family: Family, draw: int, born: int) -> tuple[LivingWage, ...]:
    """A few in a hundred of those under 65 who live alone or raise children alone, one in a hundred of the others."""
    chair = SLOTS[slot]
    likely = 9 if family.kind.name in _WAGE_KINDS else 1
    if not chair.adult or draw % 100 >= likely or born + round(65 * YEAR) < HORIZON:
        return ()
    start = max(HORIZON - 60 - draw // 100 % 2500, born + round(18 * YEAR))
    end = None if draw // 7 % 10 < 6 else text(start + (HORIZON - start) * (draw % 90 + 5) // 100)
    category = "1" if likely == 1 else "2" if len(SEATS[family.house]) == 1 else "3"
    cpas = enterprise_number(public_body_first_eight(TERRITORIES[family.quarter].municipality.nis, "412"))
    return (LivingWage(cpas, text(start), end, category),)


def elsewhere(fate: str, began: int, family: Family, moves: int) -> Residence:
    if fate == "abroad":
        country = family.origin if family.origin != "150" else ("111", "129", "103", "109")[moves % 4]
        return Residence("abroad", None, country, COUNTRY_LABELS[country], text(began))
    return Residence("struck_off", None, None, None, text(began))


def birth_place(family: Family, origin: int, code: str) -> tuple[str, str]:
    if family.origin != "150" and code != "03" and origin % 100 < 80:
        return family.origin, COUNTRY_LABELS[family.origin]
    return _BIRTHPLACES[origin // 100 % len(_BIRTHPLACES)]


def nationalities(family: Family, origin: int, born: int, arrived: int, code: str) -> tuple[Coded, ...]:
    if family.origin == "150" or (code == "02" and origin // 7 % 100 < 20):
        return (Coded("150", text(born)),)
    first = born if code == "03" else max(born, arrived)
    if origin // 11 % 100 < 30 and HORIZON - first > 2000:
        became = first + 1800 + origin // 100 % (HORIZON - first - 1800)
        return Coded("150", text(became)), Coded(family.origin, text(first), text(became))
    return (Coded(family.origin, text(first)),)


def registers(nationalities: tuple[Coded, ...]) -> tuple[Coded, ...]:
    """IT210: Belgians in the population register (2), others in the foreigners' register (1)."""
    return tuple(Coded("2" if held.code == "150" else "1", held.start, held.end) for held in nationalities)


def statuses(wages: tuple[LivingWage, ...], draw: int, born: int) -> frozenset[str]:
    paid = bool(wages) and wages[0].end is None
    old = born + round(66 * YEAR) < HORIZON
    found = {"livingWage"} if paid else set()
    if old and draw // 13 % 100 < 12:
        found.add("incomeGuaranteeElderly")
    if not old and draw // 17 % 100 < 3:
        found |= {"disabilityAllowance", "disabilityRecognition"}
    if found or draw // 19 % 100 < 8:
        found.add("increasedReimbursement")
    if "increasedReimbursement" in found and draw // 23 % 100 < 30:
        found.add("heatingAllowance")
    return frozenset(found)


_FILED = "2021-01-01"
_SINCE_2021 = (Integration(65, 0, 0, _FILED), Integration(17, 1, 1, _FILED))
_HOUSED = Integration(48, 0, 0, "2022-01-01")


def integrations(wages: tuple[LivingWage, ...], papers: int) -> tuple[Integration, ...]:
    """Who keeps a file: the Region (65.0) and the OCMW (17.1) about fifteen people in sixteen, a housing company (48.0)
    about one in three; the OCMW in quality 2 about who gets or got a living wage."""
    if not wages and papers // 3 % 16 == 0:
        return ()
    paid = tuple(Integration(17, 1, 2, wage.start, wage.end) for wage in wages)
    return _SINCE_2021 + paid + ((_HOUSED,) if papers // 5 % 3 == 0 else ())
