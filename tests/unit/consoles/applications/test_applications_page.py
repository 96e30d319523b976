"""The DPO's page of applications: one's own organisation only, both approvals, keys gone at once, in three languages."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from integrator.consoles.people import Person
from integrator.identity.keys import new_key
from tests.unit.consoles.doorstep import Browser, Clock, consoles
from tests.unit.identity.enrolment.conftest import BODY, House

DPO = Person("dpo-1", "dpo-1", frozenset({"dpo"}), BODY)
ELSEWHERE = Person("dpo-9", "dpo-9", frozenset({"dpo"}), "0314595348")
HUB = Person("hub-1", "hub-1", frozenset({"hub_dpo"}))


class Street:
    def __init__(self, folder: Path) -> None:
        self.house = House(folder / "state", f"sqlite:///{folder / 'enrolment.db'}")
        self.consoles = consoles(folder, Clock())
        self.consoles.extras["enrolment"] = self.house.office

    async def browser(self, person: Person) -> Browser:
        made = Browser(self.consoles)
        made.cookies["session"] = (await self.consoles.sessions.begin(person)).token
        return made

    async def asked(self) -> str:
        one, _ = await self.house.office.ask(self.house.request(new_key("sandbox")))
        return str(one.id)


@pytest.fixture
async def street(tmp_path: Path) -> AsyncIterator[Street]:
    made = Street(tmp_path)
    yield made
    made.house.close()
    made.consoles.database.close()


async def test_dpo_approves_and_with_the_operators_approval_the_application_is_in(street: Street) -> None:
    id_ = await street.asked()
    await street.house.office.approve(id_, "operator", "ops-1")
    browser = await street.browser(DPO)
    await browser.get("/console/applications/")
    reply = await browser.post(f"/console/applications/{id_}/approve")

    assert 303 == reply.status
    assert "Social desk" == street.house.file()["name"]
    assert "application.approve.dpo" == street.house.names[-1]


async def test_dpo_refuses_with_a_reason_and_not_without(street: Street) -> None:
    id_, browser = await street.asked(), await street.browser(DPO)
    await browser.get("/console/applications/")
    await browser.post(f"/console/applications/{id_}/refuse", reason="no")
    before = (await street.house.office.pile.find(id_)).state  # type: ignore[union-attr]
    await browser.get("/console/applications/")
    await browser.post(f"/console/applications/{id_}/refuse", reason="we have no such task")

    assert ("waiting", "refused") == (before, (await street.house.office.pile.find(id_)).state)  # type: ignore[union-attr]


@pytest.mark.parametrize("person", [ELSEWHERE, HUB], ids=["other_organisation", "hub_dpo"])
async def test_nobody_else_decides(street: Street, person: Person) -> None:
    id_, browser = await street.asked(), await street.browser(person)
    await browser.get("/console/applications/")
    browser.page = browser.page if "csrf" in browser.page else ""
    replies = [await browser.post(f"/console/applications/{one}/approve") for one in (id_, "0" * 16)]

    assert replies[0].status == replies[1].status and replies[0].status in (403, 404)
    assert (await street.house.office.pile.find(id_)).dpo is None  # type: ignore[union-attr]


async def test_other_organisations_requests_and_applications_are_not_on_the_page(street: Street) -> None:
    await street.asked()
    await street.house.enrolled("other-desk")
    own, foreign = await street.browser(DPO), await street.browser(ELSEWHERE)
    await own.get("/console/applications/"), await foreign.get("/console/applications/")

    assert ("other-desk" in own.page, "other-desk" in foreign.page, "Social desk" in foreign.page) == (
        True,
        False,
        False,
    )


async def test_key_revoked_by_the_dpo_is_worth_nothing_at_once(street: Street) -> None:
    jwk = await street.house.enrolled()
    token = (await street.house.token(jwk))[1]["access_token"]
    browser = await street.browser(DPO)
    await browser.get("/console/applications/")
    form = {"application": "social-desk", "kid": jwk["kid"], "reason": "the laptop was stolen"}
    await browser.post("/console/applications/keys/revoke", **form)

    assert not street.house.believed(token)
    assert (
        "dpo" == json.loads((street.house.applications / "social-desk.json").read_text())["keyLives"][jwk["kid"]]["by"]
    )


async def test_key_of_another_organisations_application_is_not_there_to_revoke(street: Street) -> None:
    jwk = await street.house.enrolled()
    browser = await street.browser(ELSEWHERE)
    await browser.get("/console/applications/")
    token = street.consoles.vault.tag("csrf", browser.cookies["session"])
    form = {"application": "social-desk", "kid": jwk["kid"], "reason": "because I can, or not"}
    reply = await browser.post("/console/applications/keys/revoke", token, **form)

    assert (404, 200) == (reply.status, (await street.house.token(jwk))[0])


@pytest.mark.parametrize(("language", "word"), [("nl", "Goedkeuren"), ("fr", "Approuver"), ("en", "Approve")])
async def test_page_speaks_the_readers_language(street: Street, language: str, word: str) -> None:
    await street.asked()
    await street.house.enrolled("other-desk")
    browser = await street.browser(DPO)
    reply: Any = await browser.get(f"/console/applications/?lang={language}")

    assert (200, True) == (reply.status, word in browser.page)
