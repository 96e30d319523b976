"""Contests: what a citizen wrote is sealed, the right officer has thirty days, and every step stands in the ledger."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from integrator.consoles.citizen.contests import KEPT, MOST_OPEN
from tests.unit.consoles.citizen.rig import DAY, House, text_of
from tests.unit.consoles.desk import ANNA, BERT, BRUSSELS
from tests.unit.consoles.doorstep import Browser

WORDS = "I never applied for a parking card."
ANSWER = "The counter mixed up two applications; yours was closed."


async def contested(home: House, kind: str = "wrong", words: str = WORDS) -> tuple[Browser, int]:
    index = home.exchange()
    browser = await home.citizen()
    assert 303 == (await send(home, browser, index, kind, words)).status
    return browser, index


async def send(home: House, browser: Browser, index: int, kind: str = "wrong", words: str = WORDS) -> Any:
    await text_of(browser, f"/console/me/contest?shard={home.ledger.shard}&index={index}&kind={kind}")
    return await browser.post("/console/me/contest", shard=home.ledger.shard, index=str(index), kind=kind, words=words)


async def id_of(officer: Browser) -> str:
    found = re.search(r"one\?id=([0-9a-f]{24})", await text_of(officer, "/console/contests/"))
    assert found is not None
    return found[1]


async def test_a_contest_is_an_entry_that_names_the_line_in_clear_and_nobody(home: House) -> None:
    _, index = await contested(home)
    entry = home.last()

    assert ("annotate", "contest.opened", "self", index, home.ledger.shard) == (
        entry.entry["type"], entry.entry["name"], entry.entry["initiator"], entry.entry["index"], entry.entry["shard"],
    )  # fmt: skip
    assert ([ANNA], WORDS) == (entry.subjects, entry.values["justification"])
    assert (b"parking card" in entry.stored.body, ANNA.id.encode() in entry.stored.body) == (False, False)


async def test_the_citizen_sees_the_answer_that_the_officer_gave_within_thirty_days(home: House) -> None:
    browser, _ = await contested(home)
    page = await text_of(browser, "/console/me/contests")

    assert ("sent" in page, "23 December 2026" in page, "days left: 30" in page) == (True, True, True)

    officer = await home.officer()
    id_ = await id_of(officer)

    assert WORDS in await text_of(officer, f"/console/contests/one?id={id_}")

    await officer.post("/console/contests/take", id=id_)

    assert "being looked into" in await text_of(browser, "/console/me/contests")

    await text_of(officer, f"/console/contests/one?id={id_}")
    await officer.post("/console/contests/answer", id=id_, answer=ANSWER)
    entry = home.last()

    assert ("contest.answered", [ANNA], ANSWER, "dpo") == (
        entry.entry["name"], entry.subjects, entry.values["justification"], entry.values["agent"]["role"],
    )  # fmt: skip

    page = await text_of(browser, "/console/me/contests")

    assert (ANSWER in page, "answered" in page, "Withdraw" in page) == (True, True, False)
    assert "answered your contest" in await text_of(browser, "/console/me/")


async def test_an_officer_of_another_organisation_neither_sees_nor_answers_it(home: House) -> None:
    await contested(home)
    id_ = await id_of(await home.officer(None))  # the hub's own officer sees all
    other = await home.officer(BRUSSELS)

    assert "There are no contests." in await text_of(other, "/console/contests/")
    assert 404 == (await other.get(f"/console/contests/one?id={id_}")).status
    assert 404 == (await other.post("/console/contests/answer", id=id_, answer=ANSWER)).status


async def test_another_citizen_neither_sees_nor_withdraws_it(home: House) -> None:
    await contested(home)
    id_ = await id_of(await home.officer())
    stranger = await home.citizen(BERT)

    assert WORDS not in await text_of(stranger, "/console/me/contests")
    await text_of(stranger, "/console/me/notice")
    assert 404 == (await stranger.post("/console/me/contests/withdraw", id=id_)).status


async def test_what_was_withdrawn_is_not_answered_any_more(home: House) -> None:
    browser, _ = await contested(home)
    officer = await home.officer()
    id_ = await id_of(officer)
    await text_of(officer, f"/console/contests/one?id={id_}")
    await text_of(browser, "/console/me/contests")
    await browser.post("/console/me/contests/withdraw", id=id_)
    size = home.store.size(home.ledger.shard)
    await officer.post("/console/contests/answer", id=id_, answer=ANSWER)

    assert size == home.store.size(home.ledger.shard)
    assert ANSWER not in await text_of(browser, "/console/me/contests")


async def test_an_answer_that_is_late_says_so_and_whom_to_complain_to(home: House) -> None:
    browser, _ = await contested(home)
    home.clock.now += 31 * DAY
    browser = await home.citizen()

    assert "should have come by 23 December 2026" in await text_of(browser, "/console/me/contests")
    assert "days late: 1" in await text_of(await home.officer(), "/console/contests/")


async def test_the_same_line_is_contested_once_at_a_time_and_not_everything_at_once(home: House) -> None:
    browser, index = await contested(home)

    assert 400 == (await send(home, browser, index)).status
    assert "under way" in browser.page

    for _ in range(MOST_OPEN - 1):
        assert 303 == (await send(home, browser, home.exchange())).status
    assert 400 == (await send(home, browser, home.exchange())).status


@pytest.mark.parametrize(("kind", "words"), [("wrong", "short"), ("wrong", "x" * 1_001), ("sabotage", WORDS)])
async def test_what_is_no_contest_writes_nothing(home: House, kind: str, words: str) -> None:
    index = home.exchange()
    browser = await home.citizen()
    reply = await send(home, browser, index, kind, words)

    assert (400, "audit.read") == (reply.status, home.last().entry["type"])


async def test_who_it_was_may_be_asked_without_a_word(home: House) -> None:
    browser, _ = await contested(home, "who", "")

    assert "I want to know who it was" in await text_of(browser, "/console/me/contests")

    officer = await home.officer()
    page = await text_of(officer, f"/console/contests/one?id={await id_of(officer)}")

    assert (True, False) == ("/console/reveals/ask?shard=" in page, "agent-77" in page)


async def test_neither_the_number_nor_the_words_stand_readable_in_the_database(home: House, tmp_path: Path) -> None:
    await contested(home)
    data = b"".join(path.read_bytes() for path in tmp_path.glob("consoles.db*"))

    assert (False, False) == (ANNA.id.encode() in data, b"parking card" in data)


async def test_an_old_contest_is_forgotten_and_one_under_way_never(home: House) -> None:
    browser, _ = await contested(home, words="The first one, which is withdrawn.")
    id_ = await id_of(await home.officer())
    await text_of(browser, "/console/me/contests")
    await browser.post("/console/me/contests/withdraw", id=id_)
    await contested(home, words="The second one, which nobody answers.")
    home.clock.now += (KEPT + 1) * DAY
    browser, _ = await contested(home, words="The third one, years later.")
    page = await text_of(browser, "/console/me/contests")

    assert [False, True, True] == [f"The {which} one" in page for which in ("first", "second", "third")]
