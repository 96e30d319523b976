"""Nothing acknowledged is lost: `kill -9` of the hub under load, and an end by SIGTERM, on both engines of the ledger.

Every answer that a caller received, refusals and failures too, names its entries; after the kill each of them is in the
ledger, in pairs, bearing the answer's trace and its digest. A kill proves engine and grouping, not the disk: the page
cache outlives a process.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import psycopg
import pytest

from audit.errors import ProofInvalid
from audit.log.receipts import open_receipt
from audit.tree.checkpoint import Checkpoint
from audit.tree.merkle import check_inclusion, inclusion_proof
from audit.tree.note import NoteVerifier, open_note
from audit.tree.tiles import TileHashes
from integrator import publishing
from integrator.commands import mock
from integrator.commands.sandbox import Sandbox
from tests.flows.ledgers import Book, book
from tests.flows.load import Load, Received, once_each, press, request
from tests.flows.questions import PERSON, granted
from tests.flows.sandboxes import CONNECTOR_OF, Beside, Callers, beside, callers, heal, strike
from tests.unit.audit.kit import ENGINES, POSTGRES, administrator

CONNECTIONS = 16
ROUNDS, SOAK = 2, 20
NO_SUCH_PERSON = "83630388941"  # spook-zonder-spoor
WATCHED = (
    "rr",
    "ksz",
    "div",
)  # a starting hub asks these nothing; the others, one public thing, to see that they are up
EXCHANGE = (
    "intent",
    "outcome",
    "denied",
    "unknown",
)  # the hub writes for itself too: the map of a day, a settled order
LIMITS = {"perApplication": 200}  # the load is one application's


@pytest.fixture(params=ENGINES)
def killable(request: pytest.FixtureRequest, hub: Sandbox, tmp_path: Path) -> Iterator[Beside]:
    """A hub on a ledger of its own, not started yet."""
    with engine(request.param) as ledger:
        chosen: dict[str, Any] = {"limits": LIMITS} | ({"ledger": ledger} if ledger else {})
        with beside(hub, tmp_path / "state", start=False, **chosen) as waiting:
            yield waiting


@contextmanager
def engine(name: str) -> Iterator[str | None]:
    """Where the ledger lies: None = in the hub's own folder; else a database of its own, dropped afterwards."""
    if name == "sqlite":
        yield None
        return
    database = f"flow_{uuid.uuid4().hex}"
    with administrator() as connection:  # skips loudly without a server; fails where CI is set
        connection.execute(f"CREATE DATABASE {database}")
    try:
        yield urlunsplit(urlsplit(POSTGRES)._replace(path=f"/{database}"))
    finally:
        with administrator() as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")


# --- what is asked ----------------------------------------------------------------------------------------------------


def questions(doors: Callers, running: Beside) -> list[bytes]:
    """Answers, verdicts, refusals and "not found", over all sources: whatever becomes an entry."""
    asked = [
        one
        for one in granted()
        if one.service.name in ("person.get", "household.get", "enterprise.get", "vehicle.registrations", "parking.cards.count")
        or one.id == "parking.residentPermit.checkEligibility-resident_permit"
    ]  # fmt: skip
    sent = [(one.service.name, one.question, one.purpose, one.organisation) for one in asked]
    unknown = {"ssin": NO_SUCH_PERSON, "dossierReference": "FLOW-1"}
    sent.insert(0, ("person.get", unknown, "social_inquiry", "cpas-ixelles"))
    sent.insert(9, ("household.get", {**unknown, "ssin": PERSON["ssin"]}, "parking_control", "ixelles"))  # denied
    return [as_bytes(doors, running, *each) for each in sent]


def as_bytes(doors: Callers, running: Beside, service: str, question: Mapping[str, Any], purpose: str, organisation: str) -> bytes:  # fmt: skip
    token = doors.client(purpose, organisation).token()
    method, path, body = doors.request(service, question)
    return request(method, path, body, host=f"127.0.0.1:{running.port}", token=token)


# --- what must be there -----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Evidence:
    """Everything that callers were told, over all rounds, and what was counted."""

    received: list[Received] = field(default_factory=list)
    rounds: int = 0
    dangling: int = 0  # intents that a kill left without an outcome

    def lost(self, read: Book) -> list[str]:
        """Each answer whose record is not what it must be, and why; empty = nothing was lost."""
        entries = read.since(0)
        wrong = [] if [entry["index"] for entry in entries] == list(range(len(entries))) else ["an index is missing"]
        for answer in self.received:
            wrong += [f"{answer.status} {why}" for why in _wounds(answer, read.shard, entries)]
        return wrong

    def forged(self, read: Book, last: int = 60) -> list[int]:
        """Indices of outcomes that do not commit to the bytes the caller has; of the last answers, nearest to the kill."""
        found = []
        for answer in [one for one in self.received if one.status == 200][-last:]:
            opened = [read.opened(index) for index in answer.entries]
            whole = [one for one in opened if one.entry["type"] == "outcome" and "parent_span_id" not in one.entry]
            found += [one.stored.index for one in whole if answer.digest != one.values["response_digest"]]
        return found


def _wounds(answer: Received, shard: str, entries: list[dict[str, Any]]) -> Iterator[str]:
    if not answer.entries or answer.shard != shard:
        yield "names no entries of this ledger"
        return
    if max(answer.entries) >= len(entries):
        yield "names an entry that is not there"
        return
    named = [entries[index] for index in answer.entries]
    if {answer.trace} != {entry["trace_id"] for entry in named}:
        yield "names entries of another exchange"
    kinds = [entry["type"] for entry in named]
    if kinds == ["denied"]:
        return
    intents = sorted(entry["index"] for entry in named if entry["type"] == "intent")
    outcomes = sorted(entry["intent_ref"] for entry in named if entry["type"] == "outcome")
    if not intents or intents != outcomes or len(named) != 2 * len(intents):
        yield f"has not an outcome for each intent: {kinds}"


def unsettled(read: Book) -> list[int]:
    """Intents to which no outcome and no `unknown` refers."""
    entries = read.since(0)
    settled = {entry["intent_ref"] for entry in entries if entry["type"] in ("outcome", "unknown")}
    return [entry["index"] for entry in entries if entry["type"] == "intent" and entry["index"] not in settled]


# --- kill -9 ----------------------------------------------------------------------------------------------------------


def kill_under_load(waiting: Beside, rounds: int, *, say: bool = False) -> Evidence:
    """Start, load, kill, read back; again on what the kill left."""
    evidence, chance = Evidence(), random.Random(os.urandom(8))
    asked: list[bytes] = []
    for _ in range(rounds):
        waiting.start()
        if not asked:
            doors = callers(waiting.running, waiting.settings, waiting.state / "callers")
            asked = questions(doors, waiting)  # tokens of minutes, believed by the next process too
            doors.close()
        load = asyncio.run(kill_after(waiting, asked, chance.uniform(0.2, 1.2)))
        assert load.received
        evidence.received += load.received
        evidence.rounds += 1
        with book(waiting.settings) as read:
            evidence.dangling += len(unsettled(read))
            assert [] == evidence.lost(read)
            assert [] == evidence.forged(read)
    if say:
        print(
            f"\n{evidence.rounds} kills, {len(evidence.received)} answers, 0 lost; {evidence.dangling} intents left open by a kill"
        )
    return evidence


async def kill_after(running: Beside, asked: list[bytes], seconds: float) -> Load:
    return await press(
        running.port, asked, connections=CONNECTIONS, seconds=seconds, then=lambda: running.kill() and None
    )


def test_kill_9_under_load_loses_no_answer(killable: Beside):
    """Three facts after the same kills, because a hub takes two seconds to start."""
    for source in WATCHED:
        mock.call("DELETE", f"{killable.mocks}/mock/requests/{source}")

    evidence = kill_under_load(killable, ROUNDS)

    assert {200, 403, 404} == {answer.status for answer in evidence.received}
    # A kill may leave an intent without its call, never a call without its intent.
    for source in WATCHED:
        reached, intents = calls_and_intents(killable, source)
        assert 0 < reached <= intents
    # Rule R6: what the source did is then not known, and the ledger says so instead of staying silent.
    killable.start()
    with book(killable.settings) as read:
        wait_until_settled(read)
        assert [] == evidence.lost(read)
    # What is published bears out every receipt that a caller went home with; the last checkpoint is signed at the end.
    killable.end()
    assert [] == unproved(killable, evidence)


@pytest.mark.soak
def test_twenty_times_kill_9_under_load_loses_no_answer(killable: Beside, capsys: pytest.CaptureFixture[str]):
    with capsys.disabled():
        evidence = kill_under_load(killable, SOAK, say=True)

    assert SOAK == evidence.rounds


def wait_until_settled(read: Book) -> None:
    deadline = time.monotonic() + 20
    while unsettled(read) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert [] == unsettled(read)


def unproved(ended: Beside, evidence: Evidence) -> list[int]:
    """Indices of receipts that are not those of their answers, or whose leaf the newest checkpoint does not include."""
    opened = publishing.open_logbook(ended.settings)
    try:
        [shard] = {answer.shard for answer in evidence.received}
        verifier = NoteVerifier(opened.log.vkey(shard))
        checkpoint = Checkpoint.parse(open_note(opened.log.checkpoint(shard), [verifier]).text)
        tiles = TileHashes(lambda path: opened.publication.read(f"{shard}/{path}"), checkpoint.size)
        wrong = []
        for answer in evidence.received:
            receipt = open_receipt(answer.receipt, [verifier])
            if receipt.index != max(answer.entries):
                wrong.append(receipt.index)
            proof = inclusion_proof(receipt.index, checkpoint.size, tiles)
            try:
                check_inclusion(receipt.index, checkpoint.size, receipt.leaf, proof, checkpoint.root)
            except ProofInvalid:
                wrong.append(receipt.index)
        return wrong
    finally:
        opened.store.close()


def calls_and_intents(killed: Beside, source: str) -> tuple[int, int]:
    """What reached a source, which counts it, and the intents that allowed it."""
    reached = mock.call("GET", f"{killed.mocks}/mock/requests/{source}")["questions"]
    connector = CONNECTOR_OF.get(source, source)
    with book(killed.settings) as read:
        intents = [entry for entry in read.since(0) if entry["type"] == "intent"]
    return reached, sum(entry["source"]["service"] == connector for entry in intents)


# --- SIGTERM ----------------------------------------------------------------------------------------------------------


def test_an_end_by_sigterm_answers_what_was_accepted(killable: Beside):
    """Eight questions are on their way at a source that takes its time; then the hub is told to end."""
    killable.start()
    doors = callers(killable.running, killable.settings, killable.state / "callers")
    one = next(one for one in granted() if one.id == "person.get-social_inquiry")
    asked = [as_bytes(doors, killable, one.service.name, one.question, one.purpose, one.organisation)] * 8
    doors.close()
    strike(killable.mocks, "rr", "delay", ms=1500)
    codes: list[int] = []

    def end_once_all_are_in() -> None:
        wait_for_in_flight(killable, len(asked))
        codes.append(killable.end())

    try:
        load = asyncio.run(once_each(killable.port, asked, then=end_once_all_are_in))
    finally:
        heal(killable.mocks, "rr")

    assert ([0], [200] * 8) == (codes, [answer.status for answer in load.received])
    assert (0, 0) == (load.torn, load.unanswered)
    with book(killable.settings) as read:
        assert ([], []) == (Evidence(load.received).lost(read), unsettled(read))


def wait_for_in_flight(running: Beside, count: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        metrics = httpx.get(f"{running.hub}/metrics", trust_env=False).text
        found = re.search(r"^integrator_exchange_in_flight(?:\{[^}]*\})? (\d+)", metrics, re.M)
        assert found is not None
        if int(found[1]) >= count:
            return
        time.sleep(0.05)
    raise AssertionError("the questions did not arrive")


def test_an_end_under_load_leaves_no_exchange_without_its_answer(killable: Beside):
    """Whatever the hub began it also said: each exchange of the ledger is one whose whole answer a caller holds."""
    assert 0 < end_under_load(killable, rounds=1)


@pytest.mark.soak
def test_twenty_ends_under_load_leave_no_exchange_without_its_answer(
    killable: Beside, capsys: pytest.CaptureFixture[str]
):
    answers = end_under_load(killable, SOAK)

    with capsys.disabled():
        print(f"\n{SOAK} ends by SIGTERM, {answers} answers, no exchange without its answer")


def end_under_load(waiting: Beside, rounds: int) -> int:
    """Start, load, SIGTERM, read back; the number of answers."""
    received: list[Received] = []
    chance = random.Random(os.urandom(8))
    asked: list[bytes] = []
    for _ in range(rounds):
        waiting.start()
        if not asked:
            doors = callers(waiting.running, waiting.settings, waiting.state / "callers")
            asked = questions(doors, waiting)
            doors.close()
        process = waiting.process
        assert process is not None
        seconds = chance.uniform(0.2, 1.2)
        load = asyncio.run(press(waiting.port, asked, connections=CONNECTIONS, seconds=seconds, then=process.terminate))
        received += load.received

        assert (0, 0) == (waiting.end(), load.torn)
        with book(waiting.settings) as read:
            told = {answer.trace for answer in received}
            began = {entry["trace_id"] for entry in read.since(0) if entry["type"] in EXCHANGE}
            assert set() == began - told
            assert ([], []) == (Evidence(received).lost(read), unsettled(read))
    return len(received)


# --- the checks themselves --------------------------------------------------------------------------------------------

TRACE = "0192f3a47c1e4d3a9b5e2f6a8c4d1e70"


def _entry(index: int, kind: str, **more: Any) -> dict[str, Any]:
    return {"index": index, "type": kind, "trace_id": TRACE, **more}


@pytest.mark.parametrize(
    ("entries", "wound"),
    [
        ([_entry(0, "intent")], "names an entry that is not there"),
        ([_entry(0, "intent"), _entry(1, "intent")], "has not an outcome for each intent: ['intent', 'intent']"),
        ([_entry(0, "intent"), _entry(1, "outcome", intent_ref=7)], "has not an outcome for each intent: ['intent', 'outcome']"),
        ([_entry(0, "intent"), {**_entry(1, "outcome", intent_ref=0), "trace_id": "f" * 32}], "names entries of another exchange"),
    ],
    ids=["outcome_gone", "two_intents", "outcome_of_another", "another_trace"],
)  # fmt: skip
def test_a_lost_entry_would_be_noticed(entries: list[dict[str, Any]], wound: str):
    assert [wound] == list(_wounds(Received(200, TRACE, "hub/1", (0, 1), ""), "hub/1", entries))


def test_an_answer_whose_record_is_whole_has_no_wound():
    entries = [_entry(0, "intent"), _entry(1, "outcome", intent_ref=0)]

    assert [] == list(_wounds(Received(200, TRACE, "hub/1", (0, 1), ""), "hub/1", entries))


def test_the_database_of_a_test_is_gone_afterwards():
    with engine("postgres") as url:
        assert url is not None
        name = urlsplit(url).path[1:]
        with psycopg.connect(url) as connection:
            assert (name,) == connection.execute("SELECT current_database()").fetchone()
    with administrator() as connection:
        assert [] == connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchall()
