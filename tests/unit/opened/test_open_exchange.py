"""What the open door can reach, by construction: each test tries to reach a person through it."""

from __future__ import annotations

import ast
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from integrator import cli, places, registry
from integrator.contract import Question, Reply
from integrator.errors import ConfigurationError, SourceFault
from integrator.mapping import load_sheets
from integrator.opened.exchange import OnlyOpen, open_operations, open_services
from integrator.policy import compile_policies
from integrator.services import load_services
from integrator.settings import organisations

ROOT = Path(__file__).resolve().parents[3]
MANIFESTS = registry.manifests(places.folder("connectors"))
SERVICES = load_services(
    places.folder("config") / "services", load_sheets(places.folder("mappings")), sandbox=frozenset()
)
PERSONAL = ("rijksregister", "ksz", "div", "parking_cards")
POLICY = (places.folder("policies") / "open_data.yaml").read_bytes()


class Source:
    """A connector that remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def ask(self, question: Question) -> Reply:
        self.asked.append(question.operation)
        return Reply({})

    async def check(self) -> None:
        self.asked.append("check")


def question(operation: str) -> Question:
    return Question(operation, {}, frozenset(), False, "t", "1970001407", "", 0.0)


@pytest.mark.parametrize("source", PERSONAL)
def test_a_source_of_persons_has_no_open_operation(source):
    assert frozenset() == open_operations(MANIFESTS[source])


def test_what_says_nothing_about_persons_is_taken_for_personal():
    silent = replace(
        MANIFESTS["best"], operations={"address": {"keys": []}, "odd": {"personal": None}, "zero": {"personal": 0}}
    )

    assert frozenset() == open_operations(silent)


async def test_an_operation_that_is_not_open_is_not_handed_on():
    source = Source()
    with pytest.raises(SourceFault):
        await OnlyOpen("kbo", source, open_operations(MANIFESTS["kbo"])).ask(question("read_enterprise"))

    assert [] == source.asked


async def test_an_open_operation_is():
    source = Source()
    await OnlyOpen("kbo", source, open_operations(MANIFESTS["kbo"])).ask(question("read_legal_person"))

    assert ["read_legal_person"] == source.asked


def opened(name: str, **changed: object) -> dict:
    """A collection in which this service says `open: true`."""
    one = replace(SERVICES[name], is_open=True, name=f"open.{name.replace('.', '')}", method="GET", **changed)
    return {one.name: one}


@pytest.mark.parametrize(
    "name",
    ["person.get", "household.get", "livingWage.get", "vehicle.titular", "parking.cards.count", "enterprise.get",
     "enterprise.search", "directory.list", "parking.residentPermit.checkEligibility", "person.changes"],
)  # fmt: skip
def test_a_hub_with_a_personal_service_at_the_open_door_does_not_start(name):
    with pytest.raises(ConfigurationError):
        open_services(opened(name), MANIFESTS)


def test_a_key_that_leads_to_a_person_is_enough_to_refuse(monkeypatch):
    with_number = {**SERVICES["open.address"].keys, "owner": SERVICES["person.get"].keys["ssin"]}

    with pytest.raises(ConfigurationError, match="leads to a person"):
        open_services({"open.address": replace(SERVICES["open.address"], keys=with_number)}, MANIFESTS)


def test_a_closed_service_cannot_take_an_open_name():
    with pytest.raises(ConfigurationError, match="only what is open"):
        open_services({"open.x": replace(SERVICES["person.get"], name="open.x")}, MANIFESTS)


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"open.municipalities, keys: []", b"person.get, keys: []"), (b"[anyone]", b"[anyone, ixelles]"), (b"[anyone]", b"[ixelles]"),
     (b"[anyone]", b'["1970001407", "0207373429"]')],
    ids=["a person for anybody", "anybody and a municipality", "what is open for one", "by number"],
)  # fmt: skip
def test_a_text_that_mixes_anybody_with_somebody_is_refused_when_it_is_read(old, new):
    assert old in POLICY
    with pytest.raises(ConfigurationError):
        compile_policies([("open_data.yaml", POLICY.replace(old, new, 1))], organisations())


@pytest.mark.parametrize("module", ["opened", "opened_forms", "turnstile"])
def test_the_door_itself_holds_nothing_of_the_hub_but_the_open_hands(module):
    """It is given `door`; a `hub`, an exchange or an identity in its source would be another way in."""
    tree = ast.parse((ROOT / f"integrator/api/{module}.py").read_text(encoding="utf-8"))
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}

    assert set() == {"hub", "Hub", "exchange", "identity", "consoles", "directory"} & (names | attributes)


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("config/services/open.address.yaml", "operation: address\n", "operation: read_enterprise\n", None),
        ("connectors/best/connector.yaml", "personal: false", "personal: true", "personal: false"),
        ("config/open/catalog.yaml", "open.streets", "open.roads", "open.roads"),
        ("config/indicators/homeless_files.yaml", "version: 1", "version: 2", "versions"),
        ("connectors/welfare_csv/indicators.yaml", "package: welfare_csv", "package: other", "indicators.yaml"),
    ],
    ids=["another operation", "a source that turns personal", "a data set of nothing", "a version left out", "another package"],
)  # fmt: skip
def test_the_check_says_what_would_keep_the_hub_from_starting(tmp_path, monkeypatch, capsys, file, old, new, said):
    for room in ("config", "connectors", "mappings", "policies"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__", "local.yaml"))
    text = (tmp_path / file).read_text(encoding="utf-8")
    assert old in text
    (tmp_path / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    monkeypatch.setenv("INTEGRATOR_HOME", str(tmp_path))

    assert 1 == cli.main(["check"])
    assert said is None or said in capsys.readouterr().out
