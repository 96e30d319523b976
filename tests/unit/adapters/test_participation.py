"""What a package's rows become, and what cannot be is said before the hub starts."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from integrator import places
from integrator.adapters.intake import Taken
from integrator.adapters.layout import load
from integrator.adapters.participation import faults, participations
from integrator.commands.adapter_run import OverHttp
from integrator.errors import ConfigurationError
from integrator.mapping import load_sheets
from integrator.services import Service, load_services
from tests.unit.adapters import kit

DEPOSIT: dict[str, Any] = {
    "service": "person.reportDifference", "organisation": "cpas-ixelles", "application": "a-package", "purpose": "file_update",
    "keys": {"ssin": "resident", "recipient": {"value": "1992100975"}},
    "content": {"field": {"value": "address"}, "observed": "remark"}, "dossier": "invoice",
}  # fmt: skip


@pytest.fixture(scope="module")
def services() -> dict[str, Service]:
    sheets = load_sheets(places.folder("mappings"))
    return load_services(places.folder("config") / "services", sheets, sandbox=frozenset())


def part(**more: Any) -> Any:
    drop = {"drop": more.pop("drop")} if "drop" in more else {}
    return participations(kit.layout({**kit.DELIMITED, **drop, "deposit": {**DEPOSIT, **more}}))[0]


def test_a_row_becomes_the_body_that_an_application_would_send() -> None:
    row = {"invoice": "F0001", "resident": kit.PEOPLE[0], "amount": Decimal("12.50"), "remark": "moved"}

    assert {
        "ssin": kit.PEOPLE[0], "recipient": "1992100975", "dossierReference": "F0001",
        "content": {"field": "address", "observed": "moved"},
    } == part().body(row)  # fmt: skip


def test_what_a_row_does_not_have_is_left_out_and_an_amount_keeps_its_cents() -> None:
    made = part(content={"field": "amount", "observed": "remark"})

    assert {"field": "12.50"} == made.body({"resident": kit.PEOPLE[0], "amount": Decimal("12.50")})["content"]


def test_a_layout_without_deposit_takes_no_part() -> None:
    assert () == participations(kit.layout(kit.DELIMITED))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"service": "person.get"}, "whose effect is later"),
        ({"keys": {"ssin": "resident"}}, "needs recipient"),
        ({"keys": {**DEPOSIT["keys"], "plate": "remark"}}, "has no plate"),
        ({"content": {"observed": "remark"}}, "needs field"),
        ({"content": {**DEPOSIT["content"], "why": "remark"}}, "has no why"),
        ({"changed": ["address"]}, "has no address"),
        ({"service": "person.announceChange", "keys": {"ssin": "resident"}, "content": {}}, "needs changed"),
        ({"service": "person.changes", "keys": {"ssin": "resident"}, "content": {}}, "whose effect is later"),
    ],
)
def test_a_part_that_the_service_cannot_take_is_told(services: dict[str, Service], wrong: Any, said: str) -> None:
    assert said in " ".join(faults(part(**wrong), services))


def test_an_event_needs_to_say_what_changed_and_nothing_else(services: dict[str, Service]) -> None:
    event = {"service": "person.announceChange", "keys": {"ssin": "resident"}, "content": {}, "changed": ["address"]}

    assert [] == list(faults(part(**event), services))
    assert ["address"] == part(**event).body({"resident": kit.PEOPLE[0]})["changed"]


@pytest.mark.parametrize("pattern", ["../notes.csv", "a/b.csv", ".hidden"])
def test_a_pattern_that_climbs_is_refused(pattern: str) -> None:
    with pytest.raises(ConfigurationError, match="without a path"):
        part(drop={"pattern": pattern})


def test_a_field_that_the_layout_does_not_have_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no field"):
        part(dossier="number")


@pytest.mark.parametrize(
    "path", sorted(places.folder("connectors").glob("*/adapter.yaml")), ids=lambda path: path.parent.name
)
def test_every_package_of_the_collection_fits_its_service(path: Path, services: dict[str, Service]) -> None:
    made = participations(load(path, sandbox=frozenset()))

    assert [] == [wrong for one in made for wrong in faults(one, services)]


def test_a_row_that_says_what_it_is_has_one_key_in_whatever_file_it_stands() -> None:
    row = {"invoice": "F0001", "resident": kit.PEOPLE[0], "remark": "moved"}
    once = part(once=["invoice"])

    assert once.key("a place", row) == once.key("another place", {**row, "remark": "another"})
    assert once.key("a place", row) != once.key("a place", {**row, "invoice": "F0002"})
    assert "a place" == part().key("a place", row)


def test_a_number_of_a_person_makes_no_key() -> None:
    with pytest.raises(ConfigurationError, match=r"deposit\.once"):
        part(once=["resident"])


async def test_a_machine_beside_the_package_sends_the_key_that_the_row_says_and_tells_of_the_row_by_its_place() -> None:
    sent: list[tuple[str, str]] = []

    class Hub:
        def send(self, service: str, key: str, **body: Any) -> None:
            sent.append((key, body["dossierReference"]))

    once = part(once=["invoice"])
    rows = [
        Taken(f"place-{number}", number, {"invoice": f"F000{number}", "resident": kit.PEOPLE[number], "remark": "x"})
        for number in (1, 2)
    ]
    over: Any = OverHttp(once, [Hub()])  # type: ignore[list-item]

    assert {} == await over(rows)
    assert {(once.key("", row.values), row.values["invoice"]) for row in rows} == set(sent)
