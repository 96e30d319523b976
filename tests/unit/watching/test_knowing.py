"""What a rule asks of a look, over a real ledger: opened here, compared by tag, and never held against anybody when forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from audit import FileKeyRing, Ledger, Store, open_store
from audit.alerts import Look, Sealed
from audit.keys import wrapping_key_name
from integrator.database import Database
from integrator.watching.cases import Cases
from integrator.watching.happenings import CHANGE, DEATH, Happenings
from integrator.watching.knowing import Seen
from integrator.watching.tags import Tagger
from tests.unit.audit.kit import NOON, a_draft
from tests.unit.watching.rig import ORG, OTHER_ORG, SUBJECT, THIRD, tagger

DAY = 86_400_000_000
CASE = "IX-2026-17"


class House:
    """A ledger with looks in it, and what the hub knows beside it."""

    def __init__(self, store: Store, folder: Path, database: Database) -> None:
        self.keyring = FileKeyRing(folder / "ledger-keys")
        self.ledger = Ledger(store, self.keyring, shard="hub/test/watching/2026", clock=lambda: NOON)
        self.tagger: Tagger = tagger(folder / "keys")
        self.cases, self.happenings = Cases(database, self.tagger), Happenings(database, self.tagger)
        self.registered: set[tuple[str, str, date]] = set()
        self.seen = Seen(
            Sealed(store, self.keyring), self.tagger, self.cases, self.happenings, {ORG: "21009", OTHER_ORG: "21004"}.get,
            lambda org, number, day: (org, number, day) in self.registered,
        )  # fmt: skip

    def look(self, case: str | None = CASE, number: str = SUBJECT, org: str = ORG) -> Look:
        committed = {"case_ref": case} if case else {}
        [record] = self.ledger.append_blocking([a_draft("denied", committed=committed, subjects=[("nrn", number)])])
        return Look("hub/test/watching/2026", record.index, None, NOON, "person.get", org, "counter", None, (), b"")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    store, database = (
        open_store(f"sqlite:///{tmp_path}/ledger.db"),
        Database(f"sqlite:///{tmp_path}/watching.db", "watching"),
    )
    house = House(store, tmp_path, database)
    yield house
    house.ledger.close(), store.close(), database.close()


def test_who_keeps_no_cases_here_is_believed_when_it_names_one(house: House) -> None:
    assert (True, False) == (house.seen.open_case(house.look()), house.seen.open_case(house.look(None)))


def test_who_keeps_cases_is_held_to_what_it_said(house: House) -> None:
    house.cases.open(ORG, "another", NOON)
    assert not house.seen.open_case(house.look())

    house.cases.open(ORG, CASE, NOON - 2 * DAY)
    assert house.seen.open_case(house.look())
    house.cases.close(ORG, CASE, NOON - DAY)
    assert not house.seen.open_case(house.look())
    assert house.seen.open_case(house.look(org=OTHER_ORG))  # who keeps none


def test_an_open_case_of_the_person_explains_a_look_that_names_none(house: House) -> None:
    house.cases.open(ORG, CASE, NOON - DAY, SUBJECT)

    assert (True, False) == (house.seen.open_case(house.look(None)), house.seen.open_case(house.look(None, THIRD)))


def test_a_closed_case_is_told_with_its_time(house: House) -> None:
    house.cases.open(ORG, CASE, NOON - 9 * DAY)
    house.cases.close(ORG, CASE, NOON - 8 * DAY)

    assert (NOON - 8 * DAY, None) == (house.seen.case_closed(house.look()), house.seen.case_closed(house.look(None)))


async def test_deaths_and_moves_are_known_of_the_right_person(house: House) -> None:
    await house.happenings.learn(SUBJECT, "21009", {"address": {"startDate": "2020-01-01"}}, {"municipality": "21004"})
    house.happenings.tell(DEATH, SUBJECT, NOON - 200 * DAY)

    assert (NOON - 200 * DAY, None) == (house.seen.death(house.look()), house.seen.death(house.look(number=THIRD)))
    assert house.seen.move(house.look()) is not None
    assert house.seen.move(house.look(org=OTHER_ORG)) is None  # it is where they live now


@pytest.mark.parametrize(("days", "expected"), [(0, True), (29, True), (31, False), (-1, False)])
def test_a_change_explains_looks_for_a_month_and_never_before_it_happened(
    house: House, days: int, expected: bool
) -> None:
    house.happenings.tell(CHANGE, SUBJECT, NOON - days * DAY)

    assert expected == house.seen.recent_mutation(house.look())


def test_a_file_in_the_directory_explains(house: House) -> None:
    assert not house.seen.registration(house.look())
    house.registered.add((ORG, SUBJECT, date(2026, 11, 23)))

    assert [True, False] == [house.seen.registration(house.look(number=number)) for number in (SUBJECT, THIRD)]


def test_a_forgotten_month_accuses_nobody(house: House) -> None:
    house.cases.open(ORG, "another", NOON)
    house.happenings.tell(DEATH, SUBJECT, NOON - 200 * DAY)
    look: Any = house.look()
    house.keyring.destroy(wrapping_key_name("Y10", 202611, "subject"))

    assert (True, None, None) == (house.seen.open_case(look), house.seen.death(look), house.seen.case_closed(look))
