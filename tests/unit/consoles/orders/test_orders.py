"""Orders about keeping: nothing is done by one person alone, nor about what is not theirs, and the ledger says who did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from audit import FileKeyRing, Ledger, Store, open_entry, open_store
from audit.keeping import RetentionClass, holds, restrictions
from audit.log.years import OneBook
from audit.reports import Reports
from integrator.consoles.database import Database
from integrator.consoles.looking import Desk
from integrator.consoles.orders import OrderNotNow, Orders, Pile
from integrator.consoles.orders.pile import LAPSES
from integrator.consoles.orders.wanted import read_wanted
from integrator.consoles.people import Person
from integrator.consoles.rights import LookRefused, NothingThere
from integrator.consoles.vault import Vault
from integrator.errors import LedgerUnwritable, MalformedRequest
from tests.unit.audit.kit import Clock, a_draft
from tests.unit.consoles.desk import ANNA, BRUSSELS, CITIZEN, IXELLES

TODAY = date(2026, 11, 23)
CLASSES = {"Y10": RetentionClass("Y10", 120, "eu-gdpr:A5-1-e")}
DPO, COLLEAGUE = (Person(id_, id_, frozenset({"dpo"}), IXELLES) for id_ in ("dpo-1", "dpo-2"))
HUB, HUB_2 = (Person(id_, id_, frozenset({"hub_dpo"})) for id_ in ("hub-1", "hub-2"))
ELSEWHERE = Person("dpo-9", "dpo-9", frozenset({"dpo"}), BRUSSELS)
AUDITOR = Person("auditor-1", "auditor-1", frozenset({"auditor"}))
WHY = "inquiry 2026/17 is under way"


@dataclass
class House:
    store: Store
    ledger: Ledger
    keyring: FileKeyRing
    office: Orders
    clock: Clock
    database: Database

    def exchange(self, org: str = IXELLES) -> tuple[str, list[int]]:
        """An intent and its outcome about Anna: the number of the exchange, and where they stand."""
        clear: dict[str, Any] = {"consumer": {"org": org, "app": "counter"}}
        trace = f"{self.store.size(self.ledger.shard) + 1:032x}"
        [intent] = self.ledger.append_blocking([a_draft("intent", trace_id=trace, subjects=[ANNA], clear=clear)])
        clear |= {"intent_ref": intent.index, "status": "Ok"}
        [outcome] = self.ledger.append_blocking([a_draft("outcome", trace_id=trace, subjects=[ANNA], clear=clear)])
        self.office.desk.reports.follower.follow()
        return trace, [intent.index, outcome.index]

    async def asked(self, person: Person, **typed: str) -> str:
        """An order that waits for its second person."""
        id_ = await self.office.prepare(person, wanted(**typed))
        await self.office.ask(person, id_)
        return id_

    async def seen(self) -> list[int]:
        """What Anna sees of her exchanges."""
        self.office.desk.reports.follower.follow()
        page = await self.office.desk.look(CITIZEN, "about")
        return [row.index for row in page.rows if row.kind != "audit.read"]


def wanted(action: str = "restrict", **typed: str) -> Any:
    usual = {"action": action, "reason": WHY, "authority": "controller"}
    usual |= {
        "restrict": {"ground": "crime", "review": "2027-06-01"},
        "release": {"ground": "access"},
        "hold": {"ground": "claims", "review": "2027-06-01", "month": "2026-11"},
        "unhold": {"ground": "storage", "month": "2026-11"},
        "erase": {"ground": "unlawful", "authority": "court", "reference": "2026/AR/17"},
    }[action]
    return read_wanted(usual | typed, TODAY, CLASSES)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    clock = Clock()
    store, keyring = open_store(f"sqlite:///{tmp_path}/ledger.db"), FileKeyRing(tmp_path / "keys")
    ledger = Ledger(store, keyring, shard="hub/test/orders/2026", clock=clock)
    reports = Reports(store, keyring, clock)
    database, vault = Database(f"sqlite:///{tmp_path}/consoles.db"), Vault(b"v" * 32)
    desk = Desk(reports, ledger)
    office = Orders(desk, store, OneBook(ledger), Pile(database, vault), CLASSES, lambda: clock.now / 1e6)
    yield House(store, ledger, keyring, office, clock, database)
    reports.close(), ledger.close(), store.close(), database.close()


async def test_a_restriction_asked_by_one_and_agreed_by_another_hides_the_whole_exchange(house: House) -> None:
    trace, indices = house.exchange()
    id_ = await house.asked(DPO, place=trace)
    before = await house.seen()
    entries = await house.office.agree(COLLEAGUE, id_)

    assert (indices[-1] in before, [], 2) == (True, await house.seen(), len(entries))
    assert set(indices) == {one.index for one in restrictions(house.store)}

    shard, _, index = entries[0].rpartition("/")
    said = open_entry(house.store, house.keyring, shard, int(index), ("agent", "subject"))

    assert ("restrict", "eu-gdpr:A23-1-d", {"id": DPO.id, "second": COLLEAGUE.id}, WHY) == (
        said.entry["type"], said.entry["legal_basis"], said.values["agent"], said.values["justification"],
    )  # fmt: skip


async def test_it_is_shown_again_by_two_people_as_well(house: House) -> None:
    trace, indices = house.exchange()
    await house.office.agree(HUB, await house.asked(DPO, place=trace))
    await house.office.agree(HUB_2, await house.asked(HUB, action="release", place=trace))

    assert indices[-1] in await house.seen()


async def test_nobody_agrees_to_their_own_order(house: House) -> None:
    trace, _ = house.exchange()
    id_ = await house.asked(DPO, place=trace)
    with pytest.raises(OrderNotNow, match="OWN_ORDER"):
        await house.office.agree(DPO, id_)

    assert [] == restrictions(house.store)


async def test_what_was_not_asked_yet_nobody_else_sees_or_carries_out(house: House) -> None:
    trace, _ = house.exchange()
    id_ = await house.office.prepare(DPO, wanted(place=trace))
    with pytest.raises(NothingThere):
        await house.office.agree(COLLEAGUE, id_)

    assert ([], []) == (await house.office.known(COLLEAGUE), restrictions(house.store))


@pytest.mark.parametrize("person", [ELSEWHERE, AUDITOR], ids=["other organisation", "auditor"])
async def test_an_order_of_another_organisation_does_not_exist(house: House, person: Person) -> None:
    trace, _ = house.exchange()
    id_ = await house.asked(DPO, place=trace)
    with pytest.raises(NothingThere):
        await house.office.agree(person, id_)

    assert [] == await house.office.known(person)


async def test_an_exchange_of_another_organisation_cannot_be_named(house: House) -> None:
    trace, indices = house.exchange(BRUSSELS)
    for place in (trace, f"{house.ledger.shard}/{indices[0]}", "f" * 32, f"{house.ledger.shard}/99"):
        with pytest.raises(NothingThere):
            await house.office.prepare(DPO, wanted(place=place))


@pytest.mark.parametrize("action", ["hold", "unhold", "erase"])
async def test_only_the_officer_of_the_hub_holds_and_erases(house: House, action: str) -> None:
    trace, _ = house.exchange()
    with pytest.raises(LookRefused):
        await house.office.prepare(DPO, wanted(action, **({"place": trace} if action == "erase" else {})))


async def test_one_line_may_be_hidden_and_the_preview_says_that_others_stay(house: House) -> None:
    _, indices = house.exchange()
    id_ = await house.office.prepare(DPO, wanted(place=f"{house.ledger.shard}/{indices[1]}"))
    plan, _ = await house.office.preview(DPO, await house.office.order(DPO, id_))

    assert ({house.ledger.shard: [indices[1]]}, True) == (plan.places, plan.stays)


async def test_a_second_look_at_a_settled_order_does_nothing_twice(house: House) -> None:
    trace, _ = house.exchange()
    id_ = await house.asked(DPO, place=trace)
    await house.office.agree(COLLEAGUE, id_)
    size = house.store.size(house.ledger.shard)
    for deed in (house.office.agree, house.office.withdraw):
        with pytest.raises(OrderNotNow):
            await deed(COLLEAGUE if deed == house.office.agree else DPO, id_)

    assert size == house.store.size(house.ledger.shard)


async def test_what_was_refused_withdrawn_or_forgotten_is_never_carried_out(house: House) -> None:
    trace, _ = house.exchange()
    refused, withdrawn, forgotten = [await house.asked(DPO, place=trace) for _ in range(3)]
    with pytest.raises(MalformedRequest):
        await house.office.refuse(COLLEAGUE, refused, "no")
    await house.office.refuse(COLLEAGUE, refused, "the inquiry was closed last week")
    await house.office.withdraw(DPO, withdrawn)
    house.clock.now += (LAPSES + 1) * 1_000_000
    for id_ in (refused, withdrawn, forgotten):
        with pytest.raises(OrderNotNow, match="SETTLED"):
            await house.office.agree(COLLEAGUE, id_)

    assert {"refused", "withdrawn", "lapsed"} == {one.state for one in await house.office.known(DPO)}
    assert [] == restrictions(house.store)


async def test_a_hold_stands_until_two_people_end_it(house: House) -> None:
    house.exchange()
    await house.office.agree(HUB_2, await house.asked(HUB, action="hold"))

    assert [(None, 202611)] == [(one.retention, one.month) for one in holds(house.store)]

    await house.office.agree(HUB, await house.asked(HUB_2, action="unhold"))

    assert [] == holds(house.store)


async def test_a_hold_stands_in_the_way_of_an_erasure_and_the_preview_says_so(house: House) -> None:
    trace, _ = house.exchange()
    await house.office.agree(HUB_2, await house.asked(HUB, action="hold"))
    id_ = await house.office.prepare(HUB, wanted("erase", place=trace))
    with pytest.raises(OrderNotNow, match="HELD"):
        await house.office.ask(HUB, id_)


async def test_erased_values_are_gone_and_the_order_of_the_court_is_on_record(house: House) -> None:
    trace, indices = house.exchange()
    entries = await house.office.agree(HUB_2, await house.asked(HUB, action="erase", place=trace))

    assert all(not open_entry(house.store, house.keyring, house.ledger.shard, index).values for index in indices)

    said = open_entry(house.store, house.keyring, house.ledger.shard, int(entries[0].rpartition("/")[2]))

    assert ("erasure", "court", indices[0]) == (said.entry["type"], said.entry["authority"], said.entry["index"])


async def test_what_the_ledger_does_not_take_waits_on(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.exchange()
    id_ = await house.asked(HUB, action="hold")

    def full(drafts: object) -> Any:
        from audit.errors import LedgerUnwritable as Full

        raise Full("disk full")

    monkeypatch.setattr(house.ledger, "append_blocking", full)
    with pytest.raises(LedgerUnwritable):
        await house.office.agree(HUB_2, id_)
    monkeypatch.undo()
    await house.office.agree(HUB_2, id_)

    assert 1 == len(holds(house.store))


async def test_reasons_and_file_numbers_lie_sealed_in_the_database(house: House) -> None:
    trace, _ = house.exchange()
    id_ = await house.asked(HUB, action="erase", place=trace)
    await house.office.refuse(HUB_2, id_, "the appeal is still open, so not now")
    with house.database._engine.connect() as connection:
        stored = str(list(connection.execute(text("SELECT * FROM console_order"))))

    assert not any(word in stored for word in (WHY, "2026/AR/17", "appeal", trace))


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("/action", {"action": "burn"}),
        ("/place", {"place": "85.61.01-001.47"}),
        ("/place", {}),
        ("/review", {"place": "a" * 32, "review": "2026-11-23"}),
        ("/review", {"place": "a" * 32, "review": "soon"}),
        ("/ground", {"place": "a" * 32, "ground": "storage"}),
        ("/reason", {"place": "a" * 32, "reason": "because"}),
        ("/reference", {"place": "a" * 32, "authority": "court"}),
        ("/authority", {"action": "erase", "ground": "unlawful", "place": "a" * 32, "reference": "1"}),
        ("/month", {"action": "hold", "ground": "claims"}),
        ("/month", {"action": "hold", "ground": "claims", "month": "2026-13"}),
        ("/month", {"action": "hold", "ground": "claims", "class": "Y99"}),
    ],
    ids=lambda one: one if isinstance(one, str) else "-".join(one) or "empty",
)
def test_an_order_that_is_not_whole_is_not_asked_and_nothing_typed_comes_back(
    field: str, typed: dict[str, str]
) -> None:
    usual = {"action": "restrict", "ground": "crime", "authority": "controller", "review": "2027-06-01", "reason": WHY}
    with pytest.raises(MalformedRequest) as refused:
        read_wanted(usual | typed, TODAY, CLASSES)

    assert [field] == [issue.name for issue in refused.value.issues]
    assert not any(value in str(refused.value.issues) for value in typed.values() if len(value) > 5)
