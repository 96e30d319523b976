"""An alert in a browser: somebody protected is looked up, the officer of that organisation asks why, and escalates."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.flows.consoles.conftest import DESK, LANGUAGES, PHONE, Axe, VisitAs, fits, follow
from tests.flows.questions import PERSON, one_each
from tests.flows.sandboxes import Callers

pytestmark = pytest.mark.browser

WHY = "threatened, decision 2026/9"
PICTURES = os.environ.get("PICTURES")  # a folder: every page is photographed into it
PATIENCE = 60.0  # seconds until what was written has been judged
TITLE = "Somebody on the protected list was looked up"


@pytest.fixture(scope="session")
def person_get(doors: Callers) -> Any:
    """Asks once about the test person."""
    one = next(one for one in one_each() if one.service.name == "person.get")
    return lambda: doors.ask(one.service.name, one.question, purpose=one.purpose, organisation=one.organisation)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_accessible_and_fits_a_phone(visit_as: VisitAs, axe: Axe, person_get: Any, language: str) -> None:
    assert 200 == person_get().status
    for name, size in (("phone", PHONE), ("desk", DESK)):
        page = visit_as("hub_dpo", language, size=size)
        for path in ("", "?state=justified", "protected", "breach", "statistics"):
            assert page.goto(f"/console/alerts/{path}").ok, path

            _photograph(page, f"alerts-{path.strip('?') or 'home'}-{language}-{name}")
            assert fits(page), path
            if size is DESK:
                axe(page)


def test_an_alert_goes_from_the_look_to_its_escalation(visit_as: VisitAs, axe: Axe, person_get: Any) -> None:
    keeper = visit_as("hub_dpo", script=False)
    asked: list[str] = []
    keeper.on("request", lambda request: asked.append(request.url))
    keeper.goto("/console/alerts/protected")
    keeper.locator("#f-number").fill(PERSON["ssin"])
    keeper.locator("#f-reason").fill(WHY)
    follow(keeper.get_by_role("button", name="Put on the list"))

    expect(keeper.get_by_text("On the list, this year and the next.")).to_be_visible()
    assert [] == [url for url in asked if PERSON["ssin"] in url]

    assert 200 == person_get().status

    officer = visit_as("dpo", script=False)
    _until(officer, "/console/alerts/", TITLE)
    follow(officer.get_by_role("link", name=TITLE).first)

    expect(officer.get_by_text("For this rule no explanation counts beforehand")).to_be_visible()
    expect(officer.locator("details.told").first).to_be_visible()
    assert PERSON["ssin"] not in officer.content()
    assert fits(officer)
    _photograph(officer, "alert-en-desk")
    looked = visit_as("dpo")
    looked.goto(officer.url)
    axe(looked)

    officer.locator("#f-words").fill("the service does not know of this look")
    follow(officer.get_by_role("button", name="Escalate for inquiry"))

    expect(officer.get_by_text("Escalated: somebody has to look into this.")).to_be_visible()
    assert 0 == officer.get_by_role("button", name="Escalate for inquiry").count()


def test_the_protected_list_is_read_by_two_people_or_by_nobody(visit_as: VisitAs) -> None:
    asker, second = visit_as("hub_dpo", script=False), visit_as("hub_dpo_2", script=False)
    asker.goto("/console/alerts/protected")
    asker.locator("#f-wish").fill("yearly check of the list")
    follow(asker.get_by_role("button", name="Ask a second person"))

    assert 0 == asker.get_by_role("button", name="Read together").count()

    second.goto("/console/alerts/protected")
    follow(second.get_by_role("button", name="Read together"))

    expect(second.get_by_text("tags on the list")).to_be_visible()
    assert PERSON["ssin"] not in second.content()

    assert 403 == visit_as("dpo").goto("/console/alerts/protected").status


def test_the_scope_of_a_leak_is_figures_first_and_names_people_only_in_the_pack(
    visit_as: VisitAs, axe: Axe, person_get: Any
) -> None:
    assert 200 == person_get().status
    page = visit_as("hub_dpo")
    page.goto("/console/alerts/breach")
    _leak(page)
    follow(page.get_by_role("button", name="See the figures"))

    expect(page.get_by_role("heading", name="Application test-ixelles")).to_be_visible()
    assert PERSON["ssin"] not in page.content()
    axe(page)
    _photograph(page, "alerts-breach-found-en-desk")

    _leak(page)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save the pack").click()

    assert PERSON["ssin"] in Path(saved.value.path()).read_text(encoding="utf-8")


def _leak(page: Any) -> None:
    page.locator("#f-app").fill("test-ixelles")
    page.locator("#f-since").fill("2020-01-01T00:00")
    page.locator("#f-until").fill("2099-01-01T00:00")
    page.locator("#f-reason").fill("key found on a public page, incident 7")


def _until(page: Any, path: str, text: str) -> None:
    """Look again until the words are there."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        page.goto(path)
        if page.get_by_text(text).count():
            return
        time.sleep(0.3)
    raise AssertionError(f"{text!r} did not come")


def _photograph(page: Any, name: str) -> None:
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"), full_page=True)
