"""`integrator check` and packages: who does what its organisation was granted in the other direction only is named."""

from __future__ import annotations

from typing import Any

import pytest

from integrator import places
from integrator.checks_packages import of_package
from integrator.mapping import load_sheets
from integrator.services import Service, load_services
from tests.unit.adapters import kit
from tests.unit.delivery.kit import SENDER as OFFICE
from tests.unit.delivery.kit import policies

PART = {"organisation": "office", "application": "a-package", "purpose": "school"}
MESSAGE, EVENT, CHANGE = "person.reportDifference", "person.changes", "person.announceChange"
INQUIRY, LETTER, NOTICE = "residence.investigation.request", "mailbox.letter", "vehicle.holder.notify"
ROWS = {"deliver": {"rows": {"invoice": "id"}}, "deposit": {}}
WAYS: dict[str, tuple[str, dict[str, Any], str, str]] = {  # what the package does -> (word, more of it, service decided on, direction)
    "hands in a message": ("deposit", {"service": MESSAGE}, MESSAGE, "sender"),
    "announces a change": ("deposit", {"service": CHANGE, "changed": ["address"]}, CHANGE, "sender"),
    "answers a message": ("deposit", {"service": INQUIRY, "answers": "invoice"}, INQUIRY, "receiver"),
    "answers a relay's letter, and so the notice": ("deposit", {"service": LETTER, "answers": "invoice"}, NOTICE, "receiver"),
    "is told of messages": ("deliver", {"service": MESSAGE}, MESSAGE, "receiver"),
    "is told of changes": ("deliver", {"service": EVENT}, EVENT, "receiver"),
    "is told of a relay's letters": ("deliver", {"service": LETTER}, LETTER, "receiver"),
    "reads what was answered to its messages": ("deliver", {"service": INQUIRY, "answers": True}, INQUIRY, "sender"),
}


@pytest.fixture(scope="module")
def services() -> dict[str, Service]:
    return load_services(places.folder("config") / "services", load_sheets(places.folder("mappings")), sandbox=frozenset())


def said(services: dict[str, Service], data: dict[str, Any], *grants: dict[str, Any], number: str = OFFICE) -> list[tuple[str, Any]]:
    """About direction and service alone: what a part lacks beside is tried elsewhere."""
    layout = kit.layout({**kit.DELIMITED, **data})
    texts = policies([*grants, grant("payroll.book", "sender")], [number])
    found = of_package(layout, services, texts, {"organisations": {"office": {"number": OFFICE}}})
    return [(one, place) for one, place in found if " needs " not in one and " has no " not in one]


def grant(service: str, *directions: str) -> dict[str, Any]:
    return {"service": service, "as": list(directions), "keys": ["ssin"], "fields": ["field"]}


@pytest.mark.parametrize("way", WAYS)
def test_a_package_that_does_what_its_organisation_is_granted_the_other_way_only_is_named(services: Any, way: str) -> None:
    word, more, service, direction = WAYS[way]
    other = {"sender": "receiver", "receiver": "sender"}[direction]
    [(words, place)] = said(services, {word: {**PART, **ROWS[word], **more}}, grant(service, other))

    assert word == place[0] and words.startswith(f"{word}: office "), words
    assert f"takes `as: [{direction}]`, and school@1 says only `as: [{other}]`" in words and service in words


@pytest.mark.parametrize("way", WAYS)
def test_a_package_that_does_what_its_organisation_is_granted_is_not(services: Any, way: str) -> None:
    word, more, service, direction = WAYS[way]

    assert [] == said(services, {word: {**PART, **ROWS[word], **more}}, grant(service, direction))
    assert [] == said(services, {word: {**PART, **ROWS[word], **more}}, grant(service, "sender", "receiver"))


@pytest.mark.parametrize("way", WAYS)
def test_a_package_whose_organisation_is_granted_nothing_of_it_is_named(services: Any, way: str) -> None:
    word, more, service, direction = WAYS[way]
    [(words, _)] = said(services, {word: {**PART, **ROWS[word], **more}})

    assert f"{service} for school, which takes `as: [{direction}]`, and no authorisation grants it" in words


def test_two_texts_that_grant_one_direction_each_are_enough_together_and_another_s_text_never_is(services: Any) -> None:
    part = {"deposit": {**PART, "service": MESSAGE}}

    assert [] == said(services, part, grant(MESSAGE, "receiver"), grant(MESSAGE, "sender"))
    assert [("deposit", 0)] == [place for _, place in said(services, part, grant(MESSAGE, "sender"), number="0207000109")]


def test_of_several_effects_of_one_file_each_is_held_against_its_own_text(services: Any) -> None:
    gather = {"by": ["invoice"], "sums": {"amount": {"of": "amount"}}}
    parts = [{**PART, "service": one, "gather": gather} for one in (MESSAGE, INQUIRY)]
    found = said(services, {"deposit": parts}, grant(MESSAGE, "sender"), grant(INQUIRY, "receiver"))

    assert [("deposit", 1)] == [place for _, place in found]


@pytest.mark.parametrize("service", ["person.get", "person.nothing"])
def test_a_package_that_would_be_told_of_what_is_not_delivered_is_named(services: Any, service: str) -> None:
    [(words, place)] = said(services, {"deliver": {**PART, **ROWS["deliver"], "service": service}}, grant(MESSAGE, "receiver"))

    assert f"deliver.service: no service '{service}' that is delivered" == words and ("deliver",) == place


@pytest.mark.parametrize(
    ("changed", "words"),
    [({"organisation": "nobody"}, "deliver.organisation: nobody in"), ({"purpose": "nothing"}, "deliver.purpose: no such file in")],
)
def test_a_package_that_is_told_for_an_organisation_or_a_purpose_that_is_not_there_is_named(services: Any, changed: Any, words: str) -> None:
    found = said(services, {"deliver": {**PART, **ROWS["deliver"], "service": MESSAGE, **changed}}, grant(MESSAGE, "receiver"))

    assert 1 == len(found) and found[0][0].startswith(words)
