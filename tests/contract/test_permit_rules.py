"""The five questions of the parking plan, as config/services writes them, in the situations that break software.

Nothing is asked of anybody: the rules are compiled from the service's file and given what the parts would have said.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from integrator.rules import compile_rule, word
from integrator.scope import PartAnswer, Scope

HOME = Path(__file__).resolve().parents[2]
SERVICE = yaml.safe_load(
    (HOME / "config/services/parking.residentPermit.checkEligibility.yaml").read_text(encoding="utf-8")
)
APPLICANT, PARTNER, NEIGHBOUR = "84651797654", "82710398973", "90651300312"
DOWN, NOBODY = PartAnswer(state="failed"), PartAnswer(state="notFound")
Answers = Mapping[str, Any]


def home(box: str | None = None, number: str = "12", street: str = "Rue de l'Exemple") -> dict[str, Any]:
    place = {"streetName": street, "houseNumber": number, "postCode": "1050", "municipalityCode": "21009"}
    return place | ({"boxNumber": box} if box else {})


def best(*places: dict[str, Any]) -> PartAnswer:
    names = {"nl": "Voorbeeldstraat", "fr": "Rue de l’Exemple"}
    return PartAnswer({"items": [place | {"streetName": names} for place in places]})


def plate(status: str = "REG", **holder: Any) -> PartAnswer:
    return PartAnswer({"items": [{"status": {"code": status}, "holder": holder}]})


def licence(category: str = "B", **more: Any) -> PartAnswer:
    return PartAnswer({"drivingLicenses": [{"category": category, "startDate": "2004-07-01", **more}]})


def household(address: dict[str, Any], *others: str) -> PartAnswer:
    return PartAnswer({"address": address, "members": [{"ssin": ssin} for ssin in (APPLICANT, *others)]})


HEALTHY: dict[str, Any] = {
    "person": licence(),
    "household": household(home(), PARTNER),
    "place": best(home()),
    "registration": plate(ssin=APPLICANT),
    "titular": PartAnswer(),  # not asked: no enterprise holds the plate
    "cards": PartAnswer({"count": 1}),
}
LEASED = {"registration": plate(enterpriseNumber="1992100975", isLeaseCompany=True)}
COMPANY = {"registration": plate(enterpriseNumber="1992100975")}


def driver(ssin: str) -> dict[str, Any]:
    return {"titular": PartAnswer({"driver": {"ssin": ssin}})}


def ask(code: str, parts: Answers, *, box: str | None = None, **parameters: Any) -> str:
    """yes, no or unknown for one check; a need that is not met makes it unknown, as the exchange does."""
    check = next(check for check in SERVICE["checks"] if check["code"] == code)
    address = {"postCode": "1050", "streetName": "Voorbeeldstraat", "houseNumber": "12"}
    keys = {"ssin": APPLICANT, "plateNumber": "1ABC123", "address": address | ({"boxNumber": box} if box else {})}
    scope = Scope(keys, SERVICE["parameters"] | parameters, "2026-11-23", {**HEALTHY, **parts})
    if any(compile_rule(need["rule"])(scope) is not True for need in check.get("needs", ())):
        return "unknown"
    return word(compile_rule(check["rule"])(scope))


SITUATIONS: list[tuple[str, str, Answers, str]] = [
    ("lives_there", "livesAtAddress", {}, "yes"),
    ("moved_yesterday", "livesAtAddress", {"household": household(home(number="14"))}, "no"),
    ("struck_off_without_address", "livesAtAddress", {"household": PartAnswer({"members": []})}, "no"),
    ("person_nobody_knows", "livesAtAddress", {"household": NOBODY}, "no"),
    ("ksz_down", "livesAtAddress", {"household": DOWN}, "unknown"),
    ("best_down", "livesAtAddress", {"place": DOWN}, "unknown"),
    ("typing_slip_in_the_street", "livesAtAddress", {"place": PartAnswer({"items": []})}, "unknown"),
    ("address_may_not_be_communicated", "livesAtAddress",
     {"household": PartAnswer({"members": [{"ssin": APPLICANT}]}, withheld=("address",))}, "unknown"),
    ("street_known_in_the_other_language", "livesAtAddress",
     {"household": household(home(street="VOORBEELDSTRAAT"))}, "yes"),
    ("tower_asked_without_box", "livesAtAddress",
     {"household": household(home(box="77")), "place": best(home(box="1"), home(box="2"))}, "yes"),
    ("tower_of_somebody_else_asked_without_box", "livesAtAddress",
     {"place": PartAnswer({"items": [home(box="1", number="200")]}, state="incomplete")}, "no"),
    ("holder_is_the_applicant", "vehicleRegistered", {}, "yes"),
    ("holder_is_the_partner", "vehicleRegistered", {"registration": plate(ssin=PARTNER)}, "yes"),
    ("holder_is_a_neighbour", "vehicleRegistered", {"registration": plate(ssin=NEIGHBOUR)}, "no"),
    ("holder_is_the_applicant_and_ksz_down", "vehicleRegistered", {"household": DOWN}, "yes"),
    ("holder_is_the_partner_and_ksz_down", "vehicleRegistered",
     {"registration": plate(ssin=PARTNER), "household": DOWN}, "unknown"),
    ("plate_nobody_knows", "vehicleRegistered", {"registration": PartAnswer({"items": []})}, "no"),
    ("plate_deregistered", "vehicleRegistered", {"registration": plate("XXX", ssin=APPLICANT)}, "no"),
    ("div_down", "vehicleRegistered", {"registration": DOWN, "titular": DOWN}, "unknown"),
    ("leased_and_driven_by_the_applicant", "vehicleRegistered", LEASED | driver(APPLICANT), "yes"),
    ("leased_and_driven_by_a_neighbour", "vehicleRegistered", LEASED | driver(NEIGHBOUR), "no"),
    ("leased_and_nobody_declared_as_driver", "vehicleRegistered", LEASED | {"titular": NOBODY}, "no"),
    ("leased_and_titular_down", "vehicleRegistered", LEASED | {"titular": DOWN}, "unknown"),
    ("company_car_of_the_applicant", "vehicleRegistered", COMPANY | driver(APPLICANT), "yes"),
    ("company_car_of_a_colleague", "vehicleRegistered", COMPANY | driver(NEIGHBOUR), "no"),
    ("licence_valid", "holdsValidLicence", {}, "yes"),
    ("licence_withdrawn", "holdsValidLicence", {"person": licence(withdrawal={"date": "2026-01-05"})}, "no"),
    ("licence_withdrawn_without_a_date", "holdsValidLicence", {"person": licence(withdrawal={"reason": "x"})}, "no"),
    ("licence_withdrawn_from_next_month", "holdsValidLicence",
     {"person": licence(withdrawal={"date": "2026-12-24"})}, "yes"),
    ("licence_withdrawn_some_day_this_year", "holdsValidLicence",
     {"person": licence(withdrawal={"date": "2026-00-00"})}, "unknown"),
    ("licence_for_a_motorcycle_only", "holdsValidLicence", {"person": licence("A")}, "no"),
    ("licence_for_a_lorry", "holdsValidLicence", {"person": licence("CE")}, "yes"),
    ("licence_that_starts_tomorrow", "holdsValidLicence", {"person": licence(startDate="2026-11-24")}, "no"),
    ("licence_of_which_only_the_year_is_known", "holdsValidLicence",
     {"person": licence(startDate="1981-00-00")}, "yes"),
    ("no_licence", "holdsValidLicence", {"person": PartAnswer()}, "no"),
    ("rijksregister_down_for_the_licence", "holdsValidLicence", {"person": DOWN}, "unknown"),
    ("alive", "alive", {}, "yes"),
    ("deceased", "alive", {"person": PartAnswer({"deathDate": "2024-03-01"})}, "no"),
    ("deceased_in_a_year_only", "alive", {"person": PartAnswer({"deathDate": "2024-00-00"})}, "no"),
    ("nobody_is_alive_by_not_existing", "alive", {"person": NOBODY}, "unknown"),
    ("rijksregister_down", "alive", {"person": DOWN}, "unknown"),
    ("death_withheld_by_the_source", "alive", {"person": PartAnswer(withheld=("deathDate",))}, "unknown"),
    ("one_card_of_two", "cardsBelowLimit", {}, "yes"),
    ("cards_at_the_limit", "cardsBelowLimit", {"cards": PartAnswer({"count": 2})}, "no"),
    ("no_card_yet", "cardsBelowLimit", {"cards": PartAnswer({"count": 0})}, "yes"),
    ("card_register_unreadable", "cardsBelowLimit", {"cards": DOWN}, "unknown"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "parts", "expected"), [pytest.param(*rest, id=name) for name, *rest in SITUATIONS])
def test_a_question_of_the_permit(code: str, parts: Answers, expected: str) -> None:
    assert expected == ask(code, parts)


def test_the_box_that_was_asked_for_must_be_the_right_one() -> None:
    tower = {"household": household(home(box="77")), "place": best(home(box="1"))}

    assert ask("livesAtAddress", tower, box="1") == "no"


def test_box_numbers_are_the_same_however_they_are_written() -> None:
    tower = {"household": household(home(box="0003")), "place": best(home(box="bus 3"))}

    assert ask("livesAtAddress", tower, box="3") == "yes"


def test_a_municipality_that_gives_no_cards_for_company_cars_says_so_in_data() -> None:
    allowed = ["applicant", "householdMember", "leaseDriver"]

    assert ask("vehicleRegistered", COMPANY | driver(APPLICANT), allowedHolders=allowed) == "no"


def test_the_number_of_cards_is_a_parameter() -> None:
    assert ask("cardsBelowLimit", {"cards": PartAnswer({"count": 2})}, maxCardsPerAddress=3) == "yes"


@pytest.mark.parametrize(
    ("registration", "expected"), [(plate(ssin=NEIGHBOUR), "no"), (LEASED["registration"], "yes"), (DOWN, "unknown")]
)
def test_the_driver_is_only_asked_when_an_enterprise_holds_the_plate(registration: PartAnswer, expected: str) -> None:
    scope = Scope({}, SERVICE["parameters"], "2026-11-23", {"registration": registration})

    assert word(compile_rule(SERVICE["parts"]["titular"]["when"])(scope)) == expected
