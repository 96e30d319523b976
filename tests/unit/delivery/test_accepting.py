"""A message is accepted when it lies in the outbox, with its entry; the same key gives the same answer."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace
from typing import Any

import pytest

from integrator.errors import KeyReused, LedgerUnwritable, MalformedRequest, PolicyDenied
from integrator.keytypes import Pseudonym
from tests.unit.delivery.kit import GRANTS, NUMBER, STRANGER, House, entries, kinds, policies


async def test_what_was_accepted_lies_in_the_outbox(hub: House) -> None:
    answer = await hub.accept("k1")

    assert ("waiting", None) == await hub.state(answer.body["deliveryId"])
    assert ["intent", "outcome"] == kinds(hub.ledger)


async def test_the_outcome_of_accepting_says_that_nothing_was_given(hub: House) -> None:
    await hub.accept("k1")

    assert ([], {"subjects": 0, "records": 0}) == (
        entries(hub.ledger)[1]["categories"],
        entries(hub.ledger)[1]["counts"],
    )


async def test_the_same_key_gives_the_first_answer_and_one_message(hub: House) -> None:
    first, second = await hub.accept("k1"), await hub.accept("k1")

    assert first.payload == second.payload
    assert {"waiting": 1} == {state: count for state, (count, _) in (await hub.outbox.counts()).items()}


async def test_the_same_key_at_the_same_moment_is_one_message(hub: House) -> None:
    answers = await asyncio.gather(*[hub.accept("k1") for _ in range(8)])

    assert 1 == len({answer.payload for answer in answers})
    assert {"waiting": 1} == {state: count for state, (count, _) in (await hub.outbox.counts()).items()}


async def test_another_content_under_the_same_key_is_refused_and_recorded(hub: House) -> None:
    await hub.accept("k1", {"field": "street"})

    with pytest.raises(KeyReused) as refused:
        await hub.accept("k1", {"field": "number"})

    assert "KEY_REUSED" == entries(hub.ledger)[-1]["reason_code"]
    assert refused.value.recorded is not None


async def test_who_receives_may_change_his_subscription_before_the_same_is_said_again(hub: House) -> None:
    first, second = await hub.accept("k1"), await hub.accept("k1", recipient="follower-2")

    assert first.payload == second.payload
    assert {"waiting": 1} == {state: count for state, (count, _) in (await hub.outbox.counts()).items()}


@pytest.mark.parametrize("change", [{"dossier": "2026/8"}, {"keys": {"ssin": NUMBER, "recipient": STRANGER}}], ids=["case", "key"])  # fmt: skip
async def test_another_case_or_another_key_under_the_same_key_is_refused(hub: House, change: Any) -> None:
    request = hub.request(fields={"field"})
    await hub.exchange.accept(request, hub.message(request, "k1"))
    other = replace(request, **change)
    with pytest.raises(KeyReused):
        await hub.exchange.accept(other, hub.message(other, "k1"))


async def test_the_key_of_another_application_is_another_key(hub: House) -> None:
    mine = await hub.accept("k1")
    request = hub.request(organisation="0207000109", fields={"field"})
    theirs = await hub.exchange.accept(request, hub.message(request, "k1"))

    assert mine.body["deliveryId"] != theirs.body["deliveryId"]


async def test_who_has_no_grant_leaves_a_denial_and_no_message(hub: House) -> None:
    request = hub.request(organisation=STRANGER, fields={"field"})
    with pytest.raises(PolicyDenied):
        await hub.exchange.accept(request, hub.message(request, "k1"))

    assert (["denied"], {}) == (kinds(hub.ledger), await hub.outbox.counts())


async def test_a_pseudonym_is_no_number_where_an_effect_is_later(hub: House) -> None:
    request = hub.request(ssin=Pseudonym(NUMBER), fields={"field"})
    with pytest.raises(MalformedRequest):
        await hub.exchange.accept(request, hub.message(request, "k1"))

    assert ([], {}) == (kinds(hub.ledger), await hub.outbox.counts())


async def test_whom_an_authorisation_wants_told_finds_what_was_taken_in(hub: House) -> None:
    hub.may(policies([{**GRANTS[1], "obligations": {"notify": ["dpo"]}}]))
    await hub.accept("k1")

    assert [["NOTIFY_DPO"]] * 2 == [entry["flags"] for entry in entries(hub.ledger)]


async def test_a_message_with_more_than_is_granted_is_refused_whole(hub: House) -> None:
    with pytest.raises(PolicyDenied):
        await hub.accept("k1", {"field": "street", "secret": "x"})

    assert (["denied"], {}) == (kinds(hub.ledger), await hub.outbox.counts())


async def test_an_event_keeps_only_the_types_that_are_granted(hub: House) -> None:
    content = {"address": True, "name": True}
    request = hub.request("person.changes", fields=content)
    await hub.exchange.accept(request, hub.message(request, "k1", content, whole=False))
    [held] = await hub.outbox.lease(1, 60)

    assert {"address": True} == held.content


async def test_without_ledger_nothing_is_accepted(hub: House) -> None:
    hub.ledger.close()

    with pytest.raises(LedgerUnwritable):
        await hub.accept("k1")

    assert {} == await hub.outbox.counts()


async def test_no_number_and_no_word_of_a_message_lies_open_in_the_file(small: House, tmp_path) -> None:
    await small.accept("key-with-a-name", {"field": "Kerkstraat"})
    small.ledger.close()
    sqlite3.connect(tmp_path / "ledger.db").execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    raw = b"".join(path.read_bytes() for path in tmp_path.glob("ledger.db*"))

    assert [] == [word for word in (NUMBER, "Kerkstraat", "key-with-a-name") if word.encode() in raw]


async def test_a_message_of_two_months_ago_is_opened_with_the_key_of_its_month(hub: House) -> None:
    await hub.accept("k1")
    hub.clock.now += 3 * 86_400
    [held] = await hub.outbox.lease(1, 60)

    assert ({"field": "street"}, NUMBER, "2026/7") == (held.content, held.keys["ssin"], held.dossier)


async def test_a_grant_that_ended_between_two_tries_of_the_same_message_refuses_the_second(hub: House) -> None:
    await hub.accept("k1")
    hub.may(policies(organisations=[STRANGER]))

    with pytest.raises(PolicyDenied):
        await hub.accept("k1")
