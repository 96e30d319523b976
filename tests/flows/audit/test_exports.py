"""The ledger leaves the hub in other systems' words: only to whom it may, never further, and the look is recorded first."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, Response

from audit import FileKeyRing, Ledger, Subject, find_by_subject, open_entry, open_store
from audit.exports import usage
from audit.reports import Reports
from integrator.api.problems import Problems
from integrator.cli import main
from integrator.consoles.exporting import Exporter
from integrator.consoles.exports import router
from integrator.consoles.looking import Desk
from integrator.errors import IntegratorError, UnknownCaller
from integrator.model import Trace
from tests.unit.audit.exports.published import PUBLISHED, faults
from tests.unit.audit.kit import NOON, a_draft
from tests.unit.consoles.desk import ANNA, BERT, BRUSSELS, IXELLES, PEOPLE, WHY

SHARD = "audit.integrator.example/sandbox/hub-1/2026"
HER = {"dpl.core.data_subject_id": ANNA.id}
WORDS = usage.Words(lambda row: "Parkeervergunning", lambda org: "Elsene" if org == IXELLES else None)


def write(ledger: Ledger, org: str, who: Subject, number: int) -> str:
    trace = f"{number:032x}"
    clear = {"consumer": {"org": org, "app": "counter"}}
    [asked] = ledger.append_blocking(
        [a_draft(trace_id=trace, clear=clear, subjects=[who], committed={"case_ref": "2026/117"}, agent="agent-77")]
    )
    told = {**clear, "intent_ref": asked.index, "status": "Ok", "categories": ["name"]}
    ledger.append_blocking([a_draft("outcome", trace_id=trace, clear=told, subjects=[who])])
    return trace


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What a running hub holds: Anna asked for by Ixelles and by Brussels, Bert by Ixelles."""
    monkeypatch.setenv("INTEGRATOR_STATE", str(tmp_path))
    store, keyring = open_store(f"sqlite:///{tmp_path}/ledger.db"), FileKeyRing(tmp_path / "ledger-keys")
    with Ledger(store, keyring, shard=SHARD, clock=lambda: NOON) as ledger:
        for number, (org, who) in enumerate(((IXELLES, ANNA), (BRUSSELS, ANNA), (IXELLES, BERT)), 1):
            write(ledger, org, who, number)
        yield ledger
    store.close()


@pytest.fixture
async def ask(ledger: Ledger, tmp_path: Path) -> AsyncIterator[Any]:
    store, keyring = ledger.store, FileKeyRing(tmp_path / "ledger-keys")
    reports = Reports(store, keyring, lambda: NOON)
    exporter = Exporter(store, keyring, reports, "0308357159", lambda language: WORDS, "1")
    problems, rest = Problems("https://hub.example"), FastAPI(openapi_url=None)

    async def current(request: Request) -> Any:
        person = PEOPLE.get(request.headers.get("authorization", "").removeprefix("Bearer "))
        if person is None:
            raise UnknownCaller(problem="noAccessToken")
        return person

    async def peer(request: Request) -> str:
        return (await current(request)).org or "0000000097"

    async def body(request: Request) -> Any:
        return await request.json()

    @rest.exception_handler(IntegratorError)
    async def refused(request: Request, error: IntegratorError) -> Response:
        said = problems.render(error, Trace("7" * 32, "7" * 16))
        return Response(said.body, said.status)

    rest.include_router(router(Desk(reports, ledger), exporter, current, body, peer, lambda: NOON + 1))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(rest), base_url="http://hub") as client:

        async def asking(who: str, path: str, query: dict[str, Any] | None = None, **json: Any) -> httpx.Response:
            headers = {"authorization": f"Bearer {who}"}
            if path.startswith(("/fsc", "/audit/v1/usagePeriod", "/audit/v1/heartbeat")):
                return await client.get(path, params=query, headers=headers)
            return await client.post(path, json=json, headers=headers)

        yield asking
    exporter.close(), reports.close()


def looks(ledger: Ledger, tmp_path: Path, who: Subject) -> list[str]:
    """Names of the looks that a person finds about themselves."""
    keyring = FileKeyRing(tmp_path / "ledger-keys")
    hits = find_by_subject(ledger.store, keyring, who, 0, 2**52)
    entries = [open_entry(ledger.store, keyring, hit.shard, hit.index).entry for hit in hits]
    return [entry["name"] for entry in entries if entry["type"] == "audit.read"]


async def test_a_period_without_names_names_nobody_and_is_recorded(ask: Any, ledger: Ledger) -> None:
    answer = await ask("hub_dpo", "/audit/v1/export", format="csv", reason=WHY)
    rows = list(csv.DictReader(io.StringIO(answer.text)))

    assert (200, 3, {"blind-tag"}) == (answer.status_code, len(rows), {row["Type of subject"] for row in rows})
    assert ANNA.id not in answer.text
    assert 1 == len(ledger.store.rare(["audit.read"], 0, 2**52))


async def test_whoever_is_named_in_an_export_finds_the_look(ask: Any, ledger: Ledger, tmp_path: Path) -> None:
    answer = await ask("dpo", "/audit/v1/export", format="ldv", reason=WHY, names=True)

    assert (True, True) == (ANNA.id in answer.text, BERT.id in answer.text)
    assert (["audit.export"], ["audit.export"]) == (looks(ledger, tmp_path, ANNA), looks(ledger, tmp_path, BERT))


async def test_a_dpo_exports_only_their_own_organisation(ask: Any) -> None:
    answer = await ask("dpo", "/audit/v1/export", format="csv", reason=WHY)
    refused = await ask("dpo", "/audit/v1/export", format="csv", reason=WHY, organisation=BRUSSELS)

    assert ({IXELLES}, 403) == (
        {row["Organisation"] for row in csv.DictReader(io.StringIO(answer.text))},
        refused.status_code,
    )


@pytest.mark.parametrize("who", ["citizen", "auditor"])
async def test_somebody_without_the_right_exports_nothing(ask: Any, ledger: Ledger, who: str) -> None:
    assert 403 == (await ask(who, "/audit/v1/export", format="csv", reason=WHY)).status_code
    assert [] == ledger.store.rare(["audit.read"], 0, 2**52)


async def test_parts_of_an_export_with_names_follow_each_other(ask: Any) -> None:
    first = await ask("hub_dpo", "/audit/v1/export", format="csv", reason=WHY, names=True, limit=2)
    cursor = first.headers["audit-next-cursor"]
    rest = await ask("hub_dpo", "/audit/v1/export", format="csv", reason=WHY, names=True, limit=9, cursor=cursor)
    rows = list(csv.DictReader(io.StringIO(first.text + rest.text)))

    # What comes after the first part holds the look at the first part.
    assert [ANNA.id, ANNA.id, BERT.id] == [row["Subject"] for row in rows][:3]


async def test_a_monitor_is_never_given_names(ask: Any) -> None:
    assert 400 == (await ask("hub_dpo", "/audit/v1/export", format="ocsf", reason=WHY, names=True)).status_code


async def test_a_citizen_reads_her_processings_as_ldv(ask: Any) -> None:
    answer = await ask("citizen", "/audit/v1/processing-activities", startTime=0, attributes=HER)
    items = answer.json()["processingActivities"]

    assert [] == faults(answer.json(), PUBLISHED["ldv_lezen"]["answer"])
    assert ({ANNA.id}, {IXELLES, BRUSSELS}) == (
        {one["attributes"]["dpl.core.data_subject_id"] for one in items},
        {one["attributes"]["dpl.hub.consumer.org"] for one in items},
    )
    assert "agent-77" not in answer.text


async def test_a_citizen_does_not_read_somebody_else_s(ask: Any) -> None:
    theirs = {"dpl.core.data_subject_id": BERT.id}

    assert 403 == (await ask("citizen", "/audit/v1/processing-activities", attributes=theirs)).status_code
    assert (
        []
        == (await ask("citizen", "/audit/v1/processing-activities", traceId=f"{3:032x}")).json()["processingActivities"]
    )


async def test_what_is_restricted_is_not_read_as_ldv_by_its_subject(ask: Any, ledger: Ledger) -> None:
    for index in (0, 1):
        ledger.store.set_vis(SHARD, index, 1)
    items = (await ask("citizen", "/audit/v1/processing-activities", attributes=HER)).json()["processingActivities"]

    assert [BRUSSELS] == [one["attributes"]["dpl.hub.consumer.org"] for one in items]


async def test_find_usage_tells_a_citizen_who_used_her_data(ask: Any) -> None:
    answer = (await ask("citizen", "/audit/v1/findUsage", userCode=ANNA.id)).json()

    assert [] == faults(answer, PUBLISHED["find_usage"]["answer"])
    assert (2, [BRUSSELS, IXELLES]) == (answer["totalUsages"], [one["receiverCode"] for one in answer["usages"]])
    assert [None, "Elsene"] == [one.get("receiverName") for one in answer["usages"]]


async def test_usage_period_and_heartbeat_answer(ask: Any) -> None:
    assert "2026-11-01T00:00:00Z" == (await ask("citizen", "/audit/v1/usagePeriod")).json()["periodStart"]
    assert "OK" == (await ask("nobody", "/audit/v1/heartbeat")).json()["status"]


async def test_a_peer_reads_only_its_own_log_page_by_page(ask: Any) -> None:
    seen, cursor = [], ""
    for _ in range(3):
        answer = (await ask("dpo", "/fsc/v1/logs", {"limit": 1, "cursor": cursor})).json()
        assert [] == faults(answer, PUBLISHED["fsc_logging"]["answer"])
        seen += [one["transaction_id"] for one in answer["records"]]
        cursor = answer["pagination"]["next_cursor"]
        if not cursor:
            break

    assert [f"00000000-0000-0000-0000-00000000000{n}" for n in (3, 1)] == seen
    assert [] == (await ask("dpo", "/fsc/v1/logs", {"transaction_ids": f"{2:032x}"})).json()["records"]


@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"limit": "x"}, {"sort_order": "UP"}, {"userCode": "1"}, {"transaction_ids": "zz"}]
)
async def test_a_wrong_question_of_a_peer_is_refused(ask: Any, query: dict[str, str]) -> None:
    assert 400 == (await ask("dpo", "/fsc/v1/logs", query)).status_code


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("export", {}),
        ("export", {"format": "pdf"}),
        ("export", {"format": "csv", "since": "yesterday"}),
        ("export", {"format": "csv", "cursor": "x"}),
        ("export", {"format": "csv", "limit": 100_000}),
        ("processing-activities", {"attributes": {"dpl.core.data_subject_id": "85.61"}}),
        ("processing-activities", {}),
        ("findUsage", {"offset": -1, "userCode": "85610100147"}),
        ("findUsage", {}),
    ],
)
async def test_a_wrong_question_is_refused_and_not_repeated(ask: Any, path: str, body: dict[str, Any]) -> None:
    answer = await ask("hub_dpo", f"/audit/v1/{path}", reason=WHY, **body)

    assert 400 == answer.status_code
    assert [] == [value for value in ("yesterday", "85.61", "100000", "85610100147") if value in answer.text]


async def test_who_is_not_known_is_told_nothing(ask: Any) -> None:
    paths = (
        "/audit/v1/export",
        "/audit/v1/processing-activities",
        "/audit/v1/findUsage",
        "/fsc/v1/logs",
        "/audit/v1/usagePeriod",
    )

    assert {401} == {(await ask("nobody", path)).status_code for path in paths}


# --- the command line -------------------------------------------------------------------------------------------------


def test_a_period_is_exported_beside_a_hub_that_runs(
    ledger: Ledger, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert 0 == main(["audit", "export", "ocsf", "--since", "2026-11-01", "--until", "2026-12-01T00:00:00Z"])
    events = [json.loads(line) for line in capsysbinary.readouterr().out.splitlines()]

    assert [6003] * 3 == [one["class_uid"] for one in events]


def test_an_export_goes_on_from_the_cursor_it_said(ledger: Ledger, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert 0 == main(["audit", "export", "csv", "--limit", "2", "--org", IXELLES])
    first = capsysbinary.readouterr()
    cursor = first.err.decode().split()[-1]
    write(ledger, IXELLES, BERT, 4)
    assert 0 == main(["audit", "export", "csv", "--org", IXELLES, "--cursor", cursor])
    rows = list(csv.DictReader(io.StringIO((first.out + capsysbinary.readouterr().out).decode())))

    assert [f"{n:032x}" for n in (1, 3, 4)] == [row["Exchange"] for row in rows]


def test_names_are_opened_only_by_somebody_with_a_reason(
    ledger: Ledger, capsysbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> None:
    assert 1 == main(["audit", "export", "csv", "--names"])
    assert b"" == capsysbinary.readouterr().out
    assert 0 == main(["audit", "export", "csv", "--names", "--by", "dpo-1", "--reason", WHY])

    assert ANNA.id.encode() in capsysbinary.readouterr().out
    assert ["audit.export"] == looks(ledger, tmp_path, BERT)
