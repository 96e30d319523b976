"""Golden cases of the mappings: what a source says, a line of dashes, what it means in canonical words.

All fields of the sheet, with history, facts beside them. `REWRITE_CASES=1 pytest tests/contract/test_mappings.py` writes
what the engine says now into the files: read the difference before you commit it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from integrator.mapping import load_sheets
from integrator.transport.xml import parse

ROOT = Path(__file__).resolve().parents[2]
SHEETS = load_sheets(ROOT / "mappings")
CASES = sorted((ROOT / "mappings").glob("*.cases/*.case"))
DASHES = "\n----------\n"


def meaning(sheet, said: str) -> str:
    document = parse(said.encode(), 5_000_000) if sheet.xml else json.loads(said)
    extracted = sheet.plan(None, history=True).extract(document, {}, lifts=frozenset(sheet.facts))
    facts = {name: value for name, value in extracted.facts.items() if value is not None}
    return json.dumps({"facts": facts, "values": extracted.values}, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.stem}/{path.stem}")
def test_a_document_means_what_its_case_says(path):
    said, _, expected = path.read_text(encoding="utf-8").partition(DASHES)
    got = meaning(SHEETS[path.parent.name.removesuffix(".cases")], said)
    if os.environ.get("REWRITE_CASES"):
        path.write_text(said + DASHES + got, encoding="utf-8")

    assert (got if os.environ.get("REWRITE_CASES") else expected) == got


@pytest.mark.parametrize("name", sorted(SHEETS))
def test_every_field_of_a_sheet_occurs_in_some_case(name):
    """A field that no case holds is a field nobody ever saw arrive."""
    values = [json.loads(path.read_text(encoding="utf-8").partition(DASHES)[2])["values"] for path in CASES if path.parent.name == f"{name}.cases"]

    def names(value, prefix=""):
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                for key, inner in item.items():
                    yield prefix + key
                    yield from names(inner, prefix + key + ".")

    assert set() == SHEETS[name].names - {found for value in values for found in names(value)}
