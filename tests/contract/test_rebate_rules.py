"""The four questions of the reduction for a family with children, as config/services writes them.

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
SERVICE = yaml.safe_load((HOME / "config/services/property.rebate.check.yaml").read_text(encoding="utf-8"))
APPLICANT, PARTNER, CHILD, SECOND = "84651797654", "82710398973", "14620991557", "17682197632"
DOWN, NOTHING = PartAnswer(state="failed"), PartAnswer({"items": []})


def door(number: str = "12", box: str | None = None) -> dict[str, Any]:
    names = {"nl": "Voorbeeldstraat", "fr": "Rue de l’Exemple"}
    place = {"streetName": names, "houseNumber": number, "postCode": "1050", "municipalityCode": "21009"}
    return place | ({"boxNumber": box} if box else {})


def held(right: str = "PP", nature: str = "HOUSE", address: dict[str, Any] | None = None) -> PartAnswer:
    one = {"right": {"code": right}, "nature": {"code": nature}, "address": address or door()}
    return PartAnswer({"items": [one]})


def household(address: dict[str, Any] | None = None, **relations: str) -> PartAnswer:
    people = {"applicant": APPLICANT, "partner": PARTNER, "child": CHILD, "second": SECOND}
    relations = relations or {"applicant": "01", "partner": "02", "child": "03", "second": "03"}
    members = [{"ssin": people[who], "relation": {"code": code}} for who, code in relations.items()]
    return PartAnswer({"address": address or door(), "members": members})


HEALTHY = {"held": held(), "household": household()}
SITUATIONS: list[tuple[str, str, Mapping[str, Any], str]] = [
    ("half_an_owner", "owesTax", {}, "yes"),
    ("usufruct", "owesTax", {"held": held("US")}, "yes"),
    ("bare_owner", "owesTax", {"held": held("NP")}, "no"),
    ("a_right_nobody_listed", "owesTax", {"held": held("??")}, "no"),
    ("no_right", "owesTax", {"held": NOTHING}, "no"),
    ("cadastre_down", "owesTax", {"held": DOWN}, "unknown"),
    ("apartment", "isDwelling", {"held": held(nature="APARTMENT")}, "yes"),
    ("garage", "isDwelling", {"held": held(nature="GARAGE")}, "no"),
    ("what_it_is_without_a_right", "isDwelling", {"held": NOTHING}, "unknown"),
    ("cadastre_down_for_the_nature", "isDwelling", {"held": DOWN}, "unknown"),
    ("at_home", "livesThere", {}, "yes"),
    ("next_door", "livesThere", {"household": household(door("14"))}, "no"),
    ("the_same_box", "livesThere", {"held": held(address=door(box="3")), "household": household(door(box="003"))}, "yes"),
    ("another_box", "livesThere", {"held": held(address=door(box="3")), "household": household(door(box="4"))}, "no"),
    ("box_in_one_register_only", "livesThere", {"held": held(address=door(box="3"))}, "unknown"),
    ("box_in_the_other_register_only", "livesThere", {"household": household(door(box="3"))}, "unknown"),
    ("box_in_one_register_in_another_house", "livesThere", {"held": held(address=door("14", "3"))}, "no"),
    ("address_may_not_be_communicated", "livesThere",
     {"household": PartAnswer({"members": [{"ssin": APPLICANT}]}, withheld=("address",))}, "unknown"),
    ("ksz_down", "livesThere", {"household": DOWN}, "unknown"),
    ("two_children", "hasChildren", {}, "yes"),
    ("one_child", "hasChildren", {"household": household(applicant="01", child="03")}, "no"),
    ("a_stepchild_counts", "hasChildren", {"household": household(partner="01", applicant="02", child="03", second="13")}, "yes"),
    ("lives_with_parents_and_a_brother", "hasChildren", {"household": household(partner="01", applicant="03", child="03")}, "unknown"),
    ("ksz_down_for_the_children", "hasChildren", {"household": DOWN}, "unknown"),
    ("cadastre_down_and_the_children_known", "hasChildren", {"held": DOWN}, "yes"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "parts", "expected"), [one[1:] for one in SITUATIONS], ids=[one[0] for one in SITUATIONS])  # fmt: skip
def test_each_question_in_each_situation(code: str, parts: Mapping[str, Any], expected: str) -> None:
    check = next(check for check in SERVICE["checks"] if check["code"] == code)
    keys = {"ssin": APPLICANT, "parcelId": "21809A0012/00B000P0000", "taxYear": 2026}
    scope = Scope(keys, SERVICE["parameters"], "2026-11-23", {**HEALTHY, **parts})
    needed = all(compile_rule(need["rule"])(scope) is True for need in check.get("needs", ()))

    assert expected == (word(compile_rule(check["rule"])(scope)) if needed else "unknown")


def test_no_part_hides_a_field_of_what_another_one_answers() -> None:
    """Inside `where` the name of a part comes before that of a field: a part called `right` made every owner a stranger."""
    fields = {field.partition(".")[0] for part in SERVICE["parts"].values() for field in part["fields"]}

    assert set() == fields & set(SERVICE["parts"])
