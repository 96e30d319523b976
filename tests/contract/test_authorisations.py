"""Who may ask what: the authorisations read as a lawyer would, and every purpose's own cases judged by the engine."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from integrator.checks import judge
from integrator.mapping import load_sheets
from integrator.places import parse_yaml, read_yaml
from integrator.policy import compile_policies, expand, members
from integrator.policy.cases import mutants, survivors
from integrator.policy.reading import is_open
from integrator.services import Service, load_services

HOME = Path(__file__).resolve().parents[2]
PURPOSES = sorted((HOME / "policies").glob("*.yaml"))
EACH_PURPOSE = [pytest.param(path, id=path.stem) for path in PURPOSES]


@cache
def read(path: Path) -> Any:
    return read_yaml(path)


@cache
def services() -> Mapping[str, Service]:
    return load_services(HOME / "config" / "services", load_sheets(HOME / "mappings"), sandbox=frozenset())


def organisations() -> Any:
    return read(HOME / "config" / "organisations.yaml")


AUTHORISATIONS = [(path.stem, entry) for path in PURPOSES for entry in read(path)["authorisations"]]
GRANTS = [(entry, grant) for _, entry in AUTHORISATIONS for grant in entry["grants"]]
CASES = [
    pytest.param(path, case, id=f"{path.stem}-{number}")
    for path in PURPOSES
    for number, case in enumerate(read(path)["cases"])
]


def test_no_authorisation_has_expired() -> None:
    today = datetime.now(UTC).date()

    assert [] == [entry["id"] for _, entry in AUTHORISATIONS if entry.get("validUntil", date.max) < today]


def test_no_two_authorisations_bear_one_id_or_one_legal_number() -> None:
    ids = [entry["id"] for _, entry in AUTHORISATIONS]
    numbers = [entry["legal"]["number"] for _, entry in AUTHORISATIONS]

    assert (len(AUTHORISATIONS), len(AUTHORISATIONS)) == (len(set(ids)), len(set(numbers)))


def test_an_authorisation_is_named_after_its_purpose() -> None:
    assert [] == [entry["id"] for purpose, entry in AUTHORISATIONS if entry["id"].partition("@")[0] != purpose]


def test_invented_legal_texts_say_that_they_are_invented() -> None:
    assert [] == [entry["id"] for _, entry in AUTHORISATIONS if "SANDBOX" not in entry["legal"]["number"]]


def test_every_authorisation_is_for_somebody_who_exists() -> None:
    assert all(members(entry["organisations"], organisations()) for _, entry in AUTHORISATIONS)  # raises for a stranger


def test_a_municipality_never_has_what_only_a_cpas_may_see() -> None:
    participants = organisations()["organisations"].values()
    municipal = {one["number"] for one in participants if one["kind"] == "municipality"}
    social = [entry for entry, grant in GRANTS if grant["service"].startswith(("livingWage.", "socialStatus."))]

    assert [] == [entry["id"] for entry in social if municipal & set(members(entry["organisations"], organisations()))]


def test_a_source_that_wants_a_legal_context_is_told_one() -> None:
    asked = {(entry["id"], services()[grant["service"]].source) for entry, grant in GRANTS}
    told = {(entry["id"], source) for _, entry in AUTHORISATIONS for source in entry.get("legalContext", {})}

    assert set() == {(entry, source) for entry, source in asked if source in ("rijksregister", "ksz")} - told


def test_every_service_serves_some_purpose() -> None:
    offered = {path.stem for path in (HOME / "config" / "services").glob("*.yaml")}

    assert offered == {grant["service"] for _, grant in GRANTS}


@pytest.mark.parametrize("path", EACH_PURPOSE)
def test_what_is_granted_exists_and_can_be_asked(path: Path) -> None:
    for grant in (grant for entry in read(path)["authorisations"] for grant in entry["grants"]):
        service = services()[grant["service"]]
        word = "answers" if service.is_composition else "fields"
        assert set() == set(grant[word]) - service.offers, service.name
        assert set() == set(grant["keys"]) - set(service.keys), service.name


@pytest.mark.parametrize("path", EACH_PURPOSE)
def test_an_answer_that_is_granted_has_all_its_parts_granted(path: Path) -> None:
    for entry in read(path)["authorisations"]:
        for grant in entry["grants"]:
            for part in services()[grant["service"]].parts_for(frozenset(grant.get("answers", ()))):
                offers = services()[part.service].offers
                keys_and_fields = [
                    (set(other["keys"]), expand(frozenset(other["fields"]), offers))
                    for other in entry["grants"]
                    if other["service"] == part.service
                ]
                needed = expand(part.fields, offers)
                assert any(part.keys <= keys and needed <= fields for keys, fields in keys_and_fields), part.name


@pytest.mark.parametrize(("path", "case"), CASES)
def test_a_policy_case_is_judged_as_it_says(path: Path, case: Any) -> None:
    policies = compile_policies([(path.name, path.read_bytes())], organisations())

    wanted, got, _ = judge(path.stem, case, policies, services(), organisations(), read(path).get("given"))

    assert wanted == got


@pytest.mark.parametrize("path", EACH_PURPOSE)
def test_no_two_cases_of_a_purpose_say_that_they_show_the_same(path: Path) -> None:
    said = [case["why"] for case in read(path)["cases"]]

    assert sorted(set(said)) == sorted(said)


@pytest.mark.parametrize("path", EACH_PURPOSE)
def test_every_grant_is_proved_by_a_permit_and_by_a_denial(path: Path) -> None:
    data = read(path)
    proved = {(case["ask"]["service"], "deny" if "deny" in case["expect"] else "permit") for case in data["cases"]}
    granted = {grant["service"] for entry in data["authorisations"] for grant in entry["grants"]}

    assert {(service, outcome) for service in granted for outcome in ("permit", "deny")} <= proved


@pytest.mark.parametrize("path", EACH_PURPOSE)
def test_every_purpose_shows_something_it_withholds(path: Path) -> None:
    """Of a message that is handed over whole or not at all there is nothing to withhold: then something that is refused."""
    data = read(path)
    granted = [services()[grant["service"]] for entry in data["authorisations"] for grant in entry["grants"]]
    shown = "deny" if all(service.later is not None for service in granted) else "withheld"

    assert any(shown in case["expect"] for case in data["cases"])


@pytest.mark.parametrize("path", EACH_PURPOSE)
def test_a_text_loosened_by_one_thing_breaks_a_case(path: Path) -> None:
    data = parse_yaml(path.name, path.read_bytes())
    offers = {name: service.offers for name, service in services().items()}
    keys = {name: frozenset(service.keys) for name, service in services().items()}
    directions = {name: service.directions for name, service in services().items()}

    # Who is named cannot be loosened where everybody is: what is read would be refused.
    least = 5 if any(is_open(entry) for entry in data["authorisations"]) else 20
    assert len(list(mutants(data, offers, keys, directions, organisations()))) > least
    assert [] == [(mutant.path, mutant.said) for mutant in survivors(data, offers, keys, directions, organisations())]
