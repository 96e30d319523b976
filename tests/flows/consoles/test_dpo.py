"""The pages of data protection officers and auditors in a browser: every page, in every language, on a phone and a desk."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from integrator.commands.sandbox import Sandbox
from tests.flows.consoles.conftest import DESK, LANGUAGES, PHONE, Axe, VisitAs, fits, follow
from tests.flows.questions import DOSSIER, PERSON, one_each
from tests.flows.sandboxes import Callers

pytestmark = pytest.mark.browser

WHY = "complaint 2026/44 of the person herself"
PAGES = {
    "dpo": (
        *("", "refusals", "refusals/lines", "dangling", "unknown", "failed", "reads", "fields", "policies"),
        *("retention", "health", "person", "agent", "files"),
    ),
    "hub_dpo": ("", "refusals", "fields", "files", "erasures", "reads"),
    "auditor": ("", "health", "retention", "reads", "erasures", "programs"),
}
REASONS = dict.fromkeys(
    (
        *("denied_by_reason", "denied", "dangling", "unknown", "failed", "reads", "unused_fields", "erasures"),
        *("under_policy", "affected_subjects", "details", "exchange", "proof"),
    ),
    WHY,
)
PICTURES = os.environ.get("PICTURES")  # a folder: every page is photographed into it


@pytest.fixture(scope="session")
def traffic(doors: Callers) -> None:
    """Every service was asked once by who may ask it, and one question was refused."""
    for one in one_each():
        if one.service.name != "address.get":  # asked by a number that a search has to tell first
            doors.ask(one.service.name, one.question, purpose=one.purpose, organisation=one.organisation)
    refused = doors.ask(
        "livingWage.get", {"ssin": PERSON["ssin"], "dossierReference": DOSSIER}, purpose="resident_permit"
    )
    assert 403 == refused.status


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("role", PAGES)
def test_every_page_is_accessible_and_fits_a_phone(
    visit_as: VisitAs, axe: Axe, traffic: None, role: str, language: str
) -> None:
    for name, size in (("phone", PHONE), ("desk", DESK)):
        page = visit_as(role, language, size=size, data={"reasons": dict(REASONS)})
        for path in PAGES[role]:
            answer = page.goto(f"/console/dpo/{path}")
            assert answer.ok, (path, answer.status)

            _open_all(page)
            _photograph(page, f"{role}-{path.replace('/', '-') or 'home'}-{language}-{name}")
            assert fits(page), path
            if size is DESK:
                axe(page)


def test_a_person_is_found_explained_opened_and_proved_without_the_number_in_any_address(
    visit_as: VisitAs, axe: Axe, traffic: None
) -> None:
    page = visit_as("hub_dpo", data={"reasons": {}})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/console/dpo/person")
    axe(page)
    page.get_by_label("Number", exact=True).fill(PERSON["ssin"])
    page.get_by_label("Your reason").fill(WHY)
    follow(page.get_by_role("button", name="Search"))

    assert page.locator("table.rows tbody tr").count() > 3

    axe(page)
    assert PERSON["ssin"] not in page.content()

    given = page.locator("tr", has=page.locator(".badge.outcome")).first
    given.locator("summary").click()
    follow(given.get_by_role("link", name="Open this line"))
    page.get_by_label("Your reason").fill(WHY)
    follow(page.get_by_role("button", name="Continue"))

    expect(page.get_by_text("Opening it takes two people")).to_be_visible()

    axe(page)
    _photograph(page, "entry-en-desk")
    names = zipfile.ZipFile(io.BytesIO(_bundle(page))).namelist()

    assert any(name.endswith("entry.json") for name in names)
    assert [] == [url for url in asked if PERSON["ssin"] in url]


def test_looking_asks_for_a_reason_once_and_the_look_is_listed(visit_as: VisitAs, traffic: None) -> None:
    page = visit_as("hub_dpo")
    page.goto("/console/dpo/refusals/lines")
    page.get_by_label("Your reason").fill("short")
    page.evaluate("document.querySelector('textarea').removeAttribute('minlength')")
    follow(page.get_by_role("button", name="Continue"))

    expect(page.get_by_text("Write at least 10")).to_be_visible()

    page.get_by_label("Your reason").fill("looking for refusals of a new application")
    follow(page.get_by_role("button", name="Continue"))

    expect(page.get_by_role("heading", name="Refusals one by one")).to_be_visible()

    page.goto("/console/dpo/refusals/lines?service=livingWage.get")

    expect(page.get_by_role("heading", name="Refusals one by one")).to_be_visible()


def test_an_auditor_and_an_officer_of_one_organisation_see_no_more_than_their_role(
    visit_as: VisitAs, traffic: None
) -> None:
    auditor = visit_as("auditor", data={"reasons": dict(REASONS)})
    for path in ("person", "refusals", "entry?shard=x&index=1"):
        assert 403 == auditor.goto(f"/console/dpo/{path}").status

    officer = visit_as("dpo", data={"reasons": dict(REASONS)})

    assert 403 == officer.goto("/console/dpo/erasures").status
    assert 403 == officer.goto("/console/dpo/refusals/lines?org=0207373429").status


def test_a_token_for_a_program_asks_with_the_rights_of_its_person(visit_as: VisitAs, hub: Sandbox) -> None:
    page = visit_as("auditor")
    page.goto("/console/dpo/programs")
    follow(page.get_by_role("button", name="Make a token"))
    token = page.locator("code.secret").inner_text()
    headers = {"authorization": f"Bearer {token}"}
    asked = {"headers": headers, "json": {}, "trust_env": False}

    assert 200 == httpx.post(f"{hub.hub}/audit/v1/health", **asked).status_code
    assert 403 == httpx.post(f"{hub.hub}/audit/v1/denied", **asked).status_code
    assert 401 == httpx.post(f"{hub.hub}/audit/v1/health", json={}, trust_env=False).status_code
    assert 200 == httpx.get(_entries(hub), headers=headers, trust_env=False).status_code
    assert 403 == httpx.get(_entries(hub), trust_env=False).status_code


def _entries(hub: Sandbox) -> str:
    policy = httpx.get(f"{hub.hub}/log/policy", trust_env=False).text
    origin = next(
        word for line in policy.split("\n") if line.startswith("log ") for word in [line.split()[1].split("+")[0]]
    )
    return f"{hub.hub}/log/{origin}/tile/entries/000.p/1"


def _bundle(page: Any) -> bytes:
    """What the button saves. A line is under a checkpoint and its anchor within half a minute; until then we ask again."""
    form = {
        name: page.locator(f"main input[name={name}]").first.get_attribute("value")
        for name in ("csrf", "shard", "index")
    }
    for _ in range(20):
        answer = page.context.request.post("/console/dpo/evidence", form={**form, "reason": WHY})
        if answer.headers["content-type"] == "application/zip":
            return bytes(answer.body())
        page.wait_for_timeout(3_000)
    raise AssertionError("no evidence within a minute")


def _open_all(page: Any) -> None:
    page.evaluate("for (const one of document.querySelectorAll('main details')) one.open = true")


def _photograph(page: Any, name: str) -> None:
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"), full_page=True)
