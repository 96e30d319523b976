"""The second person at the console and for programs: who may, whose, and what is said when it does not count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from audit import FileKeyRing, Ledger, open_store
from audit.reports import Reports
from integrator.consoles.emergencies import SecondPersons
from integrator.consoles.emergencies.api import told
from integrator.consoles.looking import Desk
from integrator.consoles.people import Person
from integrator.consoles.rights import NothingThere
from integrator.database import Database
from integrator.emergency import Emergencies, Rules, SecondPersonRefused, Store
from integrator.errors import LedgerUnwritable
from integrator.model import Caller, Request, Trace
from tests.unit.consoles.doorstep import Browser, Clock, consoles

IXELLES, EVERE = "1982100968", "1982100671"
DPO = Person("dpo-1", "Dina", frozenset({"dpo"}), IXELLES)
OTHER_DPO = Person("dpo-2", "Otto", frozenset({"dpo"}), EVERE)
HUB_DPO = Person("hub-1", "Hugo", frozenset({"hub_dpo"}))
AUDITOR = Person("aud-1", "Aude", frozenset({"auditor"}))


async def in_the_directory(person: str, number: str | None, organisation: str, agents: Any) -> bool | None:
    """Dina is agent a-dina of Ixelles; of Hugo no HR told."""
    return "a-dina" not in agents if person == "dpo-1" else None


@pytest.fixture
def house(tmp_path) -> Iterator[Any]:
    opened = consoles(tmp_path, Clock())
    office = Emergencies(Store(Database(f"sqlite:///{tmp_path}/emergency.db", "emergency")), Rules(), opened.now)
    written: list[Any] = []
    ledger: Any = SimpleNamespace(append_blocking=written.extend)
    opened.extras["emergencies"] = SecondPersons(office, opened.desk, SimpleNamespace(ledger=ledger))
    opened.extras["emergencies"].somebody_else = in_the_directory
    yield SimpleNamespace(consoles=opened, office=office, written=written, second=opened.extras["emergencies"])
    office.close()
    opened.database.close()


async def an_emergency(house: Any, agent: str = "a.7f3", on_behalf_of: str | None = None, vouched: bool = True) -> Any:
    assurance = "high" if vouched else None
    caller = Caller(IXELLES, "desk", "youth_support", agent, assurance=assurance, on_behalf_of=on_behalf_of)
    request = Request("person.get", caller, {}, Trace("1" * 32, "2" * 16), emergency="the child is at the door")
    return await house.office.open(request, "OUTSIDE_HOURS")


async def browser(house: Any, person: Person) -> Browser:
    made = Browser(house.consoles)
    made.cookies["session"] = (await house.consoles.sessions.begin(person)).token
    return made


async def test_a_dpo_reads_what_waits_and_confirms_it_and_the_ledger_says_so(house):
    one = await an_emergency(house)
    page = await browser(house, DPO)
    await page.get("/console/emergencies/?lang=nl")
    assert "OUTSIDE_HOURS" in page.page and "wacht op een tweede persoon" in page.page
    await page.post(f"/console/emergencies/{one.id}/confirm")
    await page.get("/console/emergencies/")

    assert one.agent not in page.page
    assert "bevestigd" in page.page and "Het noodgeval is bevestigd." in page.page
    assert ["emergency.confirmed"] == [entry.name for entry in house.written]


@pytest.mark.parametrize("language", ["nl", "fr", "en"])
async def test_the_page_says_what_nobody_decided_in_time(house, language):
    await an_emergency(house)
    house.consoles.now.now += 25 * 3600
    page = await browser(house, HUB_DPO)
    await page.get(f"/console/emergencies/?lang={language}")
    words = {"nl": "niemand besliste op tijd", "fr": "personne n’a décidé à temps", "en": "nobody decided in time"}

    assert words[language] in page.page


async def test_a_dpo_of_another_body_sees_none_and_an_auditor_has_no_page(house):
    one = await an_emergency(house)
    page = await browser(house, OTHER_DPO)
    await page.get("/console/emergencies/")
    assert one.agent not in page.page
    await page.post(f"/console/emergencies/{one.id}/confirm")

    assert "open" == (await house.office.known(None))[0].state
    assert 403 == (await (await browser(house, AUDITOR)).get("/console/emergencies/")).status
    with pytest.raises(NothingThere):
        await house.second.known(AUDITOR)


@pytest.mark.parametrize("agent", ["dpo-1", "Dina"])
async def test_a_dpo_who_asked_himself_is_no_second_person(house, agent):
    one = await an_emergency(house, agent)
    with pytest.raises(SecondPersonRefused, match="SAME_PERSON"):
        await house.second.decide(DPO, one.id, confirmed=True)


@pytest.mark.parametrize(
    "way", [{"agent": "a-dina"}, {"on_behalf_of": "a-dina"}, {"agent": "a-dina", "vouched": False}]
)
async def test_a_dpo_who_asked_as_an_agent_or_let_one_act_is_no_second_person(house, way):
    one = await an_emergency(house, **way)
    with pytest.raises(SecondPersonRefused, match="SAME_PERSON"):
        await house.second.decide(DPO, one.id, confirmed=True)


@pytest.mark.parametrize(
    ("person", "role"),
    [(DPO, "dpo"), (HUB_DPO, "hub_dpo"), (replace(HUB_DPO, roles=frozenset({"dpo", "hub_dpo"}), org=EVERE), "hub_dpo")],
    ids=["dpo", "hub_dpo", "both"],
)
async def test_who_reads_them_is_on_record_before_they_are_shown(house, tmp_path, person, role):
    one = await an_emergency(house)
    keyring = FileKeyRing(tmp_path / "keys")
    store = open_store(f"sqlite:///{tmp_path}/ledger.db")
    with Ledger(store, keyring, shard="hub/test/emergencies/2026") as ledger:
        reports = Reports(store, keyring, lambda: 0)
        second = SecondPersons(house.office, Desk(reports, ledger), house.second._writer)
        found = await second.known(person)
        (look,) = [orjson.loads(stored.body) for stored in store.read(ledger.shard)]
        reports.close()
    with pytest.raises(LedgerUnwritable):  # the ledger is closed: nothing is shown
        await second.known(person)
    store.close()

    assert ([one.id], "audit.read", "audit.emergencies") == ([each.id for each in found], look["type"], look["name"])


async def test_where_only_the_application_named_the_agent_the_hubs_own_officer_decides(house):
    one = await an_emergency(house, vouched=False)
    page = await browser(house, DPO)
    await page.get("/console/emergencies/?lang=en")
    await page.post(f"/console/emergencies/{one.id}/confirm")
    await page.get("/console/emergencies/")

    assert "the data protection officer of the hub decides" in page.page
    assert "confirmed" == (await house.second.decide(HUB_DPO, one.id, confirmed=True)).state


async def test_an_officer_of_whom_no_hr_told_is_no_second_person_in_his_own_organisation(house):
    one = await an_emergency(house)
    with pytest.raises(SecondPersonRefused, match="NOT_KNOWN"):
        await house.second.decide(replace(DPO, id="dpo-9"), one.id, confirmed=True)


async def test_who_comes_second_is_told_that_it_was_decided(house):
    one = await an_emergency(house)
    await house.second.decide(DPO, one.id, confirmed=False)
    page = await browser(house, HUB_DPO)
    await page.get("/console/emergencies/?lang=en")
    await page.post(f"/console/emergencies/{one.id}/confirm")
    await page.get("/console/emergencies/")

    assert "Somebody else decided already." in page.page
    assert "rejected" == (await house.office.known(None))[0].state


async def test_a_program_reads_what_the_page_shows_and_never_the_justification(house):
    one = await an_emergency(house)
    shown = told(one)

    assert {
        "id",
        "traceId",
        "organisation",
        "application",
        "purpose",
        "service",
        "broken",
        "at",
        "due",
        "state",
    } == set(shown)
    assert "door" not in str(shown)
