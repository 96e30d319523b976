"""Everything that matters is data: these tests read the data rooms as one collection, the way a careful clerk would.

Schemas and names here; what schemas refuse in test_wounded_data.py; who may ask what in test_authorisations.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from stdnum.be import vat

from integrator.directory import OWN
from integrator.keytypes import compile_key, ssin_world
from integrator.mapping import load_sheets
from integrator.places import read_yaml
from integrator.policy import expand, members
from integrator.services import Service, load_services

HOME = Path(__file__).resolve().parents[2]
KINDS = {
    "config/services/*.yaml": "service",
    "policies/*.yaml": "purpose",
    "config/organisations.yaml": "organisations",
    "config/directory.yaml": "directory",
    "mappings/codes/*.yaml": "codes",
    "mappings/*.yaml": "mapping",
    "connectors/*/connector.yaml": "connector",
    "connectors/*/cases/*.yaml": "case",
    "config/defaults.yaml": "settings",
    "config/indicators/*.yaml": "indicator",
    "config/open/*.yaml": "opencatalog",
    "connectors/*/indicators.yaml": "words",
}
FILES = [(path, kind) for pattern, kind in KINDS.items() for path in sorted(HOME.glob(pattern))]
NAMED = [
    ("config/services/*.yaml", "service"),
    ("policies/*.yaml", "purpose"),
    ("mappings/*.yaml", "mapping"),
    ("mappings/codes/*.yaml", "list"),
]
LANGUAGES = {"nl", "fr", "en"}


@cache
def read(path: Path) -> Any:
    return read_yaml(path)


@cache
def schema(kind: str) -> Draft202012Validator:
    data = json.loads((HOME / "config" / "schema" / f"{kind}.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(data)
    return Draft202012Validator(data)


@cache
def services() -> Mapping[str, Service]:
    return load_services(HOME / "config" / "services", load_sheets(HOME / "mappings"), sandbox=frozenset())


def rooms(pattern: str) -> list[Path]:
    return sorted(HOME.glob(pattern))


def by_name(paths: list[Path]) -> list[Any]:
    return [pytest.param(path, id=path.stem) for path in paths]


def participants() -> dict[str, Any]:
    found: dict[str, Any] = read(HOME / "config" / "organisations.yaml")["organisations"]
    return found


# --- every file -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "kind"), [pytest.param(path, kind, id=path.relative_to(HOME).as_posix()) for path, kind in FILES]
)
def test_every_data_file_fits_its_schema(path: Path, kind: str) -> None:
    plain = json.loads(json.dumps(read(path), default=str))  # dates as the text they were written as

    assert [] == [f"{list(error.absolute_path)}: {error.message}" for error in schema(kind).iter_errors(plain)]


@pytest.mark.parametrize(("pattern", "word"), NAMED)
def test_a_file_is_called_what_it_says_it_is(pattern: str, word: str) -> None:
    assert [path.stem for path in rooms(pattern)] == [read(path)[word] for path in rooms(pattern)]


def test_a_connector_is_called_after_its_folder() -> None:
    manifests = rooms("connectors/*/connector.yaml")

    assert [path.parent.name for path in manifests] == [read(path)["connector"] for path in manifests]


def test_an_editor_finds_the_schema_that_the_first_line_names() -> None:
    for path, kind in FILES:
        _, marker, named = path.read_text(encoding="utf-8").partition("\n")[0].partition("$schema=")
        if marker:
            assert HOME / "config" / "schema" / f"{kind}.schema.json" == (path.parent / named).resolve()


def test_whatever_people_read_is_there_in_dutch_french_and_english() -> None:
    read_by_people = [path for path, kind in FILES if kind not in ("settings", "mapping", "case")]

    assert [] == [(path.name, where) for path in read_by_people for where in lacking(read(path))]


def lacking(value: Any, where: str = "") -> Iterator[str]:
    """Places where a text is not in all three languages."""
    if isinstance(value, dict):
        if value and set(value) <= LANGUAGES | {"de"} and not set(value) >= LANGUAGES:
            yield where
        for name, inner in value.items():
            yield from lacking(inner, f"{where}/{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from lacking(inner, where)


def test_no_data_file_holds_the_number_of_a_person_who_could_exist() -> None:
    known = {str(number) for number in read(HOME / "config" / "defaults.yaml")["namedNumbers"]}
    texts = [path.read_text(encoding="utf-8") for path, kind in FILES if kind not in ("case", "settings")]
    found = {number for text in texts for number in re.findall(r"(?<!\d)\d{11}(?!\d)", text)}

    assert {"test"} == {ssin_world(number) for number in found - known}


# --- participants -----------------------------------------------------------------------------------------------------


def test_every_participant_has_a_number_of_its_own_with_fitting_check_digits() -> None:
    numbers = [one["number"] for one in participants().values()]

    assert len(set(numbers)) == len(numbers)
    assert [] == [number for number in numbers if int(number[8:]) != 97 - int(number[:8]) % 97]
    assert vat.is_valid("0207373429")  # the arithmetic above is the one of python-stdnum


@pytest.mark.parametrize("kind", ["municipality", "cpas"])
def test_all_nineteen_territories_have_a_municipality_and_a_cpas_of_their_own(kind: str) -> None:
    homes = sorted(one["municipality"] for one in participants().values() if one["kind"] == kind)

    assert [str(nis) for nis in range(21001, 21020)] == homes


def test_groups_name_participants_only() -> None:
    data = read(HOME / "config" / "organisations.yaml")

    assert all(members(group, data) for group in data["groups"].values())  # raises for a name nobody has


def test_the_territories_of_participants_have_a_name() -> None:
    known = set(read(HOME / "mappings" / "codes" / "municipality.yaml")["codes"])

    assert {one["municipality"] for one in participants().values() if "municipality" in one} <= known


def test_the_ksz_knows_each_participant_by_the_place_that_its_entry_says() -> None:
    ksz = read(HOME / "config" / "defaults.yaml")["sources"]["ksz"]
    others = {"sector": ksz["sector"], "institution": ksz["institution"]}
    bodies = [one for one in participants().values() if one["kind"] != "public"]  # nobody in particular stands nowhere
    told = {one["number"]: ksz["members"].get(one["number"], others) for one in bodies}

    assert {one["number"]: {word: one[word] for word in others} for one in bodies} == told


# --- services, mappings, code lists -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", by_name(rooms("config/services/*.yaml")))
def test_the_examples_of_a_service_are_accepted_by_it(path: Path) -> None:
    for name, spec in examples(read(path)["keys"]):
        compile_key(name, spec, sandbox=frozenset()).read(spec["example"], f"/{name}")  # raises when refused


def examples(keys: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, spec in keys.items():
        if "example" in spec:
            yield name, spec
        yield from examples(spec.get("properties", {}))


@pytest.mark.parametrize("path", by_name([path for path in rooms("config/services/*.yaml") if "parts" in read(path)]))
def test_a_rule_looks_only_at_fields_its_part_was_asked_for(path: Path) -> None:
    data = read(path)
    for written in filter(None, words(data["checks"]) | words(data["parts"])):
        part, *path = [name for name in written.split(".") if not name.isdigit()]
        if part in data["parts"] and path:
            assert ".".join(path) in visible(data["parts"][part]), written


def visible(part: Mapping[str, Any]) -> set[str]:
    """Every path a rule may write behind this part's name."""
    service = services()[part["service"]]
    asked = expand(frozenset(part["fields"]), service.offers)
    prefix = [service.list_name] if service.list_name else []
    paths = [[*prefix, *name.split(".")] for name in asked]
    return {".".join(path[:depth]) for path in paths for depth in range(1, len(path) + 1)}


def words(value: Any) -> set[str]:
    """All texts that stand as operands in rules and bindings."""
    if isinstance(value, dict):
        kept = [inner for name, inner in value.items() if name not in ("title", "service", "fields", "value")]
        return set().union(*map(words, kept))
    if isinstance(value, list):
        return set().union(*map(words, value))
    return {value} if isinstance(value, str) else set()


@pytest.mark.parametrize("path", by_name(rooms("mappings/*.yaml")))
def test_a_mapping_names_code_lists_that_exist(path: Path) -> None:
    assert set() == set(code_lists(read(path))) - {known.stem for known in rooms("mappings/codes/*.yaml")}


def code_lists(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "code" and isinstance(inner, str):
                yield inner
            else:
                yield from code_lists(inner)


def test_every_source_in_use_is_reached_by_the_settings_and_no_other() -> None:
    used = {read(path)["source"] for path in rooms("config/services/*.yaml") if "source" in read(path)}

    assert used - OWN == set(read(HOME / "config" / "defaults.yaml")["sources"])
