"""`integrator check` finds each wound in a copy of the collection, and names its file and line."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from integrator.checks import check

ROOT = Path(__file__).resolve().parents[2]
TODAY = date(2026, 11, 23)


@pytest.fixture
def home(tmp_path):
    for room in ("config", "policies", "mappings", "connectors"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_the_collection_as_it_is_has_nothing_to_mend(home):
    assert [] == [str(finding) for finding in check(home, TODAY)]


WOUNDS = {
    "a grant of a service nobody offers": ("policies/local_tax.yaml", "service: person.get", "service: person.gets", "no service"),
    "a field the service does not have": ("policies/local_tax.yaml", "familyName", "shoeSize", "offers no 'shoeSize'"),
    "an authorisation that ended": ("policies/local_tax.yaml", "validUntil: 20", "validUntil: 19", "ended on"),
    "a missing translation": ("config/services/person.get.yaml", "  fr: ", "  xx: ", "title"),
    "a mapping of a source that is no room": ("mappings/kbo_enterprise.yaml", "source: kbo", "source: kbo2", "kbo2"),
    "an unknown reader": ("mappings/kbo_enterprise.yaml", "read: date", "read: dat3", "dat3"),
    "a rule word nobody knows": ("config/services/person.lifeStatus.yaml", "absent:", "absnt:", "absnt"),
    "a part that hides a field of an element": ("config/services/property.rebate.check.yaml", "parts:\n", "parts:\n  right: {service: person.get, with: {ssin: $ssin}, fields: [deathDate]}\n", "reads the part right and hides its field right"),
    "a package that deposits what its organisation may only receive": ("connectors/osiris_works/adapter.yaml", "organisation: regional-mobility", "organisation: parking-agency", "road_works@2026-2 says only `as: [receiver]`"),
    "a package that is told of what its organisation may only send": ("connectors/parking_bans/adapter.yaml", "organisation: parking-agency", "organisation: regional-mobility", "road_works@2026-1 says only `as: [sender]`"),
    "no YAML at all": ("policies/local_tax.yaml", "purpose: local_tax", "purpose: [local_tax", "not YAML"),
    "a quality without words": ("config/directory.yaml", '"*": ["0",', '"*": ["7777",', "no code '7777'"),
    "a quality of a code list nobody has": ("config/directory.yaml", "codes: cbss_quality", "codes: qualities", "no code list"),
    "an operation the directory does not have": ("mappings/directory_list.yaml", "operation: list", "operation: dump", "dump"),
    "a manifest of another folder": ("connectors/kbo/connector.yaml", "connector: kbo", "connector: obk", "folder"),
}


@pytest.mark.parametrize("wound", WOUNDS)
def test_a_wound_is_found_with_file_and_line(home, wound):
    name, good, bad, words = WOUNDS[wound]
    path = home / name
    text = path.read_text(encoding="utf-8")
    assert good in text
    path.write_text(text.replace(good, bad, 1), encoding="utf-8")

    findings = [finding for finding in check(home, TODAY) if finding.severity == "error"]

    assert any(words in str(finding) and Path(name).name in finding.file and finding.line >= 1 for finding in findings), findings


def test_an_authorisation_about_to_end_is_a_warning(home):
    path = home / "policies" / "local_tax.yaml"
    text = path.read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if "validUntil:" in line)
    path.write_text(text.replace(line, line.split("validUntil:")[0] + "validUntil: 2026-12-31"), encoding="utf-8")

    assert {"warning"} == {finding.severity for finding in check(home, TODAY)}


def test_a_case_that_the_engine_denies_is_named_by_its_line(home):
    path = home / "policies" / "local_tax.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("deny: ", "deny: NOT_THE_", 1), encoding="utf-8")
    findings = check(home, TODAY)

    assert findings and findings[0].line > 1
