"""A schema that refuses nothing proves nothing: one wound at a time in a healthy file, and it no longer fits."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

HOME = Path(__file__).resolve().parents[2]
Wound = Callable[[Any], None]


def cut(path: str) -> Wound:
    def wound(data: Any) -> None:
        holder, last = reach(data, path)
        del holder[last]

    return wound


def put(path: str, value: Any) -> Wound:
    def wound(data: Any) -> None:
        holder, last = reach(data, path)
        holder[last] = value

    return wound


def reach(data: Any, path: str) -> tuple[Any, str]:
    *way, last = path.split("/")
    for name in way:
        data = data[int(name)] if isinstance(data, list) else data[name]
    return data, last


PERSON, ALIVE = "config/services/person.get.yaml", "config/services/person.lifeStatus.yaml"
LICENCE, TAX = "config/services/person.drivingLicence.yaml", "policies/local_tax.yaml"
BODIES, GENDER, SETTINGS = "config/organisations.yaml", "mappings/codes/gender.yaml", "config/defaults.yaml"
GRANT = "authorisations/0/grants/0"

WOUNDS: list[tuple[str, str, str, Wound]] = [
    ("service_without_french", "service", PERSON, cut("title/fr")),
    ("service_without_mapping", "service", PERSON, cut("mapping")),
    ("service_with_an_extension_in_its_route", "service", PERSON, put("route", "GET /person/v1/persons/{ssin}.json")),
    ("service_with_a_key_of_a_kind_nobody_knows", "service", PERSON, put("keys/ssin/type", "passport")),
    ("rule_word_unknown", "service", ALIVE, put("checks/0/rule", {"seems": "person.deathDate"})),
    ("rule_with_two_words", "service", ALIVE, put("checks/0/rule", {"absent": "a", "present": "b"})),
    ("composition_that_also_has_a_source", "service", ALIVE, put("source", "rijksregister")),
    ("composition_without_checks", "service", ALIVE, cut("checks")),
    ("enum_without_values", "service", LICENCE, cut("keys/category/values")),
    ("purpose_without_words_for_the_citizen", "purpose", TAX, cut("why")),
    ("purpose_without_legal_text", "purpose", TAX, cut("authorisations/0/legal")),
    ("purpose_without_cases", "purpose", TAX, cut("cases")),
    ("retention_for_ever", "purpose", TAX, put("retention", "ever")),
    ("grant_without_fields", "purpose", TAX, cut(f"{GRANT}/fields")),
    ("grant_of_everything", "purpose", TAX, put(f"{GRANT}/fields", ["*"])),
    ("grant_that_lifts_what_nobody_knows", "purpose", TAX, put(f"{GRANT}/lifts", ["everything"])),
    ("grant_of_a_negative_past", "purpose", TAX, put(f"{GRANT}/historyYears", -1)),
    ("validity_that_is_no_date", "purpose", TAX, put("authorisations/0/validUntil", "2029")),
    ("case_without_why", "purpose", TAX, cut("cases/0/why")),
    ("case_that_permits_and_denies", "purpose", TAX, put("cases/0/expect/deny", "EXPIRED")),
    ("denial_for_a_reason_nobody_knows", "purpose", TAX, put("cases/0/expect", {"deny": "BECAUSE"})),
    ("organisation_number_of_nine_digits", "organisations", BODIES, put("organisations/jette/number", "199210101")),
    ("municipality_without_territory", "organisations", BODIES, cut("organisations/jette/municipality")),
    ("code_without_dutch", "codes", GENDER, cut("codes/1/nl")),
    ("code_list_whose_facts_come_from_nowhere", "codes", GENDER, cut("source")),
    ("world_between_sandbox_and_production", "settings", SETTINGS, put("mode", "acceptance")),
    ("setting_nobody_knows", "settings", SETTINGS, put("allowAll", True)),
]


@pytest.mark.parametrize(("kind", "file", "wound"), [pytest.param(*rest, id=name) for name, *rest in WOUNDS])
def test_a_wounded_file_does_not_fit_its_schema(kind: str, file: str, wound: Wound) -> None:
    schema = json.loads((HOME / "config" / "schema" / f"{kind}.schema.json").read_text(encoding="utf-8"))
    healthy = json.loads(json.dumps(yaml.safe_load((HOME / file).read_text(encoding="utf-8")), default=str))
    data = copy.deepcopy(healthy)

    wound(data)

    assert (True, False) == tuple(Draft202012Validator(schema).is_valid(one) for one in (healthy, data))
