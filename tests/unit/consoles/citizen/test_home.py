"""The citizen's list and the page of one line: his own rows, no trace of what is kept from him, and never a name."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from audit.errors import NotPublished
from audit.keeping import Order, restrict
from tests.unit.audit.kit import a_draft
from tests.unit.consoles.citizen.rig import DAY, FINE, MARRIAGE, House, house, text_of
from tests.unit.consoles.desk import ANNA, BERT, BRUSSELS, IXELLES

LINES = re.compile(r"/console/me/line\?shard=[^&]+&amp;index=(\d+)")


def lines(page: str) -> list[int]:
    return [int(one) for one in LINES.findall(page)]


async def test_the_newest_stands_first_and_each_says_who_why_and_under_which_law(home: House) -> None:
    first = home.exchange()
    second = home.exchange(purpose=FINE, org=BRUSSELS)
    page = await text_of(await home.citizen(), "/console/me/")

    assert [second, first] == lines(page)
    for words in (
        "Municipality of Ixelles received data about you", "Why: Application for a resident parking card",
        "For something I asked for", "On the authority’s own initiative", "Protocol SANDBOX 2026/001", "National Register",
    ):  # fmt: skip
        assert words in page, words


async def test_a_case_asked_twice_stands_together(home: House) -> None:
    home.exchange(case="2026/117"), home.exchange(), home.exchange(case="2026/117")
    page = await text_of(await home.citizen(), "/console/me/")

    assert ("Case 2026/117" in page, 3) == (True, len(lines(page)))
    assert "lines on this page: 2" in page


async def test_somebody_else_s_lines_are_not_listed_nor_opened_nor_contested(home: House) -> None:
    theirs = home.exchange(BERT)
    browser = await home.citizen()

    assert [] == lines(await text_of(browser, "/console/me/"))

    where: Any = {"shard": home.ledger.shard, "index": str(theirs)}
    size = home.store.size(home.ledger.shard)
    nowhere = await browser.get("/console/me/line?shard=nothing&index=1")
    not_there = browser.page

    assert (404, 404) == (
        nowhere.status,
        (await browser.get(f"/console/me/line?shard={where['shard']}&index={theirs}")).status,
    )
    assert re.sub(r'value="[^"]+"', "", not_there).replace("shard=nothing&amp;index=1", "") == re.sub(
        r'value="[^"]+"', "", browser.page
    ).replace(f"shard={where['shard'].replace('/', '%2F')}&amp;index={theirs}", "")
    assert 404 == (await browser.post("/console/me/contest", **where, kind="wrong", words="not mine at all")).status
    assert 404 == (await browser.post("/console/me/evidence", **where)).status
    assert {"audit.read"} == {stored.kind for stored in home.store.read(home.ledger.shard, size, size + 9)}


async def test_a_restricted_line_leaves_no_trace_in_the_page(tmp_path: Path) -> None:
    pages = []
    for hidden in (False, True):
        folder = tmp_path / str(hidden)
        folder.mkdir()
        with house(folder) as home:
            home.exchange(purpose=FINE, org=BRUSSELS)
            if hidden:
                index = home.exchange()
                order = Order("judge", "eu-gdpr:A23-1-d", "court", "2026/9", "under way")
                restrict(home.store, home.ledger, home.ledger.shard, [index - 1, index], order, review=date(2027, 1, 1))
            pages.append(await text_of(await home.citizen(), "/console/me/"))

    assert "Everybody sees this sentence" in pages[0]
    assert pages[0] == pages[1]


async def test_a_relative_does_not_learn_of_somebody_else_s_marriage_but_is_told_of_what_is_safe(home: House) -> None:
    home.exchange(BERT, ANNA, purpose=MARRIAGE)
    safe = home.exchange(BERT, ANNA)
    browser = await home.citizen()

    assert [safe] == lines(await text_of(browser, "/console/me/"))

    page = await text_of(browser, f"/console/me/line?shard={home.ledger.shard}&index={safe}")

    assert "not about you in the first place" in page


async def test_one_s_own_looks_are_recorded_and_shown_only_on_demand(home: House) -> None:
    browser = await home.citizen()
    await text_of(browser, "/console/me/")
    look = home.last()

    assert ("audit.read", "self", [ANNA]) == (look.entry["type"], look.entry["initiator"], look.subjects)
    assert [] == lines(await text_of(browser, "/console/me/"))
    assert 3 == len(lines(await text_of(browser, "/console/me/?own=1")))


async def test_the_officer_who_looked_is_told_with_his_reason(home: House) -> None:
    officer = await home.officer()
    person = (await home.consoles.sessions.find(officer.cookies["session"])).person  # type: ignore[union-attr]
    await home.consoles.desk.look(person, "about", "complaint 2026/44 of the person", subject=ANNA)
    browser = await home.citizen()
    [index] = lines(await text_of(browser, "/console/me/"))
    page = await text_of(browser, f"/console/me/line?shard={home.ledger.shard}&index={index}")

    assert "complaint 2026/44 of the person" in page
    assert person.id not in page


async def test_role_and_unit_are_shown_and_never_who(home: House) -> None:
    index = home.exchange()
    page = await text_of(await home.citizen(), f"/console/me/line?shard={home.ledger.shard}&index={index}")

    assert ("clerk, parking" in page, "agent-77" in page) == (True, False)


async def test_a_refusal_says_why_not_and_under_which_text(home: House) -> None:
    clear = {
        "consumer": {"org": IXELLES, "app": "counter"}, "status": "Error", "reason_code": "EXPIRED",
        "policy": {"id": "resident_permit@2026-1", "decision": "deny"},
        "dpl.core.processing_activity_id": "https://ropa.integrator.example/resident_permit/v1",
    }  # fmt: skip
    [record] = home.write(a_draft("denied", subjects=[ANNA], clear=clear))
    page = await text_of(await home.citizen(), f"/console/me/line?shard={home.ledger.shard}&index={record.index}")

    assert "The authorisation had ended." in page
    assert "The text that came nearest." in page


async def test_pages_follow_each_other_without_losing_or_repeating_a_line(home: House) -> None:
    written = [home.exchange() for _ in range(53)]
    browser = await home.citizen()
    first = await text_of(browser, "/console/me/")
    following = re.search(r'class="next" href="([^"]+)"', first)
    second = await text_of(browser, following[1] if following else "no next page")

    assert written[::-1] == lines(first) + lines(second)


async def test_filters_keep_to_one_year_and_one_organisation(home: House) -> None:
    home.exchange(org=BRUSSELS)
    mine = home.exchange()
    browser = await home.citizen()

    assert [mine] == lines(await text_of(browser, f"/console/me/?org={IXELLES}&year=2026"))
    assert [] == lines(await text_of(browser, "/console/me/?year=2025"))
    assert 2 == len(lines(await text_of(browser, "/console/me/?org=nobody&year=1066&cursor=%FF")))


@pytest.mark.parametrize("language", ["nl", "fr", "en"])
async def test_no_page_holds_the_person_s_number(home: House, language: str) -> None:
    index = home.exchange()
    browser = await home.citizen(language=language)
    for path in ("", f"line?shard={home.ledger.shard}&index={index}", "contests", "complete", "notice"):
        assert ANNA.id not in await text_of(browser, f"/console/me/{path}")


async def test_the_page_that_verifies_runs_only_its_own_script(home: House) -> None:
    reply = await (await home.citizen()).get("/console/me/verify")
    policy = reply.headers["content-security-policy"]

    assert (2, 1, False) == (
        len(re.findall("'sha256-[^']+'", policy.split("style-src")[0])),
        policy.count("style-src 'sha256-"),
        "unsafe" in policy,
    )


async def test_what_came_since_the_last_visit_is_told_to_who_asked_and_one_s_own_doing_is_not_news(home: House) -> None:
    home.exchange()
    quiet = await home.citizen()
    await text_of(quiet, "/console/me/notice")
    await quiet.post("/console/me/notice", on="1")
    home.clock.now += DAY
    fresh = home.exchange(purpose=FINE)
    home.exchange(clear={"initiator": "self"})
    page = await text_of(await home.citizen(), "/console/me/")

    assert "One new line since your visit of 23 November 2026." in page
    assert (fresh in lines(page), 1) == (True, page.count('class="event new"'))

    home.clock.now += DAY

    assert "Nothing new since your visit of 24 November 2026." in await text_of(await home.citizen(), "/console/me/")

    again = await home.citizen()
    await text_of(again, "/console/me/notice")
    await again.post("/console/me/notice", on="0")

    assert "since your visit" not in await text_of(again, "/console/me/")


async def test_the_light_is_green_only_when_somebody_outside_confirms_the_record(home: House) -> None:
    log = {"final": False, "failure": None, "waiting": 0.1}
    stamp = {"alarm": False, "age": 10.0}
    for told, colour in (
        ({}, "Amber"), ({"logs": [log]}, "Amber"), ({"logs": [log], "stamps": [stamp]}, "Green"),
        ({"logs": [log], "stamps": [{**stamp, "alarm": True}]}, "Red"),
        ({"logs": [{**log, "final": True}], "stamps": [stamp]}, "Red"),
        ({"logs": [log], "stamps": [stamp], "witnesses": [{"alarm": None, "reason": "TIMEOUT", "cosigned_at": 1}]}, "Amber"),
    ):  # fmt: skip
        home.consoles.desk._health = lambda told=told: told  # type: ignore[misc]

        assert f"{colour}: " in await text_of(await home.citizen(), "/console/me/complete"), told


async def test_evidence_that_is_not_published_yet_is_asked_again_and_nothing_looks_broken(home: House) -> None:
    async def early(shard: str, index: int, audiences: Any) -> bytes:
        raise NotPublished("no anchor covers it yet")

    home.consoles.desk._proof = early
    index = home.exchange()
    browser = await home.citizen()
    line = f"/console/me/line?shard={home.ledger.shard}&index={index}"
    await text_of(browser, line)
    reply = await browser.post("/console/me/evidence", shard=home.ledger.shard, index=str(index))

    assert (303, True) == (reply.status, "The evidence is not ready yet" in await text_of(browser, line))
