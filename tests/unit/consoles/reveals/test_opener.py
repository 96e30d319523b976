"""A civil servant's name opens for two people together, for one entry and some days, and never for the one who asked alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integrator.consoles.reveals.opener import Opener, RevealRefused
from integrator.consoles.reveals.store import Store
from integrator.consoles.rights import NothingThere
from integrator.consoles.vault import Vault
from integrator.errors import MalformedRequest
from tests.unit.consoles.casefiles.rig import DAY, FIRST, HUB, OTHER, SECOND, Rig, a_rig

WHY = "complaint 2026/44: was it her neighbour?"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with a_rig(tmp_path) as made:
        made.write("resident_permit")
        yield made


@pytest.fixture
def opener(rig: Rig) -> Opener:
    made = Opener(rig.desk, Store(rig.database, Vault(b"v" * 32)), lambda: rig.now)
    rig.desk.open_names_by(made)
    return made


async def agent(rig: Rig, person: Any, index: int = 1) -> Any:
    _, details = await rig.desk.look(person, "details", WHY, shard=rig.ledger.shard, index=index)
    return details.agent


async def test_a_name_is_closed_until_a_second_person_opens_it(rig: Rig, opener: Opener) -> None:
    assert None is await agent(rig, FIRST)
    asked = await opener.ask(FIRST, FIRST.name, rig.ledger.shard, 1, WHY, 7)
    assert None is await agent(rig, FIRST)
    await opener.grant(SECOND, SECOND.name, asked.id)

    assert "agent-77" == (await agent(rig, FIRST))["id"]


async def test_it_opens_for_who_asked_for_that_entry_and_for_as_long_as_was_asked(rig: Rig, opener: Opener) -> None:
    rig.write("resident_permit")
    asked = await opener.ask(FIRST, FIRST.name, rig.ledger.shard, 1, WHY, 2)
    await opener.grant(HUB, HUB.name, asked.id)
    last = rig.store.size(rig.ledger.shard)
    other = next(
        index for index in range(2, last) if next(rig.store.read(rig.ledger.shard, index, index + 1)).kind == "outcome"
    )

    assert [None, None] == [await agent(rig, SECOND), await agent(rig, FIRST, other)]
    rig.now += 2 * DAY
    assert None is await agent(rig, FIRST)


async def test_whoever_asked_cannot_grant(rig: Rig, opener: Opener) -> None:
    asked = await opener.ask(FIRST, FIRST.name, rig.ledger.shard, 1, WHY)

    with pytest.raises(RevealRefused, match="SAME_PERSON"):
        await opener.grant(FIRST, FIRST.name, asked.id)


async def test_another_organisation_neither_asks_nor_grants(rig: Rig, opener: Opener) -> None:
    asked = await opener.ask(FIRST, FIRST.name, rig.ledger.shard, 1, WHY)

    with pytest.raises(NothingThere):
        await opener.ask(OTHER, OTHER.name, rig.ledger.shard, 1, WHY)
    with pytest.raises(NothingThere):
        await opener.grant(OTHER, OTHER.name, asked.id)
    assert [] == await opener.all(OTHER)


async def test_what_was_refused_is_not_granted_afterwards(rig: Rig, opener: Opener) -> None:
    asked = await opener.ask(FIRST, FIRST.name, rig.ledger.shard, 1, WHY)
    refused = await opener.refuse(SECOND, SECOND.name, asked.id, "the organisation explained it")

    with pytest.raises(RevealRefused, match="DECIDED"):
        await opener.grant(HUB, HUB.name, asked.id)
    assert ("refused", None) == (refused.state, await agent(rig, FIRST))


async def test_both_people_stand_in_the_ledger_and_the_reason_does_not_in_clear(
    rig: Rig, opener: Opener, tmp_path: Path
) -> None:
    asked = await opener.ask(FIRST, FIRST.name, rig.ledger.shard, 1, WHY)
    await opener.grant(SECOND, SECOND.name, asked.id)
    entries = [*rig.drafts("reveal.ask"), *rig.drafts("reveal.grant")]

    assert [1, 1] == [one["index"] for one in entries]
    assert "neighbour" not in str(entries)
    assert b"neighbour" not in b"".join(path.read_bytes() for path in tmp_path.glob("consoles.db*"))


@pytest.mark.parametrize(("reason", "days"), [("because", 7), (WHY, 0), (WHY, 31)])
async def test_a_request_without_reason_or_end_is_refused(rig: Rig, opener: Opener, reason: str, days: int) -> None:
    with pytest.raises(MalformedRequest):
        await opener.ask(FIRST, FIRST.name, rig.ledger.shard, 1, reason, days)
    assert [] == rig.drafts("reveal.ask")
