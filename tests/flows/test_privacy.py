"""Where personal data do not belong, none come: log lines, metrics, headers, problems, leaves of the ledger, process lists.

Several people, every service, every way in which a question can end. What is looked for is all that the mocks know of them:
numbers as digits and as people write them, plates, names, the street they live in. Answers themselves are not looked at
here: what they may hold is the matter of test_over_delivery.py.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import orjson
import pytest

from integrator.commands import mock
from integrator.commands.sandbox import Sandbox
from tests.flows.ledgers import Book, book
from tests.flows.questions import DOSSIER, SERVICES, Granted, elsewhere, granted, question_about
from tests.flows.sandboxes import CONNECTOR_OF, Beside, Callers, Reply, beside, callers, heal, strike

PEOPLE = (
    "vrolijke-eekhoorn",  # everything is known of her
    "eland-van-ver",  # Łoś-Großmann d’Évreux: letters that are written in more ways than one
    "discrete-vos",  # an address that may not be communicated
    "gehuurde-gans",  # drives what an enterprise holds
    "bakkende-mees",  # is an enterprise
    "laatste-hert",  # dead
    "stille-uil",  # a BIS number: real-looking
    "spook-zonder-spoor",  # a number that nobody bears
)
NOT_A_NEEDLE = frozenset({"de", "van", "der", "tot", "del", "la", "le", "rue", "the"})
PROBLEM = "application/problem+json"


@dataclass(slots=True)
class Traces:
    """All that a hub left behind after it was asked about these people."""

    people: list[dict[str, Any]]
    state: Path = Path()  # the hub's own folder
    replies: list[Reply] = field(default_factory=list)
    metrics: str = ""
    health: str = ""
    log: str = ""
    mocks_log: str = ""
    leaves: list[str] = field(default_factory=list)

    @property
    def needles(self) -> re.Pattern[str]:
        words = sorted({needle for person in self.people for needle in needles(person)}, key=len, reverse=True)
        return re.compile("|".join(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])" for word in words), re.I)

    def found(self, *texts: str) -> list[str]:
        """What stands there that should not; the findings, for whoever mends it."""
        return sorted({match for text in texts for match in self.needles.findall(text)})


def needles(person: Mapping[str, Any]) -> Iterator[str]:
    """Everything by which somebody could be known, as it might be written."""
    if "ssin" in person:
        number = person["ssin"]
        yield from (
            number,
            f"{number[:2]}.{number[2:4]}.{number[4:6]}-{number[6:9]}.{number[9:]}",
            number[:6] + "-" + number[6:],
        )
    for plate in person.get("plates", ()):
        yield from (plate, f"{plate[0]}-{plate[1:4]}-{plate[4:]}")
    for word in re.split(r"[\s'’]+", person.get("name", "")):
        if len(word) > 3 and word.lower() not in NOT_A_NEEDLE:
            yield from {word, quote(word), json.dumps(word)[1:-1], word.encode().decode("latin-1")}
    for street in person.get("address", {}).get("streetName", {}).values():
        yield from {street, quote(street)}
    yield from person.get("enterpriseNumbers", ())
    if "birthDate" in person:
        yield person["birthDate"]


@pytest.fixture(scope="module")
def traces(hub: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traces]:
    """A hub of its own, asked in every way, then ended: its log is whole."""
    state = tmp_path_factory.mktemp("privacy") / "state"
    found = mock.call("GET", f"{hub.mocks}/mock/personas?limit=100")["items"]
    left = Traces([person for person in found if person["slug"] in PEOPLE], state)
    with beside(hub, state) as running, book(running.settings) as read:
        doors = callers(running.running, running.settings, state / "callers")
        try:
            for person in left.people:
                left.replies += everything_asked(doors, person)
            left.replies += handed_in(doors, left.people)
            left.replies += ill_sources(doors, running, left.people[0])
            left.replies += clumsy_questions(doors, left.people)
            left.metrics = httpx.get(f"{running.hub}/metrics", trust_env=False).text
            left.health = httpx.get(f"{running.hub}/health", trust_env=False).text
            left.leaves = leaves_of(read)
        finally:
            heal(hub.mocks)
            doors.close()
            running.end()
        left.log = (state / "hub-1.log").read_text(encoding="utf-8")
        left.mocks_log = (hub.state / "mocks.log").read_text(encoding="utf-8")
    yield left


def leaves_of(read: Book) -> list[str]:
    """Bodies of all entries as they lie in the store, but for the digests: those are 43 signs of chance."""
    entries = read.since(0)
    assert {43} == {len(digest) for entry in entries for digest in entry.get("_sd", ())}
    return [
        json.dumps({name: value for name, value in entry.items() if name != "_sd"}, ensure_ascii=False)
        for entry in entries
    ]


def everything_asked(doors: Callers, person: Mapping[str, Any], source: str = "") -> Iterator[Reply]:
    """Each service once (of one source, where one is named); what there is no key for is not asked."""
    for one in one_per_service():
        question = question_about(one, person)
        if question is not None and (not source or source in one.sources):
            yield doors.ask(one.service.name, question, purpose=one.purpose, organisation=one.organisation)


def handed_in(doors: Callers, people: Sequence[Mapping[str, Any]]) -> Iterator[Reply]:
    """A message and a change about each of them, fetched by whoever follows; what has its effect later leaves traces too."""
    until = (datetime.now(UTC).date() + timedelta(days=9)).isoformat()

    def post(path: str, body: Mapping[str, Any], organisation: str) -> Reply:
        key = {"Idempotency-Key": str(uuid.uuid4())}
        return doors.send(
            "POST", path, orjson.dumps(body), purpose="file_update", organisation=organisation, headers=key
        )

    wish = {"service": "person.reportDifference", "mode": "pull", "endDate": until}
    following = post("/events/v1/subscriptions/create", wish, "ixelles")
    yield following
    for person in people:
        if "ssin" in person:
            about = {"ssin": person["ssin"], "dossierReference": DOSSIER}
            content = {"field": "name", "observed": person.get("name", "another")[:100]}
            report = {**about, "recipient": "1992100975", "content": content}
            yield post("/person/v1/differences/report", report, "cpas-ixelles")
            yield post("/person/v1/differences/report", report, "parking-agency")
            yield post("/person/v1/changes/announce", {**about, "changed": ["address"]}, "national-register")
    fetched = post("/events/v1/feed", {"subscriptionId": following.body["subscriptionId"]}, "ixelles")
    assert 200 == fetched.status and fetched.body["items"]
    yield fetched


def one_per_service() -> list[Granted]:
    """For each service the first way that a person's own key opens."""
    found: dict[str, Granted] = {}
    for one in granted():
        found.setdefault(one.service.name, one)
    return list(found.values())


def ill_sources(doors: Callers, running: Beside, person: Mapping[str, Any]) -> Iterator[Reply]:
    """Failures say more than answers, unless somebody saw to it that they do not."""
    for source, kind in (
        ("rr", "wrong_subject"), ("rr", "malformed"), ("rr", "soap_fault"), ("ksz", "wrong_subject"), ("ksz", "malformed"),
        ("ksz", "truncated"), ("kbo", "wrong_subject"), ("kbo", "malformed"), ("div", "wrong_subject"), ("div", "malformed"),
        ("div", "reset"), ("div", "http500"), ("best", "malformed"), ("best", "wrong_subject"),
    ):  # fmt: skip
        strike(running.mocks, source, kind)
        yield from everything_asked(doors, person, CONNECTOR_OF.get(source, source))
        heal(running.mocks, source)


def clumsy_questions(doors: Callers, people: list[dict[str, Any]]) -> Iterator[Reply]:
    """What callers do wrong, with somebody's data in the wrong place."""
    person = people[0]
    number, name = person["ssin"], person["name"]
    wrong = {"ssin": number, "dossierReference": DOSSIER}

    def post(body: Any, path: str = "/person/v1/persons/get", **headers: str) -> Reply:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return doors.send("POST", path, content, purpose="social_inquiry", organisation="cpas-ixelles", headers=headers)

    yield post({**wrong, "ssin": number[:-1] + "0"})  # a typing slip in the number
    yield post({**wrong, name: number})  # a name for a property
    yield post({**wrong, number: True})
    yield post({**wrong, "dossierReference": number})
    yield post({**wrong, "fields": [name]})
    yield post(json.dumps(wrong).encode()[:-2])  # broken JSON
    yield post(f"ssin={number}".encode(), **{"Content-Type": "application/x-www-form-urlencoded"})
    yield post(wrong, f"/person/v1/persons/{number}")
    yield post(wrong, f"/person/v1/persons/get?ssin={number}")
    yield post(wrong, f"/{quote(name)}")
    yield post(wrong, **{"BelGov-Trace-Id": number})
    yield post(wrong, **{"Accept-Language": number, "User-Agent": number, "Referer": f"https://desk.example/{number}"})
    yield post(wrong, **{"Integrator-Test-Scenario": f"rr.{number}"})
    yield post(wrong, Authorization=f"Bearer {number}")
    yield doors.send("GET", f"/enterprise/v1/enterprises/{number}", None, purpose="enterprise_permit")
    yield doors.ask("person.search", {"familyName": name, "birthDate": person["birthDate"], "dossierReference": DOSSIER},
                    purpose="administrative_fine")  # fmt: skip


def test_people_were_asked_about_in_every_way(traces: Traces):
    """Else nothing could be found anywhere, and nothing would be proved."""
    statuses = {reply.status for reply in traces.replies}

    assert len(PEOPLE) == len(traces.people)
    assert {200, 400, 401, 403, 404, 502, 503} <= statuses
    assert {one.service.name for one in one_per_service()} == {
        one.name for one in SERVICES.values() if not elsewhere(one)
    }
    assert [] != traces.found(*(reply.payload.decode() for reply in traces.replies if reply.status == 200))


def test_no_log_line_says_whom_it_was_about(traces: Traces):
    assert [] == traces.found(traces.log)


def test_every_log_line_is_one_json_object(traces: Traces):
    lines = traces.log.splitlines()

    assert {"listening", "stopping", "stopped"} <= {json.loads(line)["event"] for line in lines}


def test_no_metric_says_whom_it_was_about(traces: Traces):
    assert "integrator_" in traces.metrics
    assert [] == traces.found(traces.metrics, traces.health)


def test_no_header_says_whom_it_was_about(traces: Traces):
    assert [] == traces.found(
        *(f"{name}: {value}" for reply in traces.replies for name, value in reply.headers.items())
    )


def test_no_problem_says_whom_it_was_about(traces: Traces):
    problems = [reply.payload.decode() for reply in traces.replies if reply.headers["content-type"] == PROBLEM]

    assert problems
    assert [] == traces.found(*problems)


def test_no_leaf_of_the_ledger_says_whom_it_was_about(traces: Traces):
    assert {"intent", "outcome", "denied"} == {json.loads(leaf)["type"] for leaf in traces.leaves}
    assert [] == traces.found(*traces.leaves)


def test_the_sources_write_no_addresses_down(traces: Traces):
    """The DIV wants numbers in the query: that is its contract, and why nothing here keeps an access log."""
    assert "/mobility/registrations" not in traces.mocks_log
    assert [] == traces.found(traces.mocks_log)


def test_no_file_beside_the_ledger_holds_anybody(traces: Traces):
    """Applications, keys, settings: whatever the hub keeps in its state folder and is no database."""
    kept = [path for path in files_of(traces.state) if path.suffix not in (".db", ".db-wal", ".db-shm")]

    assert kept
    assert [] == traces.found(*(path.read_bytes().decode("latin-1") for path in kept))


def test_the_database_holds_nobody_in_clear(traces: Traces):
    """Subjects, names of callers and cases are sealed; only numbers are looked for, for words of four letters may be chance."""
    numbers = [person["ssin"].encode() for person in traces.people if "ssin" in person]
    files = [path for path in files_of(traces.state) if path.name.startswith("ledger.db")]

    assert files
    assert [] == [path.name for path in files for number in numbers if number in path.read_bytes()]


def files_of(state: Path) -> list[Path]:
    return [path for path in state.rglob("*") if path.is_file() and "mock" not in path.relative_to(state).parts]


@pytest.mark.parametrize(
    "text",
    ["about 84651797654", "84.65.17-976.54", "1-ABC-123", '{"name":"EEKHOORN"}', "/street/Rue%20de%20l%27Exemple"],
    ids=["number", "number_with_dots", "plate", "name", "street"],
)
def test_what_should_not_be_there_would_be_found(text: str):
    person = {"ssin": "84651797654", "name": "Vrolijke Joy Eekhoorn", "plates": ["1ABC123"],
              "address": {"streetName": {"fr": "Rue de l'Exemple"}}}  # fmt: skip

    assert [] != Traces([person]).found(text)
