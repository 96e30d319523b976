"""Looking through the desk: the look is in the ledger before anything is shown, and nobody sees past their right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from audit import FileKeyRing, Ledger, Store, Subject, open_entry, open_store
from audit.errors import StoreFailed
from audit.reports import Reports
from integrator.consoles.looking import Desk
from integrator.consoles.rights import LedgerUnreadable, LookRefused
from integrator.errors import LedgerUnwritable, MalformedRequest
from tests.unit.audit.kit import Clock, a_draft
from tests.unit.consoles.desk import ANNA, AUDITOR, BERT, BRUSSELS, CITIZEN, DPO, HUB_DPO, IXELLES, WHY


@dataclass
class House:
    """A desk, its ledger, and what was written in it."""

    store: Store
    ledger: Ledger
    keyring: FileKeyRing
    desk: Desk

    def write(self, who: Subject = ANNA, org: str = IXELLES, **changes: Any) -> int:
        subjects = changes.pop("subjects", [who])
        clear = {"consumer": {"org": org, "app": "counter"}, **changes.pop("clear", {})}
        [record] = self.ledger.append_blocking(
            [a_draft("denied", subjects=subjects, clear=clear, agent="agent-77", **changes)]
        )
        return record.index

    def last(self) -> Any:
        shard = self.ledger.shard
        return open_entry(self.store, self.keyring, shard, self.store.size(shard) - 1)


@pytest.fixture
def house(tmp_path: Path, clock: Clock) -> Iterator[House]:
    store, keyring = open_store(f"sqlite:///{tmp_path}/ledger.db"), FileKeyRing(tmp_path / "keys")
    ledger = Ledger(store, keyring, shard="hub/test/desk/2026", clock=clock)
    reports = Reports(store, keyring, clock)
    yield House(store, ledger, keyring, Desk(reports, ledger))
    reports.close(), ledger.close(), store.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def test_a_look_is_in_the_ledger_with_who_why_and_at_whom(house: House) -> None:
    await house.desk.look(DPO, "about", WHY, subject=ANNA)
    look = house.last()

    assert ("audit.read", "audit.about", "official", IXELLES, [ANNA], WHY, {"id": DPO.id, "role": "dpo"}) == (
        look.entry["type"], look.entry["name"], look.entry["initiator"], look.entry["consumer"]["org"],
        look.subjects, look.values["justification"], look.values["agent"],
    )  # fmt: skip


async def test_the_person_looked_at_finds_the_look(house: House) -> None:
    await house.desk.look(HUB_DPO, "about", WHY, subject=ANNA)
    page = await house.desk.look(CITIZEN, "about")

    assert ["self", "official"] == [row.initiator for row in page.rows if row.kind == "audit.read"]


async def test_every_page_turned_is_a_look(house: House) -> None:
    for _ in range(3):
        house.write()
    first = await house.desk.look(DPO, "about", WHY, subject=ANNA, limit=2)
    await house.desk.look(DPO, "about", WHY, subject=ANNA, limit=2, cursor=first.next)

    assert 5 == house.store.size(house.ledger.shard)


@pytest.mark.parametrize("reason", ["", "because", "  too\tshort ", "x" * 501])
async def test_without_a_reason_nothing_is_shown_and_nothing_written(house: House, reason: str) -> None:
    with pytest.raises(MalformedRequest):
        await house.desk.look(DPO, "about", reason, subject=ANNA)

    assert 0 == house.store.size(house.ledger.shard)


async def test_a_refused_look_is_not_made(house: House) -> None:
    with pytest.raises(LookRefused):
        await house.desk.look(CITIZEN, "about", subject=BERT)

    assert 0 == house.store.size(house.ledger.shard)


async def test_what_cannot_be_recorded_is_not_shown(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.write()

    async def full(drafts: object) -> list[Any]:
        raise StoreFailed("disk full")

    monkeypatch.setattr(house.ledger, "append", full)
    for question, asked in (("about", {}), ("details", {"shard": house.ledger.shard, "index": 0})):
        with pytest.raises(LedgerUnwritable):
            await house.desk.look(CITIZEN, question, **asked)


async def test_a_dpo_sees_her_organisation_s_rows_only(house: House) -> None:
    own, _ = house.write(org=IXELLES), house.write(org=BRUSSELS)
    page = await house.desk.look(DPO, "about", WHY, subject=ANNA)

    assert [own] == [row.index for row in page.rows if row.kind == "denied"]


async def test_somebody_known_elsewhere_looks_like_somebody_unknown(house: House) -> None:
    house.write(BERT, org=BRUSSELS)
    known = await house.desk.look(DPO, "about", WHY, subject=BERT, kind="denied")
    unknown = await house.desk.look(DPO, "about", WHY, subject=Subject("nrn", "99610100146"), kind="denied")

    assert known == unknown


async def test_a_row_of_another_organisation_looks_like_no_row(house: House) -> None:
    index = house.write(org=BRUSSELS)

    for question in ("details", "proof"):
        for asked in (index, 999):
            assert await house.desk.look(DPO, question, WHY, shard=house.ledger.shard, index=asked) is None


async def test_a_stranger_s_row_looks_like_no_row(house: House) -> None:
    index = house.write(BERT)

    assert await house.desk.look(CITIZEN, "details", shard=house.ledger.shard, index=index) is None


async def test_what_is_restricted_does_not_exist_for_the_person_and_does_for_the_dpo(house: House) -> None:
    index = house.write()
    house.store.set_vis(house.ledger.shard, index, 1)
    hers = await house.desk.look(CITIZEN, "about", kind="denied")
    row = await house.desk.look(CITIZEN, "details", shard=house.ledger.shard, index=index)
    office = await house.desk.look(DPO, "about", WHY, subject=ANNA, kind="denied")

    assert ([], None, None, [index]) == (hers.rows, hers.next, row, [one.index for one in office.rows])


async def test_a_restricted_exchange_does_not_exist_for_the_person(house: House) -> None:
    index = house.write()
    house.store.set_vis(house.ledger.shard, index, 1)
    trace = house.desk.reports.row(house.ledger.shard, index).trace_id

    assert [] == (await house.desk.look(CITIZEN, "exchange", trace_id=trace)).rows


async def test_a_citizen_opens_her_own_part_and_sees_nobody_else(house: House) -> None:
    index = house.write(subjects=[("nrn", BERT.id, "data-subject"), ("nrn", ANNA.id, "household-member")])
    _, details = await house.desk.look(CITIZEN, "details", shard=house.ledger.shard, index=index)

    assert ((Subject("nrn", ANNA.id, "household-member"),), None) == (details.subjects, details.agent)


async def test_opening_a_row_is_found_by_everybody_in_it(house: House) -> None:
    index = house.write(subjects=[ANNA, BERT])
    await house.desk.look(DPO, "details", WHY, shard=house.ledger.shard, index=index)

    assert {ANNA, BERT} == set(house.last().subjects)


@pytest.mark.parametrize("person", [DPO, HUB_DPO])
async def test_no_agent_is_named_to_anybody_before_a_release(house: House, person: Any) -> None:
    index = house.write()
    _, details = await house.desk.look(person, "details", WHY, shard=house.ledger.shard, index=index)

    assert details.agent is None


async def test_a_released_agent_is_named(house: House) -> None:
    class Released:
        def released(self, person: Any, shard: str, index: int) -> bool:
            return person is HUB_DPO

    desk = Desk(house.desk.reports, house.ledger, reveals=Released())
    index = house.write()
    opened = [await desk.look(one, "details", WHY, shard=house.ledger.shard, index=index) for one in (HUB_DPO, DPO)]

    assert [{"id": "agent-77"}, None] == [details.agent for _, details in opened]


async def test_who_asks_about_an_agent_is_found_under_that_agent(house: House) -> None:
    house.write()
    page = await house.desk.look(DPO, "by_agent", WHY, agent="agent-77")

    assert ([0], [Subject("agent", "agent-77")]) == ([row.index for row in page.rows], house.last().subjects)


async def test_those_affected_find_that_they_were_listed(house: House) -> None:
    clear = {
        "policy": {"id": "p", "ver": "sha256:wide"},
        "status": "Ok",
        "categories": ["name"],
        "intent_ref": 0,
        "consumer": {"org": IXELLES},
    }
    house.ledger.append_blocking([a_draft("outcome", clear=clear, subjects=[BERT])])
    people, cursor = await house.desk.look(DPO, "affected_subjects", WHY, version="sha256:wide")

    assert ([BERT], None, [BERT]) == (list(people), cursor, house.last().subjects)


async def test_an_auditor_verifies_without_values(house: House) -> None:
    asked: list[Any] = []

    async def proof(shard: str, index: int, audiences: Any) -> bytes:
        asked.append(audiences)
        return b"zip"

    desk = Desk(house.desk.reports, house.ledger, proof=proof)
    index = house.write()
    for person in (AUDITOR, CITIZEN):
        await desk.look(person, "proof", WHY, shard=house.ledger.shard, index=index)

    assert [(), ("subject",)] == asked


async def test_health_is_told_without_writing(house: House) -> None:
    told = await Desk(house.desk.reports, house.ledger, health=lambda: {"tsa": "fresh"}).look(AUDITOR, "health")

    assert ("fresh", 0, 0) == (told["tsa"], told["ledger"].dangling, house.store.size(house.ledger.shard))


async def test_a_foreign_cursor_is_the_caller_s_mistake(house: House) -> None:
    with pytest.raises(MalformedRequest):
        await house.desk.look(CITIZEN, "about", cursor="none of ours")


async def test_about_nobody_is_asked_again(house: House) -> None:
    with pytest.raises(MalformedRequest):
        await house.desk.look(DPO, "about", WHY)


async def test_a_reason_is_written_as_plain_text(house: House) -> None:
    await house.desk.look(DPO, "about", "complaint\x00 2026/44\r\n of the person", subject=ANNA)

    assert "complaint 2026/44 of the person" == house.last().values["justification"]


async def test_what_a_purpose_keeps_from_the_person_is_found_by_no_way(house: House) -> None:
    index = house.write()
    trace = house.desk.reports.row(house.ledger.shard, index).trace_id
    desk = Desk(house.desk.reports, house.ledger, shows=lambda row: row.kind != "denied")
    page = await desk.look(CITIZEN, "about")
    exchange = await desk.look(CITIZEN, "exchange", trace_id=trace)
    row = await desk.look(CITIZEN, "details", shard=house.ledger.shard, index=index)

    assert (["audit.read"], [], None) == ([one.kind for one in page.rows], exchange.rows, row)


async def test_a_ledger_that_cannot_be_searched_is_not_an_empty_list(house: House) -> None:
    house.write()
    house.keyring.destroy("idx-subject-2026")
    desk = Desk(Reports(house.store, house.keyring), house.ledger)

    with pytest.raises(LedgerUnreadable):
        await desk.look(DPO, "about", WHY, subject=ANNA)
    desk.reports.close()


async def test_a_look_at_a_restricted_line_shows_when_the_line_is_released(house: House) -> None:
    index = house.write()
    shard = house.ledger.shard
    await house.desk.look(DPO, "details", WHY, shard=shard, index=index)
    looks = []
    for vis in (0, 1, 0):
        house.store.set_vis(shard, index, vis)
        page = await house.desk.look(CITIZEN, "about")
        looks.append(["audit.details" in row.name for row in page.rows].count(True))

    assert [1, 0, 1] == looks


@pytest.mark.parametrize("kind", ["alert", "restrict", "admin"])
async def test_what_the_office_does_about_a_person_is_not_in_that_person_s_list(house: House, kind: str) -> None:
    [entry] = house.ledger.append_blocking(
        [a_draft(kind, subjects=[ANNA], clear={"consumer": {"org": IXELLES, "app": "x"}})]
    )
    hers = await house.desk.look(CITIZEN, "about")
    row = await house.desk.look(CITIZEN, "details", shard=house.ledger.shard, index=entry.index)
    office = await house.desk.look(DPO, "about", WHY, subject=ANNA, kind=kind)

    assert (["audit.read"], None, [kind]) == ([one.kind for one in hers.rows], row, [one.kind for one in office.rows])
