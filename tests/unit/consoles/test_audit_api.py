"""The questions over HTTP: who asks is known or nothing is told, and nothing of what was typed comes back in a refusal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from openapi_spec_validator import validate

from audit import FileKeyRing, Ledger, open_store
from audit.log.years import OneBook
from integrator import places
from integrator import settings as settings_module
from integrator.api.problems import Problems
from integrator.consoles.api import describe, router
from integrator.consoles.asking import SHAPES
from integrator.consoles.book import open_book
from integrator.consoles.desks import open_desk
from integrator.consoles.grants import granted_fields
from integrator.consoles.rights import questions
from integrator.errors import IntegratorError, UnknownCaller
from integrator.mapping import load_sheets
from integrator.model import Trace
from integrator.policy import load_policies
from integrator.services import load_services
from tests.unit.audit.kit import NOON, a_draft
from tests.unit.consoles.desk import ANNA, BERT, CITIZEN, DPO, IXELLES, PEOPLE, WHY

SERVICES = load_services(
    places.folder("config") / "services", load_sheets(places.folder("mappings")), sandbox=frozenset()
)
POLICIES = load_policies(places.folder("policies"), settings_module.organisations())
BOOK = open_book()


@pytest.fixture
async def ask(tmp_path: Path) -> AsyncIterator[Any]:
    store, keyring = open_store(f"sqlite:///{tmp_path}/ledger.db"), FileKeyRing(tmp_path / "keys")
    ledger = Ledger(store, keyring, shard="hub/test/api/2026", clock=lambda: NOON)
    clear = {"consumer": {"org": IXELLES, "app": "counter"}, "status": "Error", "reason_code": "EXPIRED"}
    ledger.append_blocking([a_draft("denied", subjects=[ANNA], clear=clear, committed={"case_ref": "2026/117"})])
    desk = open_desk(store, keyring, OneBook(ledger), POLICIES, SERVICES, lambda: NOON / 1e6)
    problems, rest = Problems("https://hub.example"), FastAPI(openapi_url=None)

    async def current(request: Request) -> Any:
        person = PEOPLE.get(request.headers.get("authorization", "").removeprefix("Bearer "))
        if person is None:
            raise UnknownCaller(problem="noAccessToken")
        return person

    async def body(request: Request) -> Any:
        return await request.json()

    @rest.exception_handler(IntegratorError)
    async def refused(request: Request, error: IntegratorError) -> Response:
        said = problems.render(error, Trace("7" * 32, "7" * 16))
        return Response(said.body, said.status)

    rest.include_router(router(desk, BOOK, current, body))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(rest), base_url="http://hub") as client:

        async def asking(who: str, question: str, **json: Any) -> httpx.Response:
            return await client.post(
                f"/audit/v1/{question}", json=json, headers={"authorization": f"Bearer {who}", "accept-language": "nl"}
            )

        asking.client = client  # type: ignore[attr-defined]
        yield asking
    desk.reports.close(), ledger.close(), store.close()


def her(**more: Any) -> dict[str, Any]:
    return {"subject": {"type": "nrn", "id": ANNA.id}, **more}


async def test_a_citizen_reads_her_own_list_in_her_language(ask: Any) -> None:
    body = (await ask("citizen", "about")).json()

    assert "De machtiging was afgelopen." == body["items"][-1]["explanation"]["reason"]
    assert (
        "Gemeente Elsene vroeg gegevens over u. Het platform weigerde." == body["items"][-1]["explanation"]["headline"]
    )


async def test_a_dpo_reads_about_this_person(ask: Any) -> None:
    body = (await ask("dpo", "about", **her(reason=WHY, kind="denied"))).json()

    assert ["Gemeente Elsene vroeg gegevens over deze persoon. Het platform weigerde."] == [
        one["explanation"]["headline"] for one in body["items"]
    ]


async def test_nobody_is_told_anything_without_a_session(ask: Any) -> None:
    for question in ("about", "health", "questions"):
        assert (await ask("nobody", question)).status_code in (401, 405)
    assert 401 == (await ask.client.get("/audit/v1/questions")).status_code


@pytest.mark.parametrize(
    ("who", "question", "sent", "status"),
    [
        ("citizen", "denied", {}, 403),
        ("citizen", "about", {"subject": {"type": "nrn", "id": BERT.id}}, 403),
        ("dpo", "about", her(), 400),
        ("dpo", "about", her(reason=WHY, organisation="0207373429"), 403),
        ("dpo", "about", her(reason=WHY, cursor="foreign"), 400),
        ("dpo", "about", her(reason=WHY, limit=100000), 400),
        ("dpo", "about", her(reason=WHY, since="yesterday"), 400),
        ("dpo", "about", {"subject": {"type": "nrn", "id": "85.61.01-001.47"}, "reason": WHY}, 400),
        ("dpo", "about", {"subject": ANNA.id, "reason": WHY}, 400),
        ("dpo", "details", {"shard": "elsewhere", "index": 0, "reason": WHY}, 404),
        ("auditor", "about", her(reason=WHY), 403),
    ],
)
async def test_what_is_refused_is_refused_in_words_without_repeating_it(
    ask: Any, who: str, question: str, sent: dict[str, Any], status: int
) -> None:
    answer = await ask(who, question, **sent)

    assert status == answer.status_code
    assert ANNA.id not in answer.text and BERT.id not in answer.text and answer.json()["detail"]


async def test_an_unknown_property_is_not_repeated(ask: Any) -> None:
    answer = await ask("dpo", "about", **her(reason=WHY), **{ANNA.id: "x"})

    assert (400, False) == (answer.status_code, ANNA.id in answer.text)


async def test_the_values_of_a_line_are_opened_on_demand(ask: Any) -> None:
    line = (await ask("citizen", "about")).json()["items"][-1]
    body = (await ask("citizen", "details", shard=line["shard"], index=line["index"])).json()

    assert ("2026/117", True) == (
        body["details"]["caseRef"],
        "Voor het dossier 2026/117." in body["explanation"]["sentences"],
    )


async def test_refusals_are_narrowed_by_their_reason(ask: Any) -> None:
    counts = [
        len((await ask("dpo", "denied", reason=WHY, reasonCode=code)).json()["items"])
        for code in ("EXPIRED", "TERRITORY")
    ]

    assert [1, 0] == counts


@pytest.mark.parametrize(
    "question",
    sorted(set(questions()) - {"day", "proof", "details", "exchange", "under_policy", "affected_subjects", "by_agent"}),
)
async def test_every_question_is_answered_with_json(ask: Any, question: str) -> None:
    first, *rest = question.split("_")
    name = first + "".join(word.capitalize() for word in rest)
    sent = {} if question in ("retention", "health") else her(reason=WHY) if question == "about" else {"reason": WHY}

    assert 200 == (await ask("hub_dpo", name, **sent)).status_code


@pytest.mark.parametrize(
    ("question", "sent"),
    [
        ("byAgent", {"agent": "agent-77"}),
        ("exchange", {"traceId": "7" * 32}),
        ("underPolicy", {"policyVersion": "sha256:" + "0" * 64}),
        ("affectedSubjects", {"policyVersion": "sha256:" + "0" * 64}),
    ],
)
async def test_what_nobody_did_is_an_empty_list(ask: Any, question: str, sent: dict[str, Any]) -> None:
    assert [] == (await ask("dpo", question, reason=WHY, **sent)).json()["items"]


async def test_a_person_is_told_what_may_be_asked(ask: Any) -> None:
    answer = await ask.client.get("/audit/v1/questions", headers={"authorization": "Bearer citizen"})

    assert ["about", "exchange", "details", "proof", "day"] == [one["question"] for one in answer.json()["items"]]


async def test_no_answer_is_kept_by_a_cache(ask: Any) -> None:
    assert "no-store" == (await ask("citizen", "about")).headers["cache-control"]


def test_the_description_is_openapi_and_has_every_question() -> None:
    validate(describe())

    assert set(SHAPES) == set(questions())
    described = {path.removeprefix("/audit/v1/") for path in describe()["paths"]}
    assert {name.replace("_", "").lower() for name in questions()} <= {path.lower() for path in described}


def test_every_granted_field_is_known_with_the_answers_that_rest_on_it() -> None:
    granted = {(one.service, one.field): one for one in granted_fields(POLICIES, SERVICES, [IXELLES])(None)}
    mine = granted_fields(POLICIES, SERVICES, [])(IXELLES)
    inside = next(one for one in mine if ("resident_permit@2026-1", "deathDate") == (one.authorisation, one.field))

    assert ("person.get", "address") in granted
    assert ("parking.residentPermit.checkEligibility", "answer:alive") in inside.within


def test_an_organisation_without_grants_has_no_unused_fields() -> None:
    assert [] == list(granted_fields(POLICIES, SERVICES, [IXELLES])("1999999999"))


def test_people_of_the_tests_have_accounts_without_numbers() -> None:
    assert all(ANNA.id not in one.id for one in (CITIZEN, DPO))
