"""An auditor in a browser: signs in, sees whether the ledger is well, has it verified, and takes evidence that needs nobody."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.flows.consoles.conftest import DESK, LANGUAGES, PHONE, Axe, VisitAs, fits, follow
from tests.flows.questions import PERSON, one_each
from tests.flows.sandboxes import Callers

pytestmark = pytest.mark.browser

WHY = "yearly audit 2026, file 12"
PICTURES = os.environ.get("PICTURES")  # a folder: every page is photographed into it


@pytest.fixture(scope="session")
def trace(doors: Callers) -> str:
    """The number of an exchange with the national register."""
    one = next(one for one in one_each() if one.service.name == "person.get")
    answer = doors.ask(one.service.name, one.question, purpose=one.purpose, organisation=one.organisation)
    assert 200 == answer.status
    return answer.trace


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_accessible_and_fits_a_phone(visit_as: VisitAs, axe: Axe, trace: str, language: str) -> None:
    for name, size in (("phone", PHONE), ("desk", DESK)):
        for role in ("auditor", "hub_dpo"):
            page = visit_as(role, language, size=size)
            for path in ("", "days", "compare"):
                assert page.goto(f"/console/auditor/{path}").ok, path

                _photograph(page, f"{role}-{path or 'home'}-{language}-{name}")
                assert fits(page), path
                if size is DESK:
                    axe(page)


def test_the_ledger_is_verified_with_progress_and_without_script(visit_as: VisitAs, axe: Axe, trace: str) -> None:
    page = visit_as("auditor", script=False)
    page.goto("/console/auditor/")
    follow(page.get_by_role("button", name="Verify the whole ledger"))

    page.get_by_text("Started by").wait_for(
        timeout=240_000
    )  # it comes by itself; the verification yields to everything else

    expect(page.get_by_text("nothing wrong")).to_be_visible()
    assert 6 == page.locator("table.figures tbody tr").count()
    assert fits(page)
    _photograph(page, "auditor-run-en-desk")

    shown = visit_as("auditor")
    shown.goto(page.url)
    axe(shown)
    shown.goto("/console/auditor/")

    expect(shown.get_by_text("Last verified on")).to_be_visible()


def test_one_line_is_proved_by_a_program_that_has_nothing_of_ours(
    visit_as: VisitAs, trace: str, tmp_path: Path
) -> None:
    page = visit_as("auditor", data={"reasons": {"proof": WHY}})
    page.goto("/console/auditor/")
    with page.expect_download() as saved:
        page.get_by_role("link", name="Program that verifies without us").click()
    verifier = Path(saved.value.path()).read_bytes()
    page.locator("#f-reason").fill(WHY)
    bundle = _evidence(page)
    (tmp_path / "verify.py").write_bytes(verifier)
    (tmp_path / "evidence.zip").write_bytes(bundle)
    told = subprocess.run(
        [sys.executable, "-I", str(tmp_path / "verify.py"), str(tmp_path / "evidence.zip"), "--json"], cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip

    states = {(one["level"], one["state"]) for one in json.loads(told.stdout)["results"]}

    assert "wrong" not in {state for _, state in states}
    assert ("L2", "proven") in states
    archive = zipfile.ZipFile(io.BytesIO(bundle))

    assert [] == [name for name in archive.namelist() if PERSON["ssin"].encode() in archive.read(name)]


def test_what_a_source_has_and_we_have_not_is_named(visit_as: VisitAs, axe: Axe, trace: str) -> None:
    page = visit_as("auditor")
    page.goto("/console/auditor/compare")
    page.locator("#f-source").select_option("rijksregister")
    page.locator("#f-list").fill(f"transaction;time\n{trace};10:00\n{'f' * 32};11:00\n")
    follow(page.get_by_role("button", name="Compare"))

    expect(page.get_by_text("1 exchanges stand with both")).to_be_visible()
    expect(page.get_by_role("heading", name="Only with the source (1)")).to_be_visible()

    axe(page)
    _photograph(page, "auditor-compared-en-desk")


def test_a_day_without_map_is_no_proof_and_the_number_is_in_no_address(visit_as: VisitAs, axe: Axe) -> None:
    page = visit_as("hub_dpo")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/console/auditor/days")
    page.locator("#f-day").fill("2026-01-02")
    page.locator("#f-number").fill(PERSON["ssin"])
    page.locator("#f-reason").fill(WHY)
    follow(page.get_by_role("button", name="Make the proof"))

    expect(page.get_by_text("No proof can be given for that day")).to_be_visible()
    assert PERSON["ssin"] not in page.content()
    assert [] == [url for url in asked if PERSON["ssin"] in url]

    axe(page)


def _evidence(page: Any) -> bytes:
    """A line is under a checkpoint within seconds; until then the page says to try again."""
    with page.expect_download(timeout=60_000) as saved:
        page.get_by_role("button", name="Save the evidence bundle").click()
    return Path(saved.value.path()).read_bytes()


def _photograph(page: Any, name: str) -> None:
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"), full_page=True)
