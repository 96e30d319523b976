"""`integrator adapter`: a person with a sample gets a layout that reads it; a person with a bad file reads what to mend."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
import yaml

from integrator.checks import check as check_collection
from integrator.cli import main
from tests.unit.adapters import kit

CSV = f"Facture;NISS;Montant;Date;Remarque\r\nF0001;{kit.PEOPLE[0]};12,50;01/11/2026;\r\nF0002;{kit.PEOPLE[1]};3,00;02/11/2026;Été\r\n"


@pytest.mark.parametrize(
    ("content", "kinds"),
    [
        (CSV.encode("cp1252"), ["text", "ssin", "decimal", "date", "text"]),
        (CSV.encode("utf-8"), ["text", "ssin", "decimal", "date", "text"]),
        (b"A001  20261101   120\r\nA002  20261102     7\r\nA003  20261103 10000\r\n", ["text", "date", "integer"]),
        (kit.workbook([["Ann", "02/11/2026", "7,60"], ["Bob", "03/11/2026", "8,00"]]), ["text", "date", "decimal"]),
    ],
    ids=["cp1252 with semicolons", "utf-8 with semicolons", "fixed width", "workbook"],
)
def test_the_proposed_layout_reads_the_sample_it_was_made_of(
    home: Path, tmp_path: Path, content: bytes, kinds: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    sample = tmp_path / "sample"
    sample.write_bytes(content)

    assert 0 == main(["adapter", "init", "newcomer", "--sample", str(sample)])
    capsys.readouterr()
    assert 0 == main(["adapter", "check", "newcomer", str(sample), "--json"])

    report = json.loads(capsys.readouterr().out)
    fields = yaml.safe_load((home / "connectors/newcomer/adapter.yaml").read_text())["fields"]
    assert (report["rows"], 0) == (report["good"], report["bad"])
    assert kinds == [one["type"] for one in fields.values()]


def test_a_proposal_holds_no_value_of_the_sample_and_passes_the_collection_s_check(home: Path, tmp_path: Path) -> None:
    sample = tmp_path / "sample"
    sample.write_bytes(CSV.encode())

    main(["adapter", "init", "newcomer", "--sample", str(sample)])

    written = (home / "connectors/newcomer/adapter.yaml").read_text()
    assert not any(value in written for value in (*kit.PEOPLE, "F0001", "12,50", "Été"))
    assert [] == [one for one in check_collection(home, date(2026, 11, 23)) if "newcomer" in one.file]


def test_a_proposal_does_not_write_over_what_somebody_wrote(home: Path, tmp_path: Path) -> None:
    sample = tmp_path / "sample"
    sample.write_bytes(CSV.encode())
    main(["adapter", "init", "newcomer", "--sample", str(sample)])

    assert 1 == main(["adapter", "init", "newcomer", "--sample", str(sample)])


def test_what_is_wrong_is_shown_by_place_and_reason_never_by_value(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample, bad = tmp_path / "sample", tmp_path / "bad"
    sample.write_bytes(CSV.encode())
    main(["adapter", "init", "newcomer", "--sample", str(sample)])
    bad.write_bytes(CSV.replace("12,50", "12.50").encode())
    capsys.readouterr()

    assert 1 == main(["adapter", "check", "newcomer", str(bad)])

    shown = capsys.readouterr().out
    assert "NOT_A_NUMBER" in shown
    assert "montant" in shown
    assert "12.50" not in shown


def test_a_layout_that_describes_no_file_is_found_by_the_collection_s_check(home: Path) -> None:
    room = home / "connectors" / "crooked"
    room.mkdir()
    room.joinpath("adapter.yaml").write_text(
        "adapter: crooked\nformat: {kind: fixed, length: 4}\nfields: {a: {at: 1, length: 3}, b: {at: 3, length: 2}}\n"
    )

    assert any("over its neighbour" in one.message for one in check_collection(home, date(2026, 11, 23)))
