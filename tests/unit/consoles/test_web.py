"""The frame of the pages: whose form it was, how long a session lives, what a refusal says, and what is kept where."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from audit import Subject
from integrator.consoles.people import Person
from integrator.consoles.rendering import LANGUAGES, words
from integrator.consoles.sessions import IDLE, LONGEST
from integrator.consoles.vault import SealBroken, Vault
from tests.unit.consoles.doorstep import Browser, Clock, consoles

HUB_DPO = Person("local-1", "dpo-hub", frozenset({"hub_dpo"}))
NUMBER = "85610100147"
WHY = "complaint of the person herself"


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def house(tmp_path, clock):
    opened = consoles(tmp_path, clock)
    yield opened
    opened.database.close()


@pytest.fixture
async def browser(house):
    made = Browser(house)
    made.cookies["session"] = (await house.sessions.begin(HUB_DPO)).token
    return made


async def test_a_form_of_another_site_changes_nothing(house, browser):
    await browser.get("/console/dpo/person")
    for token, headers in (
        ("", {}),
        ("made-up", {}),
        (None, {"sec-fetch-site": "cross-site"}),
        (None, {"sec-fetch-site": "same-site"}),
    ):
        reply = await browser.post("/console/dpo/person", token, headers=headers, type="nrn", number=NUMBER, reason=WHY)
        assert 403 == reply.status
        await browser.get("/console/dpo/person")

    assert "subject" not in (await house.sessions.find(browser.cookies["session"])).data


async def test_the_token_of_somebody_elses_form_is_worth_nothing(house, browser):
    other = Browser(house)
    await other.get("/console/signin")
    token = re.search(r'name="csrf" value="([^"]+)"', other.page)[1]

    assert 403 == (await browser.post("/console/dpo/person", token, type="nrn", number=NUMBER, reason=WHY)).status


async def test_a_number_that_was_typed_stands_in_no_address_page_or_table(house, browser, tmp_path):
    await browser.get("/console/dpo/person")
    reply = await browser.post("/console/dpo/person", type="nrn", number="85.61.01-001.47", reason=WHY)

    assert (303, "/console/dpo/person") == (reply.status, reply.headers["location"])
    assert ["nrn", NUMBER] == (await house.sessions.find(browser.cookies["session"])).data["subject"]
    house.database.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert NUMBER.encode() not in stored
    assert browser.cookies["session"].encode() not in stored


async def test_a_wrong_number_is_not_sent_back_in_the_page(browser):
    await browser.get("/console/dpo/person")
    reply = await browser.post("/console/dpo/person", type="nrn", number="85610100148", reason=WHY)

    assert 400 == reply.status
    assert "85610100148" not in browser.page


@pytest.mark.parametrize("wait", [IDLE + 1, LONGEST + 1])
async def test_a_session_ends_when_nobody_clicks(house, browser, clock, wait):
    clock.now += wait

    assert "/console/signin" == (await browser.get("/console/dpo/person")).headers["location"]


async def test_a_session_ends_after_a_working_day_however_much_is_clicked(house, browser, clock):
    for _ in range(LONGEST // 1200):
        clock.now += 1200
        await house.sessions.find(browser.cookies["session"])
    clock.now += 1

    assert await house.sessions.find(browser.cookies["session"]) is None


async def test_signing_out_everywhere_ends_every_session_of_that_person_only(house, browser):
    second, other = (
        await house.sessions.begin(HUB_DPO),
        await house.sessions.begin(Person("local-2", "x", frozenset({"auditor"}))),
    )
    await browser.get("/console/dpo/person")
    await browser.post("/console/signout", everywhere="1")

    assert await house.sessions.find(second.token) is None
    assert await house.sessions.find(other.token) is not None


async def test_who_is_not_signed_in_is_sent_to_the_door_and_who_has_no_role_is_told(house):
    stranger = Browser(house)
    assert "/console/signin" == (await stranger.get("/console/dpo/person")).headers["location"]

    auditor = Browser(house)
    auditor.cookies["session"] = (await house.sessions.begin(Person("a", "a", frozenset({"auditor"})))).token
    assert 403 == (await auditor.get("/console/dpo/person")).status


async def test_cookies_of_a_hub_behind_tls_are_secure_and_kept_to_this_host(tmp_path, clock):
    house = consoles(tmp_path, clock, secure=True)
    reply = await Browser(house).get("/console/signin")

    assert reply.headers["set-cookie"].startswith("__Host-session=")
    for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert word in reply.headers["set-cookie"]
    house.database.close()


async def test_pages_let_nothing_in_and_are_kept_nowhere(browser):
    headers = (await browser.get("/console/dpo/person")).headers

    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert ("no-store", "no-referrer") == (headers["cache-control"], headers["referrer-policy"])
    assert [] == re.findall(r"<script(?! src)|<style|\sstyle=|\son\w+=", browser.page)


async def test_a_form_that_is_too_large_or_of_another_kind_is_refused(house, browser):
    await browser.get("/console/dpo/person")

    assert 413 == (await browser.post("/console/dpo/person", reason="x" * 70_000)).status


async def test_an_error_nobody_foresaw_says_nothing_of_its_words(house, browser):
    house.desk.answers["health"] = RuntimeError(f"about {NUMBER}")
    reply = await browser.get("/console/dpo/health")

    assert 500 == reply.status
    assert NUMBER not in browser.page


async def test_head_is_answered_as_get_is(house):
    from tests.unit.api.stand_in import Caller
    from tests.unit.consoles.doorstep import _mounted

    assert 200 == (await Caller(_mounted(house))("HEAD", "/console/signin")).status


async def test_the_language_is_the_one_that_was_chosen_then_the_one_the_browser_asks(house):
    browser = Browser(house)
    await browser.get("/console/signin", **{"accept-language": "de, nl-BE;q=0.9, en;q=0.1"})
    assert '<html lang="nl">' in browser.page
    await browser.get("/console/signin?lang=en")
    await browser.get("/console/signin", **{"accept-language": "fr"})
    assert '<html lang="en">' in browser.page


async def test_words_that_look_like_markup_are_shown_as_words(house, browser):
    await browser.get("/console/dpo/person")
    await browser.post("/console/dpo/person", type="nrn", number="1", reason="<b>why</b> I look")

    assert "&lt;b&gt;why" in browser.page


def test_what_was_sealed_for_one_use_opens_for_no_other():
    vault = Vault(bytes(range(32)))
    sealed = vault.seal("session", "text")

    assert "text" == vault.open("session", sealed)
    for use, text in (("oidc", sealed), ("session", sealed[:-3] + "AAA"), ("session", ""), ("session", "é")):
        with pytest.raises(SealBroken):
            vault.open(use, text)


def test_every_text_has_its_blanks_in_every_language():
    blanks = {
        name: {language: set(re.findall(r"\{(\w*)\}", text[language])) for language in LANGUAGES}
        for name, text in words().items()
    }

    assert {} == {name: found for name, found in blanks.items() if len(set(map(frozenset, found.values()))) > 1}


def test_every_text_that_a_template_names_exists():
    folder = Path(__file__).resolve().parents[3] / "integrator" / "consoles" / "templates"
    named = {
        name
        for path in folder.rglob("*.html")
        for name in re.findall(r"\bt\(\"([a-z_.]+[a-z])\"[,)]", path.read_text())
    }

    assert set() == named - set(words())


def test_a_person_is_read_back_as_written():
    person = Person("local-1", "Ann", frozenset({"citizen", "dpo"}), "1992100975", Subject("nrn", NUMBER), "nl")

    assert person == Person.read(person.text())
