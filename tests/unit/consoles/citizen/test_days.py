"""The proof of a day: asked by the citizen alone, of what the citizen could see, and one sentence where there is none."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from audit.seal import Sealer
from integrator.consoles.rights import LookRefused
from tests.unit.consoles.citizen.rig import MARRIAGE, House, text_of
from tests.unit.consoles.desk import ANNA, BERT, DPO, HUB_DPO


async def test_it_is_a_file_that_names_nobody_and_the_look_is_recorded(home: House) -> None:
    asked: list[Any] = []
    home.consoles.desk._day = lambda subject, day, shows_at: asked.append((subject, day)) or b"zip"  # type: ignore[func-returns-value]
    browser = await home.citizen()
    await browser.get("/console/me/complete")
    reply = await browser.post("/console/me/day", day="2026-11-22")

    assert (200, b"zip", [(ANNA, date(2026, 11, 22))]) == (reply.status, reply.body, asked)
    assert 'filename="day-2026-11-22.zip"' in reply.headers["content-disposition"]
    assert ("audit.day", "self") == (home.last().entry["name"], home.last().entry["initiator"])


@pytest.mark.parametrize(
    ("day", "words"), [("2026-11-22", "No proof can be given for 2026-11-22"), ("soon", "Choose a day.")]
)
async def test_where_there_is_none_one_sentence_says_so(home: House, day: str, words: str) -> None:
    browser = await home.citizen()
    await browser.get("/console/me/complete")
    await browser.post("/console/me/day", day=day)

    assert words in await text_of(browser, "/console/me/complete")


@pytest.mark.parametrize("who", [DPO, HUB_DPO], ids=["dpo", "hub_dpo"])
async def test_nobody_asks_it_about_somebody_else(home: House, who: Any) -> None:
    with pytest.raises(LookRefused):
        await home.consoles.desk.look(who, "day", "a reason that is long enough", subject=ANNA, day=date(2026, 11, 22))


async def test_what_counts_is_what_the_purpose_showed_at_that_moment(home: House) -> None:
    mine, theirs = home.exchange(ANNA), home.exchange(BERT, ANNA, purpose=MARRIAGE)  # somebody else's marriage
    tag = Sealer(home.keyring).subject_tag(ANNA.type, ANNA.id, 2026)
    shown = home.consoles.desk.shown_at(home.clock.now)

    assert [True, False] == [shown(tag, home.ledger.shard, index) for index in (mine, theirs)]
