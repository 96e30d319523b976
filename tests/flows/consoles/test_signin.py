"""Signing in with a browser, from the set-up code a command printed to the first page and out again."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from integrator import clock
from integrator.commands.sandbox import Sandbox
from integrator.consoles.accounts import Accounts
from integrator.consoles.database import Database
from integrator.consoles.signin import totp
from integrator.consoles.vault import open_vault
from integrator.settings import Settings
from tests.flows.consoles.conftest import DESK, LANGUAGES, PHONE, Axe, VisitAs, fits, follow

pytestmark = pytest.mark.browser


def new_code(hub: Sandbox, settings: Settings, name: str) -> str:
    database = Database(str(settings.consoles["database"]))
    try:
        return Accounts(database, open_vault(hub.state), clock.system).add(name, ["hub_dpo"])
    finally:
        database.close()


@pytest.mark.parametrize("script", [True, False])
def test_from_the_setup_code_to_the_first_page_and_out_again(
    visit_as: VisitAs, axe: Axe, hub: Sandbox, hub_settings: Settings, script: bool
) -> None:
    name = f"journey-{'with' if script else 'without'}-script"
    page = visit_as(None, script=script)
    follow(page.get_by_role("link", name="First time? Set up your account"))
    page.get_by_label("Set-up code").fill(new_code(hub, hub_settings, name))
    follow(page.get_by_role("button", name="Continue"))
    secret = page.locator("code.secret").inner_text().replace(" ", "")
    if script:
        axe(page)
    _fill(page, totp.code_at(secret, int(clock.system()) // totp.STEP))
    page.get_by_label("Once more").fill("a long sentence of my own")
    follow(page.get_by_role("button", name="Set up and sign in"))

    expect(page.get_by_role("heading", name="Overview")).to_be_visible()

    follow(page.get_by_role("button", name="Sign out", exact=True))

    assert page.url.endswith("/console/signin")

    page.get_by_label("Account name").fill(name)
    _fill(page, totp.code_at(secret, int(clock.system()) // totp.STEP + 1))  # a code works once, so the next one
    follow(page.get_by_role("button", name="Sign in"))

    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def _fill(page: Any, code: str) -> None:
    page.locator("input[name=password]").fill("a long sentence of my own")
    page.locator("input[name=code]").fill(code)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_doorstep_is_accessible_and_fits_a_phone(visit_as: VisitAs, axe: Axe, language: str) -> None:
    for size in (PHONE, DESK):
        page = visit_as(None, language, size=size)
        for path in ("/console/signin", "/console/setup", "/console/nowhere"):
            page.goto(path)
            axe(page)

            assert fits(page), path
            assert language == page.locator("html").get_attribute("lang")


def test_officials_and_citizens_sign_in_through_the_issuer(visit_as: VisitAs) -> None:
    page = visit_as(None)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    follow(page.get_by_role("link", name="Sign in through your organisation or eID"))
    follow(page.get_by_role("button", name="Robin (hub)"))

    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    expect(page.get_by_text("Robin (hub)")).to_be_visible()

    follow(page.get_by_role("button", name="Sign out everywhere"))
    page.goto("/console/dpo/")

    assert page.url.endswith("/console/signin")

    follow(page.get_by_role("link", name="Sign in through your organisation or eID"))
    page.get_by_label("Test number").fill("84651797654")
    follow(page.get_by_role("button", name="Go on"))

    assert "/console/" in page.url
    assert [] == [url for url in asked if "84651797654" in url]
