"""A citizen in a browser: finds a line, understands it, contests it, takes its evidence home and verifies it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from audit import Subject
from tests.flows.consoles.conftest import DESK, LANGUAGES, PHONE, Axe, VisitAs, fits
from tests.flows.questions import DOSSIER, PERSON, one_each
from tests.flows.sandboxes import Callers

pytestmark = pytest.mark.browser

SQUIRREL = Subject("nrn", PERSON["ssin"])
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
        page.locator(".event .acts a").first.click()
        _judge(page, axe, size, f"me-line-{language}-{name}")
        page.locator("a[href*='kind=wrong']").click()
        _judge(page, axe, size, f"me-contest-{language}-{name}")


def _judge(page: Any, axe: Axe, size: Any, name: str) -> None:
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"), full_page=True)
    page.evaluate("for (const one of document.querySelectorAll('main details')) one.open = true")
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}-open.png"), full_page=True)
    assert fits(page), name
    if size is DESK:
        axe(page)
