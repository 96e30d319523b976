"""Every source with every illness the mocks can give it: the caller is told the truth, which is never a false "no".

A source that cannot be reached is a 503 that says when to come back; one that says what may not be believed is a 502;
neither is ever an empty answer or a 404. A composition says `unknown`, and why. All of it is in the ledger, with its reason,
and the moment the source is well again so is the answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from integrator.commands.sandbox import Sandbox
from integrator.directory import OWN
from mock_sources.faults import FAMILIES, FILE_VARIANTS, KINDS
from tests.flows.ledgers import Book, book
from tests.flows.questions import PERSON, SERVICES, Granted, one_each
from tests.flows.sandboxes import CONNECTOR_OF, DEBTS, SOURCES, Beside, Callers, Reply, beside, callers, heal, strike

DEADLINE = 1.2  # seconds; a source's own patience is 4 to 6
NAME_OF = {CONNECTOR_OF.get(source, source): source for source in SOURCES}  # connector -> as the mocks name it
SLOW = ("hang", "drip")  # each takes the whole deadline: played at all sources at once
HARMLESS = ("delay", "lognormal", "over_delivery")  # the true answer all the same

UNAVAILABLE = (503, "urn:problem-type:belgif:serviceUnavailable", "SOURCE_UNAVAILABLE")
THROTTLED = (503, "urn:problem-type:belgif:serviceUnavailable", "SOURCE_THROTTLED")
FAULT = (502, "urn:problem-type:belgif:badGateway", "SOURCE_FAULT")
WRONG_SUBJECT = (502, "urn:problem-type:belgif:badGateway", "WRONG_SUBJECT")
EXPECTED = {
    "hang": UNAVAILABLE, "drip": UNAVAILABLE, "reset": UNAVAILABLE, "http503": UNAVAILABLE, "truncated": UNAVAILABLE,
    "throttled": THROTTLED,
    "empty": FAULT, "malformed": FAULT, "content_type": FAULT, "soap_fault": FAULT,
    "expired_signature": FAULT, "wrong_signature": FAULT, "wrong_subject": WRONG_SUBJECT,
}  # fmt: skip
# A file that is not whole may still be being written, so it is worth asking again; a whole one with rubbish in it is not.
RUBBISH = "garbage_line"
# No answer can give itself away here. The list of municipalities is asked without a key, so there is no other subject; and
# the stranger whom the mocks name has no living wage: that "nothing", under the right number, is what a true one looks like.
UNNOTICED = {"address.municipalities": "best-wrong_subject", "livingWage.get": "ksz-wrong_subject"}

GATHERED = [one for one in one_each() if one.service.gather]
# What is in the house is never ill alone.
PLAIN = [one for one in one_each() if one.service.source not in (None, *OWN) and not one.service.gather]
REGISTRATIONS = next(one for one in PLAIN if one.service.name == "vehicle.registrations")
COMPOSED = [one for one in one_each() if one.service.is_composition]


@dataclass(frozen=True, slots=True)
class Illness:
    """A source, what ails it, and how the mocks are told."""

    source: str  # as the mocks name it
    kind: str
    more: Mapping[str, Any]

    def __str__(self) -> str:
        return "-".join([self.source, self.kind, *map(str, self.more.values())])

    @property
    def expected(self) -> tuple[int, str, str]:
        if self.source == "parking":
            return FAULT if self.more.get("variant") == RUBBISH else UNAVAILABLE
        if self.kind == "http500":  # REST sources tell it in their own protocol; before SOAP a gateway sends a page
            return FAULT if self.source in ("div", "best", "dimona", "cadastre", *DEBTS) else UNAVAILABLE
        return EXPECTED[self.kind]


def illnesses(source: str) -> list[Illness]:
    kinds = [kind for kind in FAMILIES if kind in KINDS[source] and kind not in HARMLESS]  # in one order everywhere
    if source == "parking":
        return [Illness(source, kind, {"variant": variant} if variant else {})
                for kind in kinds for variant in FILE_VARIANTS.get(kind, (None,))]  # fmt: skip
    found = [Illness(source, kind, {}) for kind in kinds if kind not in SLOW]
    if source in ("rr", "ksz"):  # the number asked is echoed beside a stranger's data; here the stranger's own is
        found.append(Illness(source, "wrong_subject", {"variant": "echo_other"}))
    return found


@pytest.fixture(scope="module")
def quick(hub: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Quick]:
    """A hub that waits no longer than DEADLINE, at the same sources; all of them are well before and after."""
    state = tmp_path_factory.mktemp("quick") / "state"
    no_token = Illness("div", "http503", {"at": "token"})
    with beside(hub, state, start=False, limits={"deadlineSeconds": DEADLINE}) as running:
        strike(hub.mocks, no_token.source, no_token.kind, **no_token.more)  # before the hub can have bought one
        running.start()
        yield from _quick(running, no_token)


def _quick(running: Beside, no_token: Illness) -> Iterator[Quick]:
    with book(running.settings) as read:
        doors = callers(running.running, running.settings, running.state / "callers")
        known = Quick(doors, read, running.mocks, _address_id(doors))
        known.without_token = known.ask_while(no_token, REGISTRATIONS)
        for _ in range(2):  # what the first round registered at the Bank, its list shows in the second and from then on
            for one in (*PLAIN, *GATHERED, *COMPOSED):
                known.healthy[one.id] = known.ask(one)
        yield known
        heal(running.mocks)
        doors.close()


@dataclass(slots=True)
class Quick:
    """The quick hub, and what its services answer while everybody is well."""

    doors: Callers
    ledger: Book
    mocks: str
    address_id: str
    healthy: dict[str, Reply] = field(default_factory=dict)
    without_token: tuple[Reply, list[dict[str, Any]]] | None = None  # asked of the DIV before it had given a token

    def ask(self, one: Granted, headers: Mapping[str, str] | None = None) -> Reply:
        number = {"addressId": self.address_id} if one.service.name == "address.get" else {}
        return self.doors.ask(
            one.service.name, {**one.question, **number}, purpose=one.purpose, organisation=one.organisation, headers=headers
        )  # fmt: skip

    def ask_while(self, illness: Illness, one: Granted) -> tuple[Reply, list[dict[str, Any]]]:
        """The reply while the source is ill, and what the ledger gained."""
        strike(self.mocks, illness.source, illness.kind, **illness.more)
        try:
            before = self.ledger.size()
            return self.ask(one), self.ledger.since(before)
        finally:
            heal(self.mocks, illness.source)


def _address_id(doors: Callers) -> str:
    found = doors.ask("address.search", PERSON["address"], purpose="building_permit")
    return str(found.body["items"][0]["addressId"])


def _plain_cases() -> Iterator[Any]:
    """Interleaved by service, so that no source is ill so often in a row that its circuit breaker opens."""
    for one in PLAIN:
        for illness in illnesses(NAME_OF[one.service.source or ""]):
            if UNNOTICED.get(one.service.name) == str(illness):
                continue
            yield pytest.param(one, illness, id=f"{one.service.name}-{illness}")


def _composed_cases() -> Iterator[Any]:
    for one in COMPOSED:
        for connector in sorted(one.sources):
            for illness in illnesses(NAME_OF[connector]):
                yield pytest.param(one, illness, id=f"{one.id}-{illness}")


@pytest.mark.parametrize(("one", "illness"), list(_plain_cases()))
def test_the_caller_hears_what_ails_the_source(one: Granted, illness: Illness, quick: Quick):
    reply, gained = quick.ask_while(illness, one)

    check_told(one, illness, reply)
    check_recorded(one, gained, reply, illness.expected[2])
    assert quick.healthy[one.id].body == quick.ask(one).body  # and well again


@pytest.mark.parametrize("kind", SLOW)
def test_nobody_waits_longer_than_the_deadline(kind: str, quick: Quick):
    """No matter of speed: what ends the waiting is the exchange's deadline, not a source's patience or ours."""
    asked = {NAME_OF[one.service.source or ""]: one for one in PLAIN if one.service.source != "parking_cards"}
    before = quick.ledger.size()
    for source in asked:
        strike(quick.mocks, source, kind)
    try:
        with ThreadPoolExecutor(len(asked)) as callers_at_once:
            replies = dict(zip(asked, callers_at_once.map(quick.ask, asked.values()), strict=True))
    finally:
        heal(quick.mocks, *asked)

    gained = quick.ledger.since(before)
    for source, one in asked.items():
        own = [entry for entry in gained if entry["trace_id"] == replies[source].trace]
        check_told(one, Illness(source, kind, {}), replies[source])
        check_recorded(one, own, replies[source], "SOURCE_UNAVAILABLE")
        waited = (own[1]["end_time"] - own[1]["start_time"]) / 1_000_000
        assert 0.9 * DEADLINE < waited < 2 * DEADLINE


def test_without_a_token_from_the_source_nothing_is_known(quick: Quick):
    """The token endpoint of the DIV fails: it was never asked, and that is what the caller hears."""
    assert quick.without_token is not None
    reply, gained = quick.without_token

    assert UNAVAILABLE == (reply.status, reply.body["type"], reply.body["code"])
    check_recorded(REGISTRATIONS, gained, reply, "SOURCE_UNAVAILABLE")


def check_told(one: Granted, illness: Illness, reply: Reply) -> None:
    """A problem that names the source, and when to come back where that helps."""
    assert "application/problem+json" == reply.headers["content-type"]
    assert illness.expected == (reply.status, reply.body["type"], reply.body["code"])
    assert one.service.source == reply.body["source"]
    if reply.status == 503:
        assert int(reply.headers["retry-after"]) == reply.body["retryAfterSec"] >= 1


def check_recorded(one: Granted, gained: list[dict[str, Any]], reply: Reply, reason: str) -> None:
    """An intent and an outcome that gave nothing, and why."""
    assert [("intent", one.service.name), ("outcome", one.service.name)] == [
        (entry["type"], entry["name"]) for entry in gained
    ]
    intent, outcome = gained
    assert {reply.trace} == {intent["trace_id"], outcome["trace_id"]}
    assert [intent["index"], outcome["index"]] == reply.entries
    assert (intent["index"], "Error", reason) == (outcome["intent_ref"], outcome["status"], outcome["reason_code"])
    assert ([], {"records": 0, "subjects": 0}) == (outcome["categories"], outcome["counts"])


@pytest.mark.parametrize("kind", ["delay", "lognormal"])
@pytest.mark.parametrize("one", PLAIN, ids=lambda one: one.service.name)
def test_a_source_that_is_only_slow_gives_the_same_answer(one: Granted, kind: str, quick: Quick):
    source = NAME_OF[one.service.source or ""]
    if source == "parking":
        source = "rr"  # a file is not slow; another source's slowness is nothing to it
    reply, _ = quick.ask_while(Illness(source, kind, {"ms": 40}), one)

    assert (200, quick.healthy[one.id].body) == (reply.status, reply.body)


# --- compositions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("one", COMPOSED, ids=lambda one: one.id)
def test_while_all_are_well_every_check_says_yes(one: Granted, quick: Quick):
    """So that a no further down could only come from the illness."""
    body = quick.healthy[one.id].body

    assert {"yes"} == {check["result"] for check in body["checks"]} | {body[one.service.answer_name]}


@pytest.mark.parametrize(("one", "illness"), list(_composed_cases()))
def test_a_composition_says_unknown_and_why(one: Granted, illness: Illness, quick: Quick):
    reply, gained = quick.ask_while(illness, one)
    status, _, code = illness.expected
    unknown = [check for check in reply.body["checks"] if check["result"] == "unknown"]

    assert (200, "unknown") == (reply.status, reply.body[one.service.answer_name])
    assert {"yes", "unknown"} >= {check["result"] for check in reply.body["checks"]}  # never a no
    assert [code] * len(unknown) == [check["reason"] for check in unknown] != []
    if status == 503:
        assert all(check["retryAfterSec"] >= 1 for check in unknown)
        assert max(check["retryAfterSec"] for check in unknown) == int(reply.headers["retry-after"])
    else:
        assert "retry-after" not in reply.headers
    assert code in {entry.get("reason_code") for entry in outcomes_of(gained, illness)}
    assert sorted(reply.entries) == [entry["index"] for entry in gained]
    assert verdicts(quick.healthy[one.id]) == verdicts(quick.ask(one))


def _gathered_cases() -> Iterator[Any]:
    for one in GATHERED:
        for source in sorted(SOURCES):
            if CONNECTOR_OF.get(source, source) == one.service.source:
                for illness in illnesses(source):
                    yield pytest.param(one, illness, id=f"{one.service.name}-{illness}")


@pytest.mark.parametrize(("one", "illness"), list(_gathered_cases()))
def test_a_body_that_is_ill_is_unknown_and_then_there_is_no_total(one: Granted, illness: Illness, quick: Quick):
    healthy = quick.healthy[one.id]
    reply, gained = quick.ask_while(illness, one)
    states = [said["state"] for said in reply.body["bodies"]]
    status, _, code = illness.expected
    kept = [said for said in reply.body["bodies"] if said["state"] == "known"]

    assert (200, 1, {"complete": False}) == (reply.status, states.count("unknown"), reply.body["total"])
    assert len(states) - 1 == len(kept) == len([said for said in kept if said in healthy.body["bodies"]])
    assert [code] == [entry["reason_code"] for entry in outcomes_of(gained, illness) if "reason_code" in entry]
    assert (status == 503) == ("retry-after" in reply.headers)
    assert healthy.body == quick.ask(one).body


def outcomes_of(gained: list[dict[str, Any]], illness: Illness) -> list[dict[str, Any]]:
    connector = CONNECTOR_OF.get(illness.source, illness.source)
    return [entry for entry in gained if entry["type"] == "outcome" and entry["source"]["service"] == connector]


def verdicts(reply: Reply) -> dict[str, str]:
    return {check["code"]: check["result"] for check in reply.body["checks"]}


# --- the header, for one question only --------------------------------------------------------------------------------


def test_a_scenario_in_a_header_strikes_that_question_alone(quick: Quick):
    one = next(one for one in PLAIN if one.service.name == "enterprise.get")

    ill = quick.ask(one, {"Integrator-Test-Scenario": "kbo.wrong_subject"})
    well = quick.ask(one)

    assert (WRONG_SUBJECT, 200) == ((ill.status, ill.body["type"], ill.body["code"]), well.status)


@pytest.mark.parametrize("one", PLAIN, ids=lambda one: one.service.name)
def test_a_scenario_for_another_source_is_nothing_to_this_one(one: Granted, quick: Quick):
    other = "best" if one.service.source != "best" else "kbo"

    assert 200 == quick.ask(one, {"Integrator-Test-Scenario": f"{other}.reset"}).status


# --- nothing, said by the source itself, is still an answer -----------------------------------------------------------

NOBODY = "83630388941"  # spook-zonder-spoor: a number that nobody bears


@pytest.mark.parametrize(
    ("service", "purpose", "organisation", "keys"),
    [
        ("person.get", "social_inquiry", "cpas-ixelles", {"ssin": NOBODY}),
        ("household.get", "social_inquiry", "cpas-ixelles", {"ssin": NOBODY}),
        ("enterprise.get", "enterprise_permit", "ixelles", {"enterpriseNumber": "1800999988"}),
        ("vehicle.titular", "administrative_fine", "ixelles", {"plateNumber": "1AZZ999"}),
    ],
    ids=["person", "household", "enterprise", "plate"],
)
def test_a_subject_that_the_source_does_not_know_is_a_404_of_its_own(
    service: str, purpose: str, organisation: str, keys: Mapping[str, Any], quick: Quick
):
    dossier = {"dossierReference": "FLOW-1"} if SERVICES[service].needs_dossier else {}

    reply = quick.doors.ask(service, {**keys, **dossier}, purpose=purpose, organisation=organisation)

    assert (404, "SUBJECT_NOT_FOUND") == (reply.status, reply.body["code"])


def test_no_hit_at_a_list_is_an_empty_list(quick: Quick):
    question = {"plateNumber": "1AZZ999", "dossierReference": "FLOW-1"}

    reply = quick.doors.ask("vehicle.registrations", question, purpose="administrative_fine")

    assert (200, {"items": []}) == (reply.status, reply.body)
