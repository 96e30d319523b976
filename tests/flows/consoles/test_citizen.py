"""A citizen in a browser: finds a line, understands it, contests it, takes its evidence home and verifies it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from audit import Subject
from tests.flows.consoles.conftest import DESK, LANGUAGES, PHONE, Axe, VisitAs, fits, follow
from tests.flows.questions import DOSSIER, PERSON, one_each
from tests.flows.sandboxes import Callers

pytestmark = pytest.mark.browser

SQUIRREL = Subject("nrn", PERSON["ssin"])
MANDARIN = "62720696678"  # a person of her own for the test that contests many lines
PICTURES = os.environ.get("PICTURES")  # a folder: every page is photographed into it


@pytest.fixture(scope="session")
def traffic(doors: Callers) -> None:
    """Every service was asked once by who may ask it, one case twice, and one question was refused."""
    for one in one_each():
        if one.service.name != "address.get":  # asked by a number that a search has to tell first
            doors.ask(one.service.name, one.question, purpose=one.purpose, organisation=one.organisation)
    for _ in range(2):
        question = {
            "ssin": PERSON["ssin"],
            "plateNumber": PERSON["plateNumber"],
            "address": PERSON["address"],
            "dossierReference": DOSSIER,
        }
        doors.ask("parking.residentPermit.checkEligibility", question, purpose="resident_permit")
    refused = doors.ask(
        "livingWage.get", {"ssin": PERSON["ssin"], "dossierReference": DOSSIER}, purpose="resident_permit"
    )
    assert 403 == refused.status


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_accessible_and_fits_a_phone(visit_as: VisitAs, axe: Axe, traffic: None, language: str) -> None:
    for name, size in (("phone", PHONE), ("desk", DESK)):
        page = visit_as("citizen", language, subject=SQUIRREL, size=size)
        for path in ("", "contests", "notice", "complete", "?own=1"):
            answer = page.goto(f"/console/me/{path}")
            assert answer.ok, (path, answer.status)
            _judge(page, axe, size, f"me-{path.strip('?=1') or 'home'}-{language}-{name}")
        page.goto("/console/me/")
        follow(page.locator(".event .acts a").first)
        _judge(page, axe, size, f"me-line-{language}-{name}")
        follow(page.locator("a[href*='kind=wrong']"))
        _judge(page, axe, size, f"me-contest-{language}-{name}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_contests_are_accessible_in_every_state_to_the_citizen_and_the_officer(
    visit_as: VisitAs, axe: Axe, doors: Callers, language: str
) -> None:
    subject = Subject("nrn", MANDARIN)
    citizen = visit_as("citizen", language, subject=subject)
    numbers = []
    for words in ("La première question de tous.", "De tweede vraag van allemaal."):
        question = {"ssin": MANDARIN, "plateNumber": PERSON["plateNumber"], "address": PERSON["address"]}
        dossier = f"STATES-{language}-{len(numbers)}"
        permit = "parking.residentPermit.checkEligibility"
        asked = doors.ask(permit, question | {"dossierReference": dossier}, purpose="resident_permit")
        assert 200 == asked.status
        citizen.goto("/console/me/")
        citizen.evaluate("for (const one of document.querySelectorAll('main details')) one.open = true")
        follow(citizen.locator(".event .acts a").first)  # the newest
        follow(citizen.locator("a[href*='kind=wrong']"))
        citizen.locator("textarea").fill(words)
        follow(citizen.locator("form.card button"))
        numbers.append(citizen.locator(".contest .meta").first.inner_text().split()[-1])
    for number, (size, name) in zip(numbers, ((PHONE, "phone"), (DESK, "desk")), strict=True):
        officer = visit_as("dpo", language, size=size)
        officer.goto("/console/contests/")
        _judge(officer, axe, size, f"office-{language}-{name}")
        follow(officer.get_by_role("link", name=number))
        _judge(officer, axe, size, f"office-one-{language}-{name}")
        officer.locator("textarea").fill("Dit was een vergissing. / C’était une erreur.")
        follow(officer.locator("form.card button"))
        reader = visit_as("citizen", language, subject=subject, size=size)
        reader.goto("/console/me/contests")
        _judge(reader, axe, size, f"me-contests-full-{language}-{name}")


def _judge(page: Any, axe: Axe, size: Any, name: str) -> None:
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"), full_page=True)
    page.evaluate("for (const one of document.querySelectorAll('main details')) one.open = true")
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}-open.png"), full_page=True)
    assert fits(page), name
    if size is DESK:
        axe(page)


def test_a_citizen_signs_in_understands_a_line_contests_it_and_verifies_its_evidence_at_home(
    visit_as: VisitAs, axe: Axe, traffic: None, tmp_path: Path
) -> None:
    page = visit_as(None, size=PHONE)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    follow(page.get_by_role("link", name="Sign in through your organisation or eID"))
    page.get_by_label("Test number").fill(PERSON["ssin"])
    follow(page.get_by_role("button", name="Go on"))

    page.get_by_role("heading", name="Who used my data?").wait_for()
    page.get_by_text("Choose a year or an organisation").click()
    page.get_by_label("Organisation").select_option(label="Municipality of Ixelles")
    follow(page.get_by_role("button", name="Filter"))
    event = page.locator("article.event", has_text="heard only yes, no or unknown").first
    event.locator("summary").first.click()

    assert event.get_by_text("The household’s address").first.is_visible() or event.locator("dd li").count() > 1

    follow(event.get_by_role("link", name="Why was this allowed?"))

    expect(page.get_by_text("The text that allows it.")).to_be_visible()
    expect(page.get_by_text("Before anything was given, the hub checked")).to_be_visible()

    line = page.url
    bundle = _evidence(page, tmp_path)
    follow(page.get_by_role("link", name="Open the verify page"))
    page.set_input_files("#bundle", str(bundle))
    page.wait_for_selector("#verdict")
    states = dict(page.eval_on_selector_all(".level", "all => all.map(one => [one.dataset.level, one.dataset.state])"))

    assert ("proven", "proven") == (states["L1"], states["L2"]), states
    assert "wrong" not in states.values()

    page.goto(line)
    follow(page.get_by_role("link", name="Contest this line"))
    page.get_by_label("What do you want to say?").fill("I never applied for a parking card in this street.")
    follow(page.get_by_role("button", name="Send"))

    expect(page.get_by_text("You will have an answer by").first).to_be_visible()

    number = page.locator(".contest .meta").first.inner_text().split()[-1]
    axe(page)
    _answer(visit_as, axe, number)
    page.reload()

    expect(page.get_by_text("The counter mixed up two applications")).to_be_visible()

    page.goto("/console/me/")

    expect(page.get_by_text("I wrote this here myself").first).to_be_visible()
    assert [] == [url for url in asked if PERSON["ssin"] in url]


def _answer(visit_as: VisitAs, axe: Axe, number: str) -> None:
    """The officer of the organisation finds the contest and answers it; an officer of another one sees nothing."""
    officer = visit_as("dpo")
    follow(officer.get_by_role("link", name="Citizens’ contests").first)
    axe(officer)
    follow(officer.get_by_role("link", name=number))
    follow(officer.get_by_role("button", name="I take this up"))
    axe(officer)
    officer.get_by_label("Your answer").fill("The counter mixed up two applications. Yours was closed; we are sorry.")
    follow(officer.get_by_role("button", name="Send the answer and close"))

    expect(officer.get_by_text(f"Contest {number} was answered.")).to_be_visible()


def test_without_javascript_a_line_is_found_and_the_person_behind_it_asked_for(
    visit_as: VisitAs, traffic: None
) -> None:
    page = visit_as("citizen", "fr", subject=SQUIRREL, script=False, size=PHONE)
    follow(page.locator(".event .acts a").last)
    follow(page.get_by_role("link", name="Demander qui c’était"))
    follow(page.get_by_role("button", name="Envoyer"))

    expect(page.get_by_role("heading", name="Je veux savoir qui c’était").first).to_be_visible()


def _evidence(page: Any, folder: Path) -> Path:
    """The newest line is under a checkpoint within seconds; until then the page says to try again."""
    saved: list[Any] = []
    page.on("download", lambda one: saved.append(one))  # Playwright marks what it is given
    for _ in range(60):
        page.get_by_role("button", name="Save the evidence").click()
        page.wait_for_timeout(1_000)
        if saved:
            break
    saved[0].save_as(folder / "evidence.zip")
    return folder / "evidence.zip"


def test_on_paper_every_line_is_explained_and_nothing_is_left_to_click(visit_as: VisitAs, traffic: None) -> None:
    page = visit_as("citizen", "nl", subject=SQUIRREL)
    page.emulate_media(media="print")
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / "me-home-nl-paper.png"), full_page=True)

    expect(page.locator("article.event dl.facts").first).to_be_visible()
    assert [] == [one.inner_text() for one in page.locator("button").all() if one.is_visible()]


def test_in_the_dark_the_pages_are_as_readable(visit_as: VisitAs, axe: Axe, traffic: None) -> None:
    page = visit_as("citizen", "en", subject=SQUIRREL, size=PHONE)
    page.emulate_media(color_scheme="dark")
    for path in ("", "complete", "notice"):
        page.goto(f"/console/me/{path}")
        axe(page)
