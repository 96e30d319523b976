"""The pages of texts without a hub: each is whole in every state and language, and a step is for whom it is for."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from integrator import settings
from integrator.consoles.people import Person
from integrator.consoles.web import Consoles
from integrator.governing.opening import Governing
from integrator.governing.proving import load_all_services
from tests.unit.consoles.doorstep import Browser, Clock, consoles
from tests.unit.governing.kit import (
    AUDITOR,
    DPO,
    GOOD,
    HUB,
    HUB_2,
    SCHOOL,
    STEWARD,
    UCCLE,
    WHY,
    House,
    house,
    propose,
    without_gender,
    without_language,
)

LANGUAGES = ("nl", "fr", "en")
REPLAYED = {
    **GOOD,
    "differences": {language: ["somebody loses something"] for language in LANGUAGES},
    "replay": {
        "calls": 12, "untouched": 7, "assumed": 1, "unweighed": 2,
        "changes": [{"organisation": DPO.org, "application": "counter", "purpose": SCHOOL, "service": "person.get", "calls": 5,
                     "refused": {"EXPIRED": 2}, "allowed": {}, "lost": {"language": 3}, "gained": {}}],
    },
    "findings": [{"severity": "warning", "file": "policies/x.yaml", "line": 4, "message": "overlap"}],
}  # fmt: skip


@dataclass
class Rig:
    consoles: Consoles
    house: House

    async def browser(self, person: Person) -> Browser:
        made = Browser(self.consoles)
        made.cookies["session"] = (await self.consoles.sessions.begin(person)).token
        return made


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async def proved(changed: Any, at: float) -> Any:
        return REPLAYED

    shown = consoles(tmp_path, Clock())
    one = house(f"sqlite:///{tmp_path}/governing.db", tmp_path, prove=proved)
    database = one.store.database
    shown.extras["governing"] = Governing(
        one.live, one.office, one.suspending, load_all_services(), settings.organisations(), None, one.clock, database
    )
    yield Rig(shown, one)
    shown.database.close()
    database.close()


async def test_every_page_is_whole_in_every_language_for_each_role(rig: Rig) -> None:
    waiting = await propose(rig.house, STEWARD, without_language())
    for person in (HUB, HUB_2):
        await rig.house.office.approve(person, waiting.id)
    stale = await propose(rig.house, STEWARD, without_gender(without_language()))
    await rig.house.live.look()
    held = await rig.house.suspending.suspend(HUB, f"{SCHOOL}@2026-1", None, WHY)
    await rig.house.suspending.ask_back(STEWARD, held.id, WHY)
    for person in (STEWARD, HUB, DPO, AUDITOR):
        browser = await rig.browser(person)
        for language in LANGUAGES:
            paths = [
                "", f"purposes/{SCHOOL}", waiting.id, stale.id, "diet",
                *([f"new?purpose={SCHOOL}", "new"] if person is not AUDITOR else []),
            ]  # fmt: skip
            for path in paths:
                reply = await browser.get(f"/console/texts/{path}{'&' if '?' in path else '?'}lang={language}")

                assert 200 == reply.status, (path, language, sorted(person.roles))


async def test_the_replay_is_told_with_names_and_numbers(rig: Rig) -> None:
    made = await propose(rig.house, STEWARD, without_language())
    browser = await rig.browser(HUB)
    await browser.get(f"/console/texts/{made.id}?lang=en")

    for words in (
        "12 questions judged again, 7 with the same answer",
        "Municipality of Ixelles · counter",
        "For 2 questions the text looks at who asks",
        "2 refused (EXPIRED)",
        "(3)",
    ):
        assert words in browser.page


@pytest.mark.parametrize(
    ("org", "seen"), [(DPO.org, True), (UCCLE, False), (None, False)], ids=["its own", "another one", "none"]
)
async def test_the_officer_of_one_organisation_sees_of_the_replay_what_that_one_asked(
    rig: Rig, org: str | None, seen: bool
) -> None:
    made = await propose(rig.house, STEWARD, without_language())
    browser = await rig.browser(replace(DPO, org=org))
    await browser.get(f"/console/texts/{made.id}?lang=en")

    assert seen == ("Municipality of Ixelles · counter" in browser.page)
    assert "What your own organisation asked" in browser.page
    assert "questions judged again" not in browser.page


async def test_a_form_proposes_and_two_others_approve(rig: Rig) -> None:
    steward = await rig.browser(STEWARD)
    await steward.get(f"/console/texts/new?purpose={SCHOOL}&lang=en")
    (base,) = re.findall(r'name="from" value="(\w+)"', steward.page)
    reply = await steward.post("/console/texts/new", **{"from": base}, purpose=SCHOOL, text=without_language().decode().replace("\n", "\r\n"), reason=WHY, effective="")  # fmt: skip
    place = reply.headers["location"]

    assert (303, "/console/texts/") == (reply.status, place[:15])

    await steward.get(place)
    await steward.post(f"{place}/approve")
    await steward.get(place)

    assert "Whoever proposes does not approve" in steward.page

    for person in (DPO, HUB):
        browser = await rig.browser(person)
        await browser.get(f"{place}?lang=en")
        await browser.post(f"{place}/approve")
    await rig.house.live.look()

    assert without_language() == rig.house.school


async def test_a_form_that_is_not_whole_says_what_to_mend_and_keeps_what_was_typed(rig: Rig) -> None:
    browser = await rig.browser(STEWARD)
    await browser.get(f"/console/texts/new?purpose={SCHOOL}&lang=en")
    for typed, said in (
        ({"text": "nothing", "reason": WHY, "effective": ""}, "This is not the text of a purpose"),
        ({"text": without_language().decode(), "reason": "no", "effective": ""}, "Say why, in 10 to 500"),
        ({"text": without_language().decode(), "reason": WHY, "effective": "2020-01-01"}, "Choose today"),
    ):
        reply = await browser.post("/console/texts/new", purpose=SCHOOL, **typed)

        assert 400 == reply.status
        assert said in browser.page


async def test_a_form_that_was_open_while_another_text_was_approved_says_to_start_again(rig: Rig) -> None:
    steward = await rig.browser(STEWARD)
    await steward.get(f"/console/texts/new?purpose={SCHOOL}&lang=en")
    (base,) = re.findall(r'name="from" value="(\w+)"', steward.page)
    waiting = await propose(rig.house, STEWARD, without_language())
    for person in (HUB, HUB_2):
        await rig.house.office.approve(person, waiting.id)
    reply = await steward.post("/console/texts/new", **{"from": base}, purpose=SCHOOL, text=without_gender().decode(), reason=WHY, effective="")  # fmt: skip

    assert 400 == reply.status
    assert "not written from the newest text" in steward.page
    assert f"/texts/new?purpose={SCHOOL}" in steward.page


async def test_an_auditor_reads_and_takes_no_step_and_a_citizen_is_not_let_in(rig: Rig) -> None:
    made = await propose(rig.house, STEWARD, without_language())
    auditor = await rig.browser(AUDITOR)
    await auditor.get(f"/console/texts/{made.id}")

    assert "/approve" not in auditor.page
    assert 403 == (await auditor.post(f"/console/texts/{made.id}/approve")).status

    citizen = await rig.browser(Person("c", "C", frozenset({"citizen"})))

    assert 403 == (await citizen.get("/console/texts/")).status


async def test_what_does_not_exist_is_said_not_to(rig: Rig) -> None:
    browser = await rig.browser(HUB)

    assert {404} == {(await browser.get(f"/console/texts/{one}")).status for one in ("0" * 32, "purposes/nothing")}


async def test_the_register_needs_no_account(rig: Rig) -> None:
    browser = Browser(rig.consoles)
    for language in LANGUAGES:
        assert 200 == (await browser.get(f"/console/register/?lang={language}")).status

    reply = await browser.get("/console/register/?format=json")

    assert "application/json" == reply.headers["content-type"].partition(";")[0]
