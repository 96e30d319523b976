"""Pages where somebody lets in, confirms or lends: applications, emergencies, mandates, files, and a vendor's rights.

Each begins where it begins in life: at a vendor's command line, at a child's door, at an officer's desk.
"""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from audit import Subject
from connectors.client import Hub
from integrator.cli import main
from integrator.commands import mock
from integrator.commands.sandbox import Sandbox
from integrator.consoles.people import Person
from tests.flows.conftest import Ask
from tests.flows.consoles.conftest import (
    DESK,
    IXELLES,
    LANGUAGES,
    PEOPLE,
    PHONE,
    Axe,
    VisitAs,
    fits,
    follow,
    in_thread,
    photograph,
)
from tests.flows.questions import DOSSIER, PERSON
from tests.flows.sandboxes import plain_environment

pytestmark = pytest.mark.browser

CPAS = "1982100968"
CHILD = "18650598023"  # nobody keeps a file about her for this purpose
HOLDER, HELD = Subject("nrn", PERSON["ssin"]), Subject("nrn", "83662994205")
OFFICES = {
    "dpo": ("applications/", "mandates/", "dpo/files"),
    "hub_dpo": ("emergencies/",),
    "citizen": ("me/for", "me/notice", "me/"),
}
PEOPLE["cpas_dpo"] = Person("test-cpas-dpo", "dpo-cpas", frozenset({"dpo"}), org=CPAS)


@dataclass(frozen=True)
class Vendor:
    """Somebody with a command line, and two requests that wait."""

    hub: Sandbox
    folder: Path

    def says(self, *words: str) -> str:
        """`integrator WORDS`, as at the hub's own machine; what it printed."""
        told = {
            "INTEGRATOR_STATE": str(self.hub.state),
            "INTEGRATOR_PORT": self.hub.hub.rpartition(":")[2],
            "INTEGRATOR_MOCKS": self.hub.mocks,
        }
        said = io.StringIO()
        with plain_environment(), pytest.MonkeyPatch.context() as patch, redirect_stdout(said), redirect_stderr(said):
            patch.chdir(self.folder)
            for name, value in told.items():
                patch.setenv(name, value)
            code = in_thread(lambda: main([*words]))
        assert 0 == code, said.getvalue()
        return said.getvalue()

    def asks(self, name: str) -> str:
        """The id of a new request to be let in."""
        self.says(
            "app", "request", name, "--hub", self.hub.hub, "--organisation", IXELLES, "--purpose", "parking_control",
            "--contact", "integrations@vendor.example",
        )  # fmt: skip
        return str(json.loads((self.folder / f"{name}.jwk").read_text())["request"]["requestId"])

    def state(self, name: str) -> str:
        return self.says("app", "status", "--key", f"{name}.jwk")


@pytest.fixture(scope="session")
def vendor(hub: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Vendor:
    return Vendor(hub, tmp_path_factory.mktemp("vendor"))


@pytest.fixture(scope="session")
def emergency(hub: Sandbox, ask: Ask) -> str:
    """A youth worker asked about a child of whom nobody has a file, and wrote why; the trace."""
    hr = ask("staff_directory", "cpas-ixelles")
    feed = mock.call("GET", f"{hub.mocks}/iam/staff/{CPAS}")
    for operation in feed["Operations"]:
        operation["data"]["roles"].append({"value": "youth_worker"})
    hr.call("POST", "/scim/v2/Bulk", feed)
    token = mock.call("POST", f"{hub.mocks}/iam/token", {"person": "farid.benali"})["id_token"]
    with ask("youth_support", "cpas-ixelles").for_agent(token) as worker:
        question = {
            "ssin": CHILD,
            "dossierReference": DOSSIER,
            "emergencyJustification": "the child stands at the door",
        }
        return str(worker.call("POST", "/person/v1/persons/get", question).trace_id)


@pytest.fixture(scope="session")
def something_waits(vendor: Vendor, emergency: str) -> None:
    """A request that stays, so that the pages have something to show."""
    vendor.asks("garage-desk")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_accessible_fits_a_phone(
    visit_as: VisitAs, axe: Axe, something_waits: None, language: str
) -> None:
    for role, paths in OFFICES.items():
        for name, size in (("phone", PHONE), ("desk", DESK)):
            page = visit_as(role, language, subject=HOLDER, size=size, script=size is DESK)
            for path in paths:
                answer = page.goto(f"/console/{path}")
                assert answer.ok, (path, answer.status)
                if size is DESK:
                    page.evaluate("for (const one of document.querySelectorAll('main details')) one.open = true")
                photograph(page, f"{role}-{path.strip('/').replace('/', '-')}-{language}-{name}")
                if size is DESK:
                    axe(page)
                assert fits(page), path


def test_a_vendor_is_let_in_by_an_officer_on_the_page_and_hears_it_at_the_next_question(
    visit_as: VisitAs, vendor: Vendor
) -> None:
    id_ = vendor.asks("plate-desk")
    vendor.says("app", "approve", id_, "--as", "ops-1")
    assert "waiting" in vendor.state("plate-desk")

    page = visit_as("dpo", script=False)
    page.goto("/console/applications/")
    follow(page.get_by_role("button", name="Approve: plate-desk"))

    expect(page.get_by_text("Your approval is recorded.")).to_be_visible()
    assert "approved" in vendor.state("plate-desk")
    with Hub.from_key(vendor.folder / "plate-desk.jwk", purpose="parking_control", timeout=30.0) as client:
        answer = client.ask("vehicle.registrationCheck", plateNumber=PERSON["plateNumber"], dossierReference=DOSSIER)
    assert "yes" == answer["valid"]


def test_a_vendor_reads_its_rights_with_a_code_that_opens_the_page_once(
    visit_as: VisitAs, axe: Axe, vendor: Vendor
) -> None:
    id_ = vendor.asks("rights-desk")
    vendor.says("app", "approve", id_, "--as", "ops-1")
    vendor.says("app", "approve", id_, "--as-dpo", "--as", "dpo-1")
    for language in LANGUAGES:
        code = vendor.says("app", "code", "rights-desk").split()[-1]
        for size, name in ((PHONE, "phone"), (DESK, "desk")):
            page = visit_as(None, language, size=size)
            page.goto(f"/docs/rights?lang={language}")
            photograph(page, f"rights-door-{language}-{name}")
            assert fits(page)
            axe(page)
            page.locator("#code").fill(code)
            follow(page.locator("main button"))
            photograph(page, f"rights-{language}-{name}")
            assert fits(page)
            axe(page)

        assert page.get_by_role("alert").is_visible()  # the code was used on the phone
        assert code not in page.url


def test_an_emergency_is_confirmed_by_who_certainly_is_somebody_else_and_not_by_another_organisation(
    visit_as: VisitAs, emergency: str
) -> None:
    """The officer's own HR told nothing of him, so the hub's officer decides."""
    other = visit_as("dpo")
    other.goto("/console/emergencies/")
    assert other.get_by_text("There were no emergencies.").is_visible()

    own = visit_as("cpas_dpo", script=False)
    own.goto("/console/emergencies/")
    follow(own.get_by_role("button", name="Confirm"))
    expect(own.get_by_text("The data protection officer of the hub decides", exact=False)).to_be_visible()

    page = visit_as("hub_dpo", script=False)
    page.goto("/console/emergencies/")
    card = page.locator("section.card")
    assert card.get_by_text("waits for a second person").is_visible()
    follow(card.get_by_role("button", name="Confirm"))

    expect(page.get_by_text("The emergency is confirmed.")).to_be_visible()
    assert page.get_by_text("test-hub-dpo").is_visible()
    assert 0 == page.get_by_role("button", name="Confirm").count()
    photograph(page, "emergencies-confirmed-en-desk")


def test_a_mandate_is_given_on_proof_used_seen_by_the_person_and_over_at_once(visit_as: VisitAs, axe: Axe) -> None:
    officer = visit_as("dpo", script=False)
    officer.goto("/console/mandates/")
    officer.get_by_label("National number of who acts").fill(HOLDER.id)
    officer.get_by_label("National number of whom they act for").fill(HELD.id)
    officer.get_by_label("As what").select_option("administrator")
    officer.get_by_label("Until").fill((datetime.now(UTC) + timedelta(days=30)).date().isoformat())
    officer.get_by_label("Which proof did you see?").fill("judgment of the justice of the peace, 2 March 2026")
    follow(officer.get_by_role("button", name="Give a mandate"))

    expect(officer.get_by_text("The mandate holds from now on.")).to_be_visible()
    assert HELD.id not in officer.content() and HOLDER.id not in officer.content()
    photograph(officer, "mandates-given-en-desk")

    holder = visit_as("citizen", subject=HOLDER, size=PHONE)
    holder.goto("/console/me/for")
    photograph(holder, "for-mine-en-phone")
    follow(holder.get_by_role("button", name="Look for this person"))
    assert holder.get_by_role("button", name="Back to my own list").is_visible()  # on every page meanwhile
    expect(holder.get_by_text("You now see somebody else’s list.")).to_be_visible()
    photograph(holder, "for-acting-en-phone")
    axe(holder)

    person = visit_as("citizen", subject=HELD)
    person.goto("/console/me/?own=1")
    assert person.get_by_text("Somebody with a mandate looked at who used data about you").first.is_visible()
    photograph(person, "for-seen-en-desk")
    person.goto("/console/me/for")
    follow(person.get_by_role("button", name="End this mandate"))

    expect(person.get_by_text("The mandate no longer holds.")).to_be_visible()
    holder.goto("/console/me/")
    photograph(holder, "for-over-en-phone")
    assert not holder.get_by_text("Somebody with a mandate looked").first.is_visible()


def test_somebody_chooses_a_message_and_takes_it_back(visit_as: VisitAs, axe: Axe) -> None:
    page = visit_as("citizen", "nl", subject=HELD, script=False, size=PHONE)
    page.goto("/console/me/notice")
    page.locator("#f-channel").select_option("email")
    follow(page.locator("main form button"))  # without an address

    page.locator("#f-channel").select_option("email")
    page.locator("#f-address").fill("flora@example.be")
    follow(page.locator("main form button"))
    photograph(page, "notice-on-nl-phone")
    assert "flora@example.be" not in page.content()
    follow(page.locator("main form button"))

    assert page.locator("#f-channel").is_visible()


def test_the_menu_of_who_does_much_fits_a_phone_and_opens_without_script(visit_as: VisitAs, axe: Axe) -> None:
    page = visit_as("hub_dpo", "fr", size=PHONE, script=False)
    page.goto("/console/emergencies/")
    menu = page.locator(".menu .fold")
    assert not menu.get_by_role("link", name="Urgences").is_visible()
    menu.get_by_text("Menu", exact=True).click()

    assert menu.get_by_role("link", name="Urgences").is_visible()  # its group is open, the others are not
    assert 5 == menu.locator("details.group").count()
    assert menu.bounding_box()["height"] < PHONE["height"]
    photograph(page, "menu-fr-phone")
    assert fits(page)
