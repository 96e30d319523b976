"""A text in a browser: changed in a form, read back by the machine, approved by two, and the register anyone may read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from integrator.consoles.people import Person
from tests.flows.consoles.conftest import DESK, LANGUAGES, PEOPLE, PHONE, Axe, VisitAs, fits, follow
from tests.flows.questions import one_each
from tests.flows.sandboxes import Callers, purposes

pytestmark = pytest.mark.browser

PEOPLE["steward"] = Person("test-steward", "sanne", frozenset({"steward"}))
PICTURES = os.environ.get("PICTURES")  # a folder: every page is photographed into it
CODE = "marriage_declaration"
WHY = "the registrar asked for a better reason text"


@pytest.fixture(scope="session")
def asked(doors: Callers) -> None:
    """Somebody asked something, so that there is something to judge again."""
    one = next(one for one in one_each() if one.service.name == "person.get")
    assert 200 == doors.ask("person.get", one.question, purpose=one.purpose, organisation=one.organisation).status


def test_a_text_is_changed_in_a_form_and_in_force_once_two_people_approved_it(
    visit_as: VisitAs, axe: Axe, asked: None
) -> None:
    steward = visit_as("steward", script=False)
    steward.goto(f"/console/texts/purposes/{CODE}")
    follow(steward.get_by_role("link", name="Propose a change"))
    _change(steward, lambda text: text.replace("retention: Y10", "retention: Y7"))
    follow(steward.get_by_role("button", name="Check and propose"))

    expect(steward.get_by_text("The machine found errors")).to_be_visible()
    assert WHY == steward.get_by_label("Why", exact=True).input_value()

    steward.goto(f"/console/texts/new?purpose={CODE}")
    _change(steward, lambda text: text + "# read again by the registrar\n")
    follow(steward.get_by_role("button", name="Check and propose"))

    expect(steward.get_by_text("You proposed this")).to_be_visible()
    assert steward.get_by_text("Nobody gets more or less").is_visible()
    assert 0 == steward.get_by_role("button", name="Approve").count()

    place = steward.url
    for role in ("dpo", "hub_dpo"):
        page = visit_as(role, script=False)
        page.goto(place)
        follow(page.get_by_role("button", name="Approve"))

        expect(page.get_by_text("Your approval is in the ledger")).to_be_visible()

    page = visit_as("auditor")
    page.goto(place)
    for _ in range(60):  # it takes effect within seconds
        if page.get_by_text("in force", exact=True).count():
            break
        page.wait_for_timeout(500)
        page.reload()

    expect(page.get_by_text("in force", exact=True)).to_be_visible()


PROPOSED: list[str] = []  # its page; proposed once


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_accessible_and_fits_a_phone(visit_as: VisitAs, axe: Axe, asked: None, language: str) -> None:
    if not PROPOSED:
        steward = visit_as("steward", "en", script=False)
        steward.goto("/console/texts/new?purpose=school_enrolment")
        _change(steward, lambda text: text.replace("address, language, parents", "address, parents"))
        follow(steward.get_by_role("button", name="Check and propose"))
        PROPOSED.append(steward.url)
    proposal = PROPOSED[0]
    for name, size in (("phone", PHONE), ("desk", DESK)):
        page = visit_as("hub_dpo", language, size=size)
        paths = ("/console/texts/", f"/console/texts/purposes/{CODE}", f"/console/texts/new?purpose={CODE}", proposal, "/console/texts/diet", "/console/register/")  # fmt: skip
        for path in paths:
            assert page.goto(path).ok, path

            _photograph(
                page, f"texts-{path.strip('/').rpartition('/')[2].partition('?')[0][:12] or 'home'}-{language}-{name}"
            )
            assert fits(page), path
            if size is DESK:
                axe(page)


def test_the_emergency_brake_and_its_release_are_on_the_pages(visit_as: VisitAs, axe: Axe) -> None:
    officer = visit_as("hub_dpo")
    officer.goto("/console/texts/purposes/death_handling")
    officer.get_by_text("Suspend now").first.click()
    officer.locator("#f-reason").fill("a breach is suspected at one body")
    follow(officer.get_by_role("button", name="Suspend now"))

    expect(officer.get_by_text("Suspended. Within seconds")).to_be_visible()
    _photograph(officer, "texts-suspended-en-desk")
    axe(officer)

    steward = visit_as("steward")
    steward.goto("/console/texts/")
    steward.get_by_text("Ask it back").first.click()
    steward.locator("main details[open] textarea").fill("the suspicion was unfounded")
    follow(steward.locator("main details[open] button"))
    officer.goto("/console/texts/")
    follow(officer.get_by_role("button", name="Give back"))

    expect(officer.get_by_text("Given back.")).to_be_visible()


def test_the_register_is_open_to_anyone_and_prints(visit_as: VisitAs, axe: Axe) -> None:
    page = visit_as(None, "fr")
    page.goto("/console/register/")

    expect(page.get_by_role("heading", name="Registre des traitements")).to_be_visible()
    assert len(purposes()) + 1 == page.locator("details.register").count()  # and what the hub does as a processor

    axe(page)
    assert not page.get_by_text("Aucun transfert").first.is_visible()

    page.emulate_media(media="print")

    assert not page.locator(".tools").is_visible()


def _change(page: Any, how: Any) -> None:
    area = page.locator("#f-text")
    area.fill(how(area.input_value()))
    page.locator("#f-reason").fill(WHY)
    page.set_default_timeout(120_000)  # the machine reads the text at a low priority, and may have other things to do


def _photograph(page: Any, name: str) -> None:
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"), full_page=True)
