"""A file is taken in once, whole, wherever it stops: no row is lost, none has its effect twice, bad ones wait."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from integrator.adapters.book import Book
from integrator.adapters.intake import Intake, Taken, key_of
from integrator.api.deliveries import _idempotency
from integrator.database import Database
from integrator.errors import MalformedRequest
from tests.unit.adapters import kit
from tests.unit.adapters.kit import FIXED, PEOPLE, fixed_file, fixed_row
from tests.unit.audit.kit import ENGINES, engine_url


class PowerCut(Exception):
    """The process ends here."""


class Outbox:
    """Takes each key once, as the real one does; may lose power before or after it took a batch."""

    def __init__(self) -> None:
        self.taken: dict[str, dict[str, Any]] = {}
        self.cut_before: int | None = None
        self.cut_after: int | None = None
        self.refuses: str | None = None  # why every row is refused
        self._calls = 0

    async def __call__(self, rows: Sequence[Taken]) -> dict[str, str]:
        self._calls += 1
        if self._calls == self.cut_before:
            raise PowerCut
        if self.refuses is not None:
            return {row.key: self.refuses for row in rows}
        for row in rows:
            self.taken.setdefault(row.key, row.values)
        if self._calls == self.cut_after:
            raise PowerCut
        return {}


@pytest.fixture(params=ENGINES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with engine_url(request.param, tmp_path) as url:
        opened = Database(url, "adapters")
        yield opened
        opened.close()


def intake(database: Database, outbox: Outbox, data: dict[str, Any] = FIXED) -> Intake:
    return Intake(
        kit.layout(data), database, outbox, seal=lambda use, text: text[::-1], unseal=lambda use, text: text[::-1],
        now=lambda: 1.0, batch=2,
    )  # fmt: skip


def seven_rows() -> list[str]:
    rows = [fixed_row(PEOPLE[0], f"N{number}", f"202611{number:02}", number) for number in range(1, 8)]
    rows[2] = rows[2].replace("20261103", "20261199")  # a day that does not exist
    rows[5] = rows[4]  # the same row again
    return rows


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "payroll.txt"
    path.write_bytes(fixed_file(seven_rows()))
    return path


def names(outbox: Outbox) -> list[str]:
    return [values["name"] for values in outbox.taken.values()]


async def test_good_rows_have_their_effect_and_bad_ones_wait(database: Database, file: Path) -> None:
    outbox = Outbox()

    result = await intake(database, outbox).take(file)

    assert ("done", 5, 2) == (result.state, result.file.good, result.file.bad)
    assert ["N1", "N2", "N4", "N5", "N7"] == names(outbox)
    waiting = database.now(lambda connection: Book(connection).waiting("payroll"))
    assert [(3, (("day", "NOT_A_DATE"),)), (6, ((None, "DOUBLE"),))] == [(one.number, one.reasons) for one in waiting]


async def test_the_same_file_under_another_name_is_known(database: Database, file: Path, tmp_path: Path) -> None:
    outbox = Outbox()
    taking = intake(database, outbox)
    await taking.take(file)

    again = await taking.take(file.rename(tmp_path / "payroll(1).txt"))

    assert ("already", 5) == (again.state, len(outbox.taken))


@pytest.mark.parametrize("moment", ["cut_before", "cut_after"])
@pytest.mark.parametrize("batch", [1, 2, 3])
async def test_a_power_cut_in_any_batch_neither_loses_nor_repeats(
    database: Database, file: Path, moment: str, batch: int
) -> None:
    outbox = Outbox()
    setattr(outbox, moment, batch)
    with pytest.raises(PowerCut):
        await intake(database, outbox).take(file)

    result = await intake(database, outbox).take(file)

    assert "done" == result.state
    assert ["N1", "N2", "N4", "N5", "N7"] == sorted(names(outbox))
    assert 2 == len(database.now(lambda connection: Book(connection).waiting("payroll")))


async def test_a_half_written_file_has_no_effect_and_may_come_again_whole(database: Database, file: Path) -> None:
    outbox = Outbox()
    whole = file.read_bytes()
    file.write_bytes(whole[:200])

    refused = await intake(database, outbox).take(file)

    assert ("refused", "NOT_WHOLE", {}) == (refused.state, refused.file.reason, outbox.taken)
    file.write_bytes(whole)
    assert "done" == (await intake(database, outbox).take(file)).state


def test_the_key_of_a_row_is_taken_at_the_door_whatever_its_digits_are() -> None:
    keys = {key_of("permits", "ab" * 32, number) for number in range(3_000)}

    assert keys == {_idempotency(SimpleNamespace(headers={"idempotency-key": key})) for key in keys}


async def mended(taking: Intake, digest: str, number: int, text: str) -> None:
    """A person writes it anew, and whoever runs the adapter hands it in."""
    await taking.offer(digest, number, text)
    assert {} == await taking.drive(digest, number)


async def test_a_waiting_row_that_was_mended_has_its_effect_once(database: Database, file: Path) -> None:
    outbox = Outbox()
    taking = intake(database, outbox)
    digest = (await taking.take(file)).file.digest
    waiting = database.now(lambda connection: Book(connection).waiting("payroll"))[0]

    assert seven_rows()[2] == taking.piece(waiting.piece)
    with pytest.raises(MalformedRequest, match="day"):
        await mended(taking, digest, 3, taking.piece(waiting.piece))
    await mended(taking, digest, 3, seven_rows()[2].replace("20261199", "20261103"))
    with pytest.raises(MalformedRequest, match="row"):
        await mended(taking, digest, 3, seven_rows()[2].replace("20261199", "20261103"))

    assert ["N1", "N2", "N3", "N4", "N5", "N7"] == sorted(names(outbox))


async def test_a_row_of_a_workbook_that_the_hub_refused_is_handed_in_as_it_stands(
    database: Database, tmp_path: Path
) -> None:
    outbox, path = Outbox(), tmp_path / "hours.xlsx"
    path.write_bytes(kit.workbook([[7.5, "Ann", None, date(2026, 11, 3)]], ("Heures", "Aide", "Note", "Jour")))
    taking = intake(database, outbox, {**kit.WORKBOOK, "ignore": ["Note"]})
    outbox.refuses = "SERVICE_NOT_GRANTED"
    digest = (await taking.take(path)).file.digest
    before, outbox.refuses = dict(outbox.taken), None
    database.now(lambda connection: Book(connection).due("homehelp", digest, 1))

    assert ({}, {}) == (before, await taking.drive())
    assert [("Ann", "2026-11-03", "7.50")] == [tuple(map(str, one.values())) for one in outbox.taken.values()]


async def test_two_who_take_the_same_file_at_once_have_each_effect_once(database: Database, file: Path) -> None:
    outbox = Outbox()
    taking = intake(database, outbox)
    database.now(lambda connection: None)

    results = await asyncio.gather(taking.take(file), taking.take(file), return_exceptions=True)

    assert ["N1", "N2", "N4", "N5", "N7"] == sorted(names(outbox)), results


async def test_a_row_under_a_heading_in_another_order_is_mended_as_the_package_writes_it(
    database: Database, tmp_path: Path
) -> None:
    outbox, path = Outbox(), tmp_path / "invoices.csv"
    row = f"12,50;ann;F0001;;{PEOPLE[0]}"
    path.write_bytes(f"Montant;Utilisateur;Facture;Remarque;NISS\r\n{row.replace('12,50', '12.50')}\r\n".encode())
    taking = intake(database, outbox, kit.DELIMITED)
    digest = (await taking.take(path)).file.digest

    await mended(taking, digest, 1, row)

    assert [("F0001", PEOPLE[0])] == [(one["invoice"], one["resident"]) for one in outbox.taken.values()]
