"""A running hub gives its ledger to other systems: a citizen, a peer and a monitor each get what is theirs."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterator

import httpx
import pytest

from audit import Subject
from integrator import clock
from integrator.commands.sandbox import Sandbox
from integrator.consoles.database import Database
from integrator.consoles.people import Person
from integrator.consoles.sessions import Sessions
from integrator.consoles.vault import open_vault
from integrator.settings import Settings
from tests.flows.questions import PERSON, the
from tests.flows.sandboxes import Callers, Reply
from tests.unit.audit.exports.published import PUBLISHED, faults

CITIZEN = Person("account-c", "Citizen", frozenset({"citizen"}), subject=Subject("nrn", str(PERSON["ssin"])))
HUB_DPO = Person("account-h", "Officer", frozenset({"hub_dpo"}))


@pytest.fixture(scope="module")
def http(hub: Sandbox, hub_settings: Settings) -> Iterator[Callable[[Person], httpx.Client]]:
    """A client with the bearer token of somebody's session."""
    database, opened = Database(str(hub_settings.consoles["database"])), []
    sessions = Sessions(database, open_vault(hub.state), clock.system)

    def client(person: Person) -> httpx.Client:
        token = asyncio.run(sessions.begin(person, None)).token
        headers = {"authorization": f"Bearer {token}", "accept-language": "nl"}
        opened.append(httpx.Client(base_url=hub.hub, trust_env=False, timeout=30.0, headers=headers))
        return opened[-1]

    yield client
    for one in opened:
        one.close()
    database.close()


ASKED = the("person.get", "social_inquiry")


@pytest.fixture(scope="module")
def asked(doors: Callers) -> Reply:
    """One exchange about the citizen, by somebody in Ixelles."""
    reply = doors.ask("person.get", ASKED.question, purpose="social_inquiry", organisation=ASKED.organisation)
    assert 200 == reply.status, reply.payload

    return reply


def test_a_citizen_finds_who_used_her_data(asked: Reply, http: Callable[[Person], httpx.Client]) -> None:
    answer = http(CITIZEN).post("/audit/v1/findUsage", json={"userCode": PERSON["ssin"]}).json()

    assert [] == faults(answer, PUBLISHED["find_usage"]["answer"])
    assert any("lsene" in one.get("receiverName", "") for one in answer["usages"])


def test_a_citizen_reads_the_exchange_as_ldv(asked: Reply, http: Callable[[Person], httpx.Client]) -> None:
    answer = http(CITIZEN).post("/audit/v1/processing-activities", json={"traceId": asked.trace}).json()

    assert [] == faults(answer, PUBLISHED["ldv_lezen"]["answer"])
    assert [PERSON["ssin"]] == [one["attributes"]["dpl.core.data_subject_id"] for one in answer["processingActivities"]]


def test_a_peer_finds_its_request_and_another_does_not(asked: Reply, doors: Callers) -> None:
    theirs, others = (
        doors.send(
            "GET",
            f"/fsc/v1/logs?transaction_ids={uuid.UUID(asked.trace)}",
            None,
            purpose="social_inquiry",
            organisation=one,
        )
        for one in (ASKED.organisation, "brussels")
    )

    assert [] == faults(theirs.body, PUBLISHED["fsc_logging"]["answer"])
    assert (1, 0) == (len(theirs.body["records"]), len(others.body["records"]))


def test_a_monitor_gets_events_without_a_person(asked: Reply, http: Callable[[Person], httpx.Client]) -> None:
    answer = http(HUB_DPO).post("/audit/v1/export", json={"format": "ocsf", "reason": "nightly feed of the SIEM"})

    assert (200, True, False) == (answer.status_code, asked.trace in answer.text, str(PERSON["ssin"]) in answer.text)


def test_somebody_without_a_session_is_told_how_to_get_one(hub: Sandbox) -> None:
    answer = httpx.post(f"{hub.hub}/audit/v1/export", json={"format": "csv"}, trust_env=False)

    assert (401, "application/problem+json") == (answer.status_code, answer.headers["content-type"])
