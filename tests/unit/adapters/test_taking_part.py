"""Rows go through the one way: what is wrong with a row makes it wait, what is wrong with the hub stops the file there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from integrator.adapters import posts
from integrator.adapters.book import Book
from integrator.adapters.intake import Intake, Stopped, Taken
from integrator.adapters.participation import participations
from integrator.database import Database
from integrator.errors import ConfigurationError, LedgerUnwritable
from integrator.logs import redact
from integrator.taking_part import HandsIn
from tests.unit.adapters import kit
from tests.unit.audit.kit import ENGINES, engine_url
from tests.unit.delivery.kit import SENDER, House, kinds, policies

DATA: dict[str, Any] = {
    **kit.DELIMITED,
    "deposit": {
        "service": "person.declare", "organisation": SENDER, "application": "a-package", "purpose": "school",
        "keys": {"ssin": "resident"}, "content": {"field": "remark"}, "dossier": "invoice",
    },
}  # fmt: skip


@pytest.fixture(params=ENGINES)
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    with engine_url(request.param, tmp_path) as url:
        opened = House(url, tmp_path)
        yield opened
        opened.close()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path}/adapters.db", "adapters")
    yield opened
    opened.close()


class Package:
    """A package enrolled at a hub of a few lines, and its file."""

    def __init__(self, house: House, database: Database, folder: Path) -> None:
        self.house, self.database, self.file = house, database, folder / "file.csv"
        self.enrolled = [
            SimpleNamespace(id="a-1", name="a-package", organisation=SENDER, disabled=False, purposes={"school"})
        ]
        dispatch = SimpleNamespace(outbox=house.outbox, wake=lambda: None)
        applications = SimpleNamespace(all=lambda: self.enrolled)
        self.hub: Any = SimpleNamespace(
            services=house.services, dispatch=dispatch, identity=SimpleNamespace(applications=applications)
        )
        self.may(policies())

    def may(self, allowed: Any) -> None:
        self.house.may(allowed)
        self.hub.exchange = self.house.exchange

    async def take(self, rows: int = 3, batch: int = 500) -> Any:
        head = "Facture;NISS;Montant;Remarque"
        lines = [f"F{number:04};{kit.PEOPLE[number % 3]};;remark {number}" for number in range(1, rows + 1)]
        self.file.write_bytes("\r\n".join([head, *lines, ""]).encode())
        layout = kit.layout(DATA)
        (part,) = participations(layout)
        turned = lambda use, text: text[::-1]
        effect = HandsIn(self.hub, part, SENDER)
        intake = Intake(layout, self.database, effect, seal=turned, unseal=turned, now=self.house.clock, batch=batch)
        return await intake.take(self.file)

    def waiting(self) -> list[tuple[int, str]]:
        rows = self.database.now(lambda c: Book(c).waiting("resthome"))
        return [(one.number, one.reasons[0][1]) for one in rows]

    async def accepted(self) -> int:
        return sum(count for count, _ in (await self.house.outbox.counts()).values())


@pytest.fixture
def package(house: House, database: Database, tmp_path: Path) -> Package:
    return Package(house, database, tmp_path)


async def test_each_row_is_an_exchange_of_its_own_with_its_entries(package: Package) -> None:
    result = await package.take(3)

    assert ("done", 3, 3) == (result.state, result.file.good, await package.accepted())
    assert ["intent"] * 3 + ["outcome"] * 3 == sorted(kinds(package.house.ledger))


async def test_what_no_authorisation_allows_is_recorded_and_waits_with_the_reason(package: Package) -> None:
    package.may(policies(grants=[{"service": "person.report", "as": ["sender", "receiver"], "keys": ["ssin", "recipient"], "fields": ["field"]}]))

    result = await package.take(2)

    assert ("done", 0, 2, 0) == (result.state, result.file.good, result.file.bad, await package.accepted())
    assert [(1, "SERVICE_NOT_GRANTED"), (2, "SERVICE_NOT_GRANTED")] == package.waiting()
    assert ["denied", "denied"] == kinds(package.house.ledger)


async def test_a_ledger_that_cannot_be_written_stops_the_file_and_nothing_waits(
    package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(type(package.house.exchange), "accept", _unwritable)
        with pytest.raises(Stopped) as stopped:
            await package.take(3)
    before = await package.accepted()

    result = await package.take(3)

    assert isinstance(stopped.value.__cause__, LedgerUnwritable)
    assert (0, [], "done", 3) == (before, package.waiting(), result.state, result.file.good)


async def _unwritable(*_: Any) -> Any:
    raise LedgerUnwritable


async def test_a_package_that_is_disabled_hands_nothing_in_from_then_on(package: Package) -> None:
    package.enrolled[0].disabled = True

    with pytest.raises(Stopped) as stopped:
        await package.take(3)

    assert isinstance(stopped.value.__cause__, ConfigurationError)
    assert ([], 0, []) == (kinds(package.house.ledger), await package.accepted(), package.waiting())


async def test_an_application_of_another_organisation_is_not_the_package_s(package: Package) -> None:
    package.enrolled[0].organisation = "0207000109"

    with pytest.raises(Stopped):
        await package.take(1)

    assert 0 == await package.accepted()


class Limited:
    """Settles so many rows, then a limit is reached."""

    def __init__(self, rows: int) -> None:
        self.left, self.seen = rows, list[int]()

    async def __call__(self, rows: Sequence[Taken]) -> None:
        done = rows[: self.left]
        self.seen += [one.number for one in done]
        self.left -= len(done)
        if len(done) < len(rows):
            raise Stopped(frozenset(one.key for one in done), {})


async def test_what_was_settled_before_a_limit_is_not_handed_in_again(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "payroll.txt"
    rows = [kit.fixed_row(kit.PEOPLE[0], f"N{number}", f"202611{number:02}", number) for number in range(1, 8)]
    file.write_bytes(kit.fixed_file(rows))
    effect = Limited(4)
    intake = Intake(
        kit.layout(kit.FIXED), database, effect, seal=lambda u, t: t, unseal=lambda u, t: t, now=lambda: 1.0, batch=5
    )  # fmt: skip
    with pytest.raises(Stopped):
        await intake.take(file)
    effect.left = 100

    result = await intake.take(file)

    assert ([1, 2, 3, 4, 5, 6, 7], 7) == (effect.seen, result.file.good)


async def test_what_goes_wrong_is_told_once_and_by_words_that_reach_the_log(tmp_path: Path, database: Database) -> None:
    told: list[dict[str, Any]] = []
    over = asyncio.Event()

    class Refusing:
        turns = 0

        async def turn(self) -> None:
            self.turns += 1
            if self.turns == 5:
                over.set()
            raise Stopped(frozenset(), {}) from LedgerUnwritable()

    watching = asyncio.create_task(
        posts._on_and_on(Refusing().turn, "resthome", lambda event, **words: told.append({"event": event, **words}), 0)
    )  # fmt: skip
    await over.wait()
    watching.cancel()

    assert [{"event": "adapter_stopped", "connector": "resthome", "error": "LedgerUnwritable"}] == told
    assert told[0] == redact(None, "info", dict(told[0]))
