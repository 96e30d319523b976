"""The Region asks how many people have a living wage; three centres count by themselves, one says nothing."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from integrator import settings as settings_module
from integrator.commands import indicator
from tests.flows.ledgers import Book
from tests.flows.sandboxes import Callers

ROOT = Path(__file__).resolve().parents[2]
CENTRES = {"cpas-anderlecht": "welfare_csv", "cpas-evere": "welfare_fixed", "cpas-ixelles": "welfare_xml"}
NUMBERS = {
    "cpas-anderlecht": "1982100176",
    "cpas-brussels": "1982100473",
    "cpas-evere": "1982100671",
    "cpas-ixelles": "1982100968",
}
OCTOBER = {"indicator": "living_wage_persons", "period": "2026-10"}


@pytest.fixture
def hand_in(hub, hub_settings, monkeypatch, tmp_path):
    """What an operator of a centre types, with the file of the centre's own package."""
    monkeypatch.setattr(settings_module, "load", lambda local=None: hub_settings)

    def typed(
        centre: str,
        package: str,
        *,
        period: str = "2026-10",
        name: str = "living_wage_persons",
        change=lambda data: data,
    ) -> int:
        [file] = [
            path for path in (ROOT / "connectors" / package / "cases").glob("october.*") if path.suffix != ".json"
        ]
        (tmp_path / package).write_bytes(change(file.read_bytes()))
        parser = argparse.ArgumentParser()
        indicator.add(parser.add_subparsers())
        words = ["indicator", "hand-in", str(tmp_path / package), "--adapter", package, "--indicator", name]
        chosen = parser.parse_args([*words, "--period", period, "--organisation", centre])
        return int(chosen.run(chosen) or 0)

    return typed


def ask(doors: Callers, question: dict, **more):
    return doors.ask(
        "statistics.indicator",
        question,
        purpose="policy_statistics",
        organisation=more.get("organisation", "regional-planning"),
    )


def test_one_figure_of_packages_that_differ_and_the_missing_one_is_named(hand_in, doors: Callers, ledger: Book, capsys):
    for centre, package in CENTRES.items():
        assert 0 == hand_in(centre, package)
    start = ledger.size()
    answer = ask(doors, OCTOBER)
    found = {one["organisation"]: one for one in answer.body["organisations"]}

    assert 200 == answer.status, answer.payload
    assert {NUMBERS[centre]: 40 for centre in CENTRES} == {
        number: one["value"] for number, one in found.items() if one["state"] == "known"
    }
    assert ("unknown", "MISSING") == (
        found[NUMBERS["cpas-brussels"]]["state"],
        found[NUMBERS["cpas-brussels"]]["reason"],
    )
    assert ({"state": "unknown", "knownTogether": 120}, False) == (answer.body["total"], answer.body["isComplete"])
    assert "groups" not in str(answer.body["organisations"])  # ages by centre are not granted
    assert ["intent", "outcome"] == [one["type"] for one in ledger.since(start)]
    assert "handed in: living_wage_persons of 2026-10: 40" in capsys.readouterr().out


def test_nobody_else_may_ask_and_it_is_recorded(doors: Callers, ledger: Book):
    start = ledger.size()

    assert 403 == ask(doors, OCTOBER, organisation="ixelles").status
    assert ["denied"] == [one["type"] for one in ledger.since(start)]


def test_the_purpose_of_figures_opens_no_person(doors: Callers):
    asked = {"ssin": "84651797654", "dossierReference": "X-1"}

    assert (
        403 == doors.ask("livingWage.get", asked, purpose="policy_statistics", organisation="regional-planning").status
    )


def test_a_month_of_which_nobody_gave_anything_is_not_zero(doors: Callers):
    answer = ask(doors, {**OCTOBER, "period": "2026-03"})

    assert 503 == answer.status
    assert int(answer.headers["retry-after"]) > 0


def test_a_small_figure_never_leaves_the_centre(hand_in, doors: Callers, hub):
    assert 0 == hand_in("cpas-ixelles", "welfare_xml", name="homeless_files")  # six of them
    answer = ask(doors, {"indicator": "homeless_files", "period": "2026-10"})
    mine = next(one for one in answer.body["organisations"] if one["organisation"] == NUMBERS["cpas-ixelles"])
    [left] = (hub.state / "statistics" / NUMBERS["cpas-ixelles"]).glob("homeless_files.*")

    assert {"organisation": NUMBERS["cpas-ixelles"], "state": "suppressed"} == mine
    assert b'"figures": {}' in left.read_bytes()


def test_a_half_written_file_hands_in_nothing(hand_in, hub):
    from integrator.adapters.findings import FileRefused

    with pytest.raises(FileRefused):
        hand_in("cpas-evere", "welfare_fixed", name="debt_mediation_files", change=lambda data: data[: len(data) // 2])

    assert [] == list((hub.state / "statistics").rglob("debt_mediation_files.*"))


def test_nothing_that_is_handed_in_holds_a_number_of_a_person(hand_in, hub):
    hand_in("cpas-anderlecht", "welfare_csv", period="2026-11")
    case = (ROOT / "connectors/welfare_csv/cases/october.csv").read_text(encoding="utf-8")
    numbers = {line.split(";")[1] for line in case.splitlines() if line.startswith("D0")}
    left = "".join(path.read_text() for path in (hub.state / "statistics").rglob("*.json"))

    assert len(numbers) > 50
    assert [] == [number for number in numbers if number in left]


def test_another_version_of_the_definition_is_said_to_be_none_of_that_month(doors: Callers):
    assert 502 == ask(doors, {**OCTOBER, "version": 2}).status
