"""A citizen asked who used her data: from the number typed at the counter to the letter a colleague released."""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from audit.verify import verify_bundle
from tests.flows.consoles.conftest import DESK, LANGUAGES, PHONE, Axe, VisitAs, fits, follow
from tests.flows.questions import DOSSIER, PERSON
from tests.flows.sandboxes import Callers

pytestmark = pytest.mark.browser

PICTURES = os.environ.get("PICTURES")  # a folder: every page is photographed into it
SSIN = str(PERSON["ssin"])
AGENT = "a.7f3"


@pytest.fixture(scope="module")
def used(doors: Callers) -> None:
    """Her data were asked for: once given, once about her household, once refused."""
    for service, purpose in (("person.get", "social_inquiry"), ("household.get", "social_inquiry")):
        doors.ask(service, {"ssin": SSIN, "dossierReference": DOSSIER}, purpose=purpose, organisation="cpas-ixelles")
    question = {"ssin": SSIN, "dossierReference": DOSSIER}
    bearer = {"Authorization": f"Bearer {token_of_an_agent(doors)}"}
    assert (
        200
        == doors.ask(
            "person.get", question, purpose="social_inquiry", organisation="cpas-ixelles", headers=bearer
        ).status
    )
    for _ in range(2):
        doors.ask("livingWage.get", {"ssin": SSIN, "dossierReference": DOSSIER}, purpose="resident_permit")


def token_of_an_agent(doors: Callers) -> str:
    """A token that names a civil servant by a pseudonym, as docs/vendors.md says."""
    client: Any = doors.client("social_inquiry", "cpas-ixelles")
    details = [{"type": "purpose", "purpose": "social_inquiry", "agent": AGENT}]
    form = {
        "grant_type": "client_credentials", "client_assertion": client.assertion(), "authorization_details": json.dumps(details),
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }  # fmt: skip
    return str(client._send("POST", "/oauth/token", data=form).json()["access_token"])


def photograph(page: Any, name: str) -> None:
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"), full_page=True)


def opened(page: Any) -> str:
    """A file is opened; its address."""
    page.goto("/console/requests/new")
    page.locator("[name=subject]").fill(f"{SSIN[:2]}.{SSIN[2:4]}.{SSIN[4:6]}-{SSIN[6:9]}.{SSIN[9:]}")
    page.locator("[name=addressee]").fill("Vrolijke Eekhoorn\nVoorbeeldstraat 12\n1050 Elsene")
    page.locator("[name=language]").select_option("nl")
    follow(page.locator("main form button"))
    return str(page.url)


def collected(page: Any) -> None:
    page.locator("#m-eid_counter").check()
    page.locator("#c-number").check()
    for step in ("identify", "collect"):
        follow(page.locator(f"form[action$={step}] button"))
        assert page.locator(".said").count(), page.locator("main").inner_text()  # what the page says went wrong


@pytest.mark.parametrize("script", [True, False])
def test_from_the_number_typed_once_to_the_released_letter(
    visit_as: VisitAs, used: None, axe: Axe, script: bool
) -> None:
    first = visit_as("hub_dpo", "en", script=script)
    address = opened(first)

    assert SSIN not in address and "is open" in first.locator(".said").inner_text()

    collected(first)
    first.goto(f"{address}/lines")
    while (on := first.locator("main form button[name=next]")).count():  # other tests may have asked about her too
        follow(on)
    first.locator("[name=remark]").fill("Wij belden u op 3 november.")
    follow(first.locator("main form button").last)
    follow(first.get_by_role("link", name="Preview of the letter"))

    assert "Wij belden u op 3 november." in first.locator("article").inner_text()
    assert "Soms vraagt de wet" in first.locator("article").inner_text()

    first.goto(address)
    follow(first.get_by_role("button", name="Prepare the letter"))

    expect(first.get_by_text("You had a part in this file.")).to_be_visible()

    second = visit_as("hub_dpo_2", "en", script=script)
    second.goto(f"{address}/release")
    second.locator("#f-read").check()
    follow(second.get_by_role("button", name="Release the letter"))

    assert "The letter is released." in second.locator(".said").inner_text()

    with second.expect_download() as letter:
        second.get_by_role("link", name="Letter (PDF)").click()
    with second.expect_download() as attachments:
        second.get_by_role("link", name="All together").click()
    names = zipfile.ZipFile(io.BytesIO(Path(attachments.value.path()).read_bytes())).namelist()

    assert Path(letter.value.path()).read_bytes().startswith(b"%PDF-1.7")
    assert {"letter.pdf", "lines.csv"} <= set(names)

    first.goto(address)
    first.locator("#w-by_hand").check()
    follow(first.get_by_role("button", name="The letter was sent"))

    assert "answered" in first.locator("main .badge").first.inner_text()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_of_a_request_is_accessible_and_fits_a_phone(
    visit_as: VisitAs, used: None, axe: Axe, language: str
) -> None:
    page = visit_as("hub_dpo", language)
    second = visit_as("hub_dpo_2", language)

    def look(one: Any, name: str) -> None:
        for size_name, size in (("phone", PHONE), ("desk", DESK)):
            one.set_viewport_size(size)
            axe(one)
            assert fits(one), (name, size_name)
            photograph(one, f"{name}-{language}-{size_name}")

    page.goto("/console/requests/new")
    look(page, "new")
    address = opened(page)
    look(page, "opened")
    collected(page)
    look(page, "collected")
    for name in ("lines", "preview"):
        page.goto(f"{address}/{name}")
        look(page, name)
    page.goto(address)
    follow(page.locator("form[action$=prepare] button"))
    look(page, "prepared")
    second.goto(f"{address}/release")
    look(second, "release")
    second.locator("#f-read").check()
    follow(second.locator("form[action$=release] button"))
    look(second, "released")
    page.goto("/console/requests/")
    look(page, "list")


def test_a_number_with_a_typing_error_is_not_repeated(visit_as: VisitAs) -> None:
    page = visit_as("hub_dpo", "fr")
    page.goto("/console/requests/new")
    page.locator("[name=subject]").fill(SSIN[:-1] + "0")
    page.locator("[name=addressee]").fill("Personne")
    follow(page.locator("main form button"))

    expect(page.locator(".wrong").first).to_be_visible()
    assert SSIN[:-1] not in page.content()


def test_an_auditor_has_no_requests_and_another_organisations_file_does_not_exist(visit_as: VisitAs) -> None:
    auditor = visit_as("auditor", "en")
    address = opened(visit_as("hub_dpo", "en"))
    dpo = visit_as("dpo", "en")

    assert 403 == auditor.goto("/console/requests/").status
    assert 404 == dpo.goto(address).status


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_name_opens_when_a_colleague_grants_it(visit_as: VisitAs, used: None, axe: Axe, language: str) -> None:
    first, second = visit_as("hub_dpo", language), visit_as("hub_dpo_2", language)
    address = opened(first)
    collected(first)
    first.goto(f"{address}/lines")
    official = first.locator("section.card").filter(has_text="OCMW" if language == "nl" else "CPAS").first
    follow(official.locator("a[href*='/reveals/ask']"))
    axe(first)
    first.locator("[name=reason]").fill(f"complaint 2026/44, {language}")
    follow(first.locator("main form button"))
    card = f"section.card:has-text('complaint 2026/44, {language}')"

    assert 0 == first.locator(f"{card} form[action$=grant]").count()

    second.goto("/console/reveals/")
    for size in (PHONE, DESK):
        second.set_viewport_size(size)
        axe(second)
        assert fits(second)
    photograph(second, f"reveals-{language}")
    follow(second.locator(f"{card} form[action$=grant] button").first)
    first.goto("/console/reveals/")
    follow(first.locator(f"{card} form[action$=show] button").first)

    axe(first)
    photograph(first, f"name-{language}")
    assert AGENT == first.locator("main strong").first.inner_text()


def test_the_evidence_that_goes_with_a_letter_is_verified_without_us(visit_as: VisitAs, used: None) -> None:
    first, second = visit_as("hub_dpo", "en"), visit_as("hub_dpo_2", "en")
    address = opened(first)
    collected(first)
    for _ in range(15):  # what was written a moment ago is published within seconds
        follow(first.locator("form[action$=prepare] button"))
        with first.expect_download() as saved:
            first.get_by_role("link", name="All together").click()
        archive = zipfile.ZipFile(io.BytesIO(Path(saved.value.path()).read_bytes()))
        pieces = [name for name in archive.namelist() if name.startswith("evidence/")]
        if pieces:
            break
        first.wait_for_timeout(3_000)
        second.goto(f"{address}/release")
        second.locator("#why-send_back").fill("the evidence is not there yet")
        follow(second.locator("form[action$=send_back] button"))
        first.goto(address)
    verdicts = [verdict for name in pieces for verdict in verify_bundle(archive.read(name))]

    assert pieces and "verify.html" in archive.namelist()
    assert [] == [
        finding for verdict in verdicts if verdict.level in ("L1", "L2", "L3") for finding in verdict.findings
    ]
    assert {"L1", "L2", "L3"} <= {verdict.level for verdict in verdicts if verdict.ok}
