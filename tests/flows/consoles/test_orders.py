"""An order by two people in a browser: asked by one, agreed by another, and the citizen no longer sees the exchange."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.flows.consoles.conftest import DESK, LANGUAGES, PHONE, Axe, VisitAs, fits, follow
from tests.flows.questions import one_each
from tests.flows.sandboxes import Callers

pytestmark = pytest.mark.browser

WHY = "inquiry 2026/17 is under way"
PICTURES = os.environ.get("PICTURES")  # a folder: every page is photographed into it


@pytest.fixture(scope="session")
def trace(doors: Callers) -> str:
    """The number of an exchange."""
    one = next(one for one in one_each() if one.service.name == "person.get")
    answer = doors.ask(one.service.name, one.question, purpose=one.purpose, organisation=one.organisation)
    assert 200 == answer.status
    return answer.trace


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_accessible_and_fits_a_phone(visit_as: VisitAs, axe: Axe, trace: str, language: str) -> None:
    for name, size in (("phone", PHONE), ("desk", DESK)):
        page = visit_as("hub_dpo", language, size=size)
        for path in ("", *(f"new?action={one}" for one in ("restrict", "release", "hold", "unhold", "erase"))):
            assert page.goto(f"/console/orders/{path}").ok, path

            _photograph(page, f"orders-{path.rpartition('=')[2] or 'home'}-{language}-{name}")
            assert fits(page), path
            if size is DESK:
                axe(page)
        page.goto(f"/console/orders/new?action=restrict&place={trace}")
        _fill(page)

        expect(page.locator("main form[action$='/ask']")).to_be_visible()
        _photograph(page, f"orders-preview-{language}-{name}")
        assert fits(page)
        axe(page)


def test_an_exchange_is_hidden_only_once_a_second_person_agreed(visit_as: VisitAs, axe: Axe, trace: str) -> None:
    asker = visit_as("hub_dpo", script=False)
    asker.goto(f"/console/orders/new?action=restrict&place={trace}")
    _fill(asker)

    expect(asker.get_by_text("no longer sees 2 lines")).to_be_visible()

    follow(asker.get_by_role("button", name="Ask a second person"))

    expect(asker.get_by_text("A second person has to agree now")).to_be_visible()
    assert 0 == asker.get_by_role("button", name="Agree").count()

    order = asker.url
    officer = visit_as("dpo")

    assert 404 == officer.goto(order).status

    second = visit_as("hub_dpo_2", script=False)
    second.goto("/console/orders/")
    second.goto(order)

    follow(second.get_by_role("button", name="Agree and carry out"))

    expect(second.get_by_text("Carried out, and written in the ledger")).to_be_visible()
    _photograph(second, "orders-done-en-desk")

    second.goto("/console/orders/")

    expect(second.get_by_role("row").filter(has_text=trace)).to_be_visible()
    _photograph(second, "orders-standing-en-desk")


def test_a_form_that_is_not_whole_says_what_to_mend_and_keeps_what_was_typed(visit_as: VisitAs, axe: Axe) -> None:
    page = visit_as("hub_dpo")
    page.goto("/console/orders/new?action=hold")
    page.evaluate("document.querySelectorAll('main [required]').forEach(one => one.removeAttribute('required'))")
    page.get_by_label("Reason").fill("a long enough reason")
    follow(page.get_by_role("button", name="See what will happen"))

    expect(page.get_by_text("Choose a day that is to come.")).to_be_visible()
    assert page.get_by_text("Choose a month, a term, or both.").is_visible()
    assert "a long enough reason" == page.get_by_label("Reason").input_value()

    axe(page)


def _fill(page: Any) -> None:
    assert page.locator("#f-review").count(), page.locator("main").inner_text()

    page.locator("#f-review").fill("2027-06-01")
    page.locator("#f-reason").fill(WHY)
    follow(page.locator("form.card button"))


def _photograph(page: Any, name: str) -> None:
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"), full_page=True)
