"""Rows that are questions: answered once each, wherever it stops; what nobody knows is asked again, and never a no."""

from __future__ import annotations

import copy
import hmac
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from integrator.adapters.asking import asking, faults, of_answer
from integrator.adapters.book import Book
from integrator.adapters.drops import Drop
from integrator.adapters.inquiry import Inquiry, Said
from integrator.adapters.intake import Intake, Stopped, key_of
from integrator.adapters.posts import Outgoing, Post
from integrator.adapters.questions import Questions
from integrator.adapters.serving import Serving
from integrator.adapters.shelves import Folder
from integrator.database import Database
from integrator.errors import ConfigurationError
from tests.unit.adapters import kit
from tests.unit.audit.kit import ENGINES, engine_url

DATA: dict[str, Any] = {
    "adapter": "register",
    "format": {"kind": "delimited", "encoding": "utf-8", "separator": ";"},
    "drop": {"settleSeconds": 0},
    "fields": {
        "card": {"column": "Carte", "required": True, "pattern": "C\\d"},
        "holder": {"column": "NISS", "type": "ssin", "required": True},
        "street": {"column": "Rue"}, "house": {"column": "Nr"},
    },
    "key": ["card"],
    "ask": {
        "service": "card.check", "organisation": "ixelles", "application": "a-register", "purpose": "renewal",
        "keys": {"ssin": "holder", "address": {"street": "street", "house": "house"}, "kind": {"value": "B"}}, "dossier": "card",
        "again": {"afterSeconds": 10, "untilDays": 1},
        "answers": {
            "format": {"kind": "delimited", "encoding": "utf-8", "separator": ";", "lineEnd": "lf"},
            "fields": {
                "card": {"column": "Carte", "required": True},
                "task": {"column": "Suite", "type": "code", "codes": {"RENEW": "yes", "LETTER": "no", "LOOK": "unknown"}, "required": True},
                "why": {"column": "Pourquoi", "max": 20},
            },
            "rows": {"card": "row.card", "task": "answer.eligible", "why": "reason"},
        },
    },
}  # fmt: skip
SERVICE: Any = SimpleNamespace(
    later=None, is_open=False, needs_dossier=True, checks=(SimpleNamespace(code="alive"),), answer_name="eligible", offers=frozenset(),
    keys={name: SimpleNamespace(required=name != "kind") for name in ("ssin", "address", "kind")},
)  # fmt: skip
YES, NO = Said("answered", {"eligible": "yes"}), Said("answered", {"eligible": "no"})
UNKNOWN = Said("unknown", {"eligible": "unknown"}, "SOURCE_UNAVAILABLE")


class PowerCut(Exception):
    """The process ends here."""


class Hub:
    """Answers by card; what it was asked is kept."""

    def __init__(self) -> None:
        self.says: dict[str, Any] = {}
        self.asked: list[Mapping[str, Any]] = []

    async def __call__(self, body: Mapping[str, Any]) -> Said:
        self.asked.append(body)
        said = self.says.get(body["dossierReference"], YES)
        if isinstance(said, Exception):
            raise said
        made: Said = said
        return made


def tagged(use: str, text: str) -> str:
    return hmac.digest(b"only the hub has it", f"{use} {text}".encode(), "sha256").hex()


class Package:
    """A register with its folder, its post, and a clock that somebody moves."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.folder, self.hub, self.now, self.files = database, folder, Hub(), 1000.0, 0
        self.start()

    def start(self) -> None:
        """What a process that was killed leaves is all that the next one knows."""
        layout = kit.layout(DATA)
        part = asking(layout, sandbox=kit.SANDBOX)
        assert part is not None

        def turned(_use: str, text: str) -> str:
            return text[::-1]

        inquiry = Inquiry(part, layout.key, self.database, self.hub, seal=turned, unseal=turned, tag=tagged, now=lambda: self.now)
        intake = Intake(layout, self.database, inquiry, seal=turned, unseal=turned, now=lambda: self.now)
        drop = Drop(self.folder, settle=0.0)
        self.serving = Serving(part.answers, part.out, Folder(self.folder / "out"), self.database, inquiry.fetch, turned, lambda: self.now)  # fmt: skip
        outgoing = Outgoing("register", drop, self.serving, lambda *_, **__: None)

        async def answers() -> None:
            await inquiry.turn()
            await outgoing.turn()

        self.post = Post("register", drop, intake, self.database, lambda: self.now, lambda *_, **__: None, then=answers)

    def drop(self, *rows: str) -> None:
        self.files += 1
        (self.folder / "in").mkdir(parents=True, exist_ok=True)
        (self.folder / "in" / f"f{self.files}.csv").write_text("\n".join(["Carte;NISS;Rue;Nr", *rows, ""]))

    async def turn(self) -> None:
        async with self.post.manned():
            await self.post.turn()  # sees the file
            await self.post.turn()  # which stood still

    def lines(self) -> list[str]:
        """Rows of all files that the package found, without headings."""
        found = sorted((self.folder / "out").glob("register-*"))
        return [line for path in found for line in path.read_text().splitlines()[1:]]

    def waiting(self) -> list[str]:
        rows = self.database.now(lambda c: Book(c).waiting("register"))
        return [reason for row in rows for _, reason in row.reasons]

    def open(self) -> int:
        return self.database.now(lambda c: Questions(c, "register").open())


def row(card: str, person: int = 0) -> str:
    return f"{card};{kit.PEOPLE[person]};Dorpsstraat;3"


@pytest.fixture(params=ENGINES)
def package(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Package]:
    with engine_url(request.param, tmp_path) as url:
        database = Database(url, "adapters")
        yield Package(database, tmp_path / "folder")
        database.close()


async def test_each_row_is_asked_as_the_yaml_says_and_answered_in_a_file(package: Package) -> None:
    package.hub.says["C2"] = NO
    package.drop(row("C1"), row("C2", 1))
    await package.turn()
    asked = next(one for one in package.hub.asked if one["dossierReference"] == "C1")
    address = {"street": "Dorpsstraat", "house": "3"}

    assert {"ssin": kit.PEOPLE[0], "address": address, "kind": "B", "dossierReference": "C1"} == asked
    assert ["C1;RENEW;", "C2;LETTER;"] == sorted(package.lines())


async def test_the_same_card_in_the_file_of_the_next_night_is_not_asked_again(package: Package) -> None:
    package.drop(row("C1"))
    await package.turn()
    package.drop(row("C1"), row("C2"))
    await package.turn()

    assert ["C1", "C2"] == [one["dossierReference"] for one in package.hub.asked]
    assert ["C1;RENEW;", "C2;RENEW;"] == package.lines()


async def test_the_same_card_with_another_holder_waits_for_a_person(package: Package) -> None:
    package.drop(row("C1"))
    await package.turn()
    package.drop(row("C1", 1))
    await package.turn()

    assert (1, ["KEY_REUSED"]) == (len(package.hub.asked), package.waiting())


async def test_while_nobody_knows_there_is_no_row_and_then_the_answer(package: Package) -> None:
    package.hub.says["C1"] = UNKNOWN
    package.drop(row("C1"))
    await package.turn()
    before = (package.lines(), package.open(), package.waiting())
    await package.turn()  # not due yet
    asked = len(package.hub.asked)
    package.now += 11
    package.hub.says["C1"] = NO
    await package.turn()

    assert ([], 1, []) == before
    assert (1, ["C1;LETTER;"], 0) == (asked, package.lines(), package.open())


async def test_when_its_time_is_over_the_row_says_that_nobody_knows_and_why(package: Package) -> None:
    package.hub.says["C1"] = UNKNOWN
    package.drop(row("C1"))
    await package.turn()
    package.now += 86_401
    await package.turn()

    assert ["C1;LOOK;SOURCE_UNAVAILABLE"] == package.lines()


async def test_an_authorisation_that_ended_meanwhile_says_nothing_about_anybody(package: Package) -> None:
    package.hub.says["C1"] = UNKNOWN
    package.drop(row("C1"))
    await package.turn()
    package.hub.says["C1"] = Said("refused", {"eligible": "unknown"}, "EXPIRED")
    package.now += 11
    await package.turn()
    before = package.lines()
    package.now += 86_401
    await package.turn()

    assert ([], ["C1;LOOK;EXPIRED"]) == (before, package.lines())


async def test_a_row_that_may_not_be_asked_waits_and_the_others_go_on(package: Package) -> None:
    package.hub.says["C1"] = Said("refused", {}, "NO_AUTHORISATION")
    package.drop(row("C1"), row("C2"))
    await package.turn()

    assert (["NO_AUTHORISATION"], ["C2;RENEW;"]) == (package.waiting(), package.lines())


async def test_a_hub_that_cannot_go_on_keeps_the_file_and_repeats_no_answer(package: Package) -> None:
    package.hub.says["C2"] = PowerCut()
    package.drop(row("C1"), row("C2"))
    with pytest.raises(Stopped):
        await package.turn()
    del package.hub.says["C2"]
    package.start()
    await package.turn()

    assert ["C1;RENEW;", "C2;RENEW;"] == sorted(package.lines())
    assert 1 == sum(one["dossierReference"] == "C1" for one in package.hub.asked)


@pytest.mark.parametrize("step", ["aside", "place"])
@pytest.mark.parametrize("late", [False, True], ids=["before_it", "after_it"])
async def test_power_that_goes_while_the_file_is_written_repeats_no_row(
    package: Package, monkeypatch: pytest.MonkeyPatch, step: str, late: bool
) -> None:
    whole = getattr(Folder, step)

    async def cut(self: Folder, *told: Any) -> None:
        if late:
            await whole(self, *told)
        raise PowerCut

    package.drop(row("C1"), row("C2"))
    monkeypatch.setattr(Folder, step, cut)
    with pytest.raises(PowerCut):
        await package.turn()
    monkeypatch.setattr(Folder, step, whole)
    package.start()
    await package.turn()
    package.drop(row("C3"))
    await package.turn()

    assert ["C1;RENEW;", "C2;RENEW;", "C3;RENEW;"] == sorted(package.lines())


async def test_what_was_asked_and_answered_is_gone_when_the_package_has_it(package: Package) -> None:
    package.drop(row("C1"))
    await package.turn()
    package.drop(row("C2"))
    await package.turn()
    await package.turn()
    query = sa.text("SELECT * FROM adapter_question")
    kept = package.database.now(lambda c: c.execute(query).mappings().all())

    assert [("", "", "told")] * 2 == [(one["row"], one["answer"], one["state"]) for one in kept]
    assert kit.PEOPLE[0] not in json.dumps([dict(one) for one in kept])


async def test_who_reads_the_table_cannot_try_numbers_until_one_fits(package: Package) -> None:
    package.drop(row("C1"))
    await package.turn()
    query = sa.text("SELECT id, digest FROM adapter_question")
    [(id_, digest)] = package.database.now(lambda c: c.execute(query).all())
    asked = {"card": "C1", "holder": kit.PEOPLE[0], "street": "Dorpsstraat", "house": "3"}

    assert tagged("adapter row", json.dumps(asked, sort_keys=True)) == digest
    assert key_of("register", tagged("adapter key", '["C1"]'), 0) == id_


def test_of_a_composition_only_yes_no_and_unknown_are_told() -> None:
    body = {"eligible": "no", "checks": [{"code": "alive", "result": "no", "source": "rijksregister", "ms": 3.0}]}

    assert (True, {"eligible": "no", "alive": "no"}) == of_answer(SERVICE, body)
    assert (False, {"eligible": "unknown"}) == of_answer(SERVICE, {"checks": []})


def changed(**more: Any) -> dict[str, Any]:
    data = copy.deepcopy(DATA)
    data["ask"] |= more
    return data


def test_an_adapter_whose_questions_fit_has_no_fault() -> None:
    part = asking(kit.layout(DATA), sandbox=kit.SANDBOX)
    assert part is not None

    assert [] == list(faults(part, {"card.check": SERVICE}))


@pytest.mark.parametrize(("more", "word"), [
    ({"service": "nowhere"}, "answers at once"), ({"keys": {"ssin": "holder"}}, "needs address"),
    ({"keys": {**DATA["ask"]["keys"], "colour": "card"}}, "has no colour"),
    ({"answers": {**DATA["ask"]["answers"], "rows": {"card": "row.card", "task": "answer.birthDate"}}}, "has no answer.birthDate"),
], ids=["no_such_service", "a_key_missing", "an_unknown_key", "a_field_of_a_source"])  # fmt: skip
def test_what_does_not_fit_the_service_is_said_by_the_check(more: dict[str, Any], word: str) -> None:
    part = asking(kit.layout(changed(**more)), sandbox=kit.SANDBOX)
    assert part is not None

    assert word in " ".join(faults(part, {"card.check": SERVICE}))


@pytest.mark.parametrize("data", [
    changed(keys={"ssin": "nobody"}), changed(answers={**DATA["ask"]["answers"], "rows": {"card": "row.nobody"}}),
    {**DATA, "deliver": {"service": "x"}},
], ids=["a_field_that_is_none", "an_answer_of_a_field_that_is_none", "asks_and_is_delivered_to"])  # fmt: skip
def test_what_contradicts_itself_is_refused_at_the_start(data: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        asking(kit.layout(data), sandbox=kit.SANDBOX)
