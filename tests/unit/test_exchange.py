"""The one way through: nothing is asked before it is recorded, nothing answered before that is recorded too."""

from __future__ import annotations

import asyncio
import itertools
import json
from dataclasses import replace
from typing import Any

import pytest
import yaml

import audit
from integrator.contract import Reply
from integrator.errors import (
    LedgerUnwritable,
    PolicyDenied,
    SourceFault,
    SourceUnavailable,
    SubjectNotFound,
    SubjectReplaced,
    WrongSubject,
)
from integrator.exchange import Exchange
from integrator.gathered import Body
from integrator.mapping import Sheet
from integrator.metrics import Metrics
from integrator.model import Caller, LocalizedString, Request, Trace
from integrator.policy import compile_policies
from integrator.recording import Recorder
from integrator.services import compile_service

NUMBER, OTHER = "85660812341", "92671504761"
ORGANISATION = "0207000010"
TEXT = {"nl": "x", "fr": "x", "en": "x"}
NOW = 1_795_435_200.0  # 2026-11-23 12:00 UTC
traces = itertools.count(1)


class Source:
    """A source that says what a test tells it to, and remembers what it was asked and what was durable by then."""

    def __init__(self, ledger: audit.Ledger) -> None:
        self.says: dict[str, Any] = {}
        self.asked: list[Any] = []
        self.durable_before: list[list[str]] = []
        self._ledger = ledger

    async def ask(self, question):
        self.durable_before.append(kinds(self._ledger))
        self.asked.append(question)
        said = self.says.get(question.operation)
        if isinstance(said, Exception):
            raise said
        if said == "hang":
            await asyncio.sleep(60)
        return said if isinstance(said, Reply) else Reply(said)

    async def check(self):
        return None


def kinds(ledger):
    return [stored.kind for stored in ledger.store.read(ledger.shard)]


def entries(ledger):
    return [json.loads(stored.body) for stored in ledger.store.read(ledger.shard)]


def service(sheets, **data):
    return compile_service(
        {
            "title": TEXT,
            "route": f"POST /{data['service']}",
            "subject": {"key": "ssin", "type": "nrn"},
            "keys": {"ssin": {"type": "ssin", "required": True}},
        }
        | data,
        sheets,
        sandbox=frozenset(),
    )


def sheet(name, fields, **more):
    return Sheet(
        {
            "mapping": name,
            "source": "register",
            "operation": name,
            "document": "json",
            "about": {"key": "ssin", "at": "ssin"},
            "fields": fields,
        }
        | more,
        {},
    )


GRANTS = [
    {"service": "person", "keys": ["ssin"], "fields": ["name"]},
    {"service": "household", "keys": ["ssin"], "fields": ["members"], "use": "answersOnly"},
    {"service": "check", "keys": ["ssin"], "answers": ["alive", "together"]},
    {"service": "person", "keys": ["ssin"], "fields": ["deathDate", "name"], "use": "answersOnly"},
]


def policies(grants=GRANTS, **authorisation):
    data = {
        "purpose": "school", "title": TEXT, "why": TEXT, "dpv": "dpv:ServiceProvision", "retention": "Y10", "legalBasis": "eu-gdpr:A6-1-e",
        "processingActivity": "https://ropa.example/school/v1", "disclosure": {},
        "authorisations": [{"id": "school@1", "validFrom": "2026-01-01", "organisations": [ORGANISATION], "grants": grants} | authorisation],
    }  # fmt: skip
    return compile_policies([("school.yaml", yaml.safe_dump(data).encode())], {"organisations": {}, "groups": {}})


@pytest.fixture
def ledger(tmp_path):
    ledger = audit.Ledger(
        audit.open_store(f"sqlite:///{tmp_path}/ledger.db"),
        audit.FileKeyRing(tmp_path / "keys"),
        shard="hub/test/t/2026",
    )
    yield ledger
    ledger.close()
    ledger.store.close()


@pytest.fixture
def source(ledger):
    source = Source(ledger)
    source.says = {
        "person": {"ssin": NUMBER, "name": "Ann", "income": 1, "town": "21009"},
        "household": {"ssin": NUMBER, "members": [{"ssin": NUMBER}, {"ssin": OTHER}]},
    }
    return source


@pytest.fixture
def hub(ledger, source):
    sheets = {
        "person": sheet("person", {"name": {"at": "name"}, "deathDate": {"at": "death"}, "income": {"at": "income", "read": "integer"}}, facts={"municipality": {"at": "town"}, "secret": {"at": "secret", "read": "present"}}),
        "household": sheet("household", {"members": {"at": "members", "many": True, "record": {"ssin": {"at": "ssin"}}}}, facts={"people": {"at": "members/ssin", "many": True}}),
    }  # fmt: skip
    services = {
        "person": service(sheets, service="person", source="register", operation="person", mapping="person"),
        "household": service(sheets, service="household", source="register", operation="household", mapping="household"),
        "check": service(sheets, service="check", kind="composition", answer={"valid": "all"}, parts={
            "person": {"service": "person", "with": {"ssin": "$ssin"}, "fields": ["deathDate"]},
            "home": {"service": "household", "with": {"ssin": "$ssin"}, "fields": ["members"]},
        }, checks=[
            {"code": "alive", "title": TEXT, "source": "register", "rule": {"absent": "person.deathDate"}},
            {"code": "together", "title": TEXT, "source": "register", "rule": {"count": {"of": "home.members", "atLeast": 2}}},
        ]),
    }  # fmt: skip
    return Exchange(
        services,
        policies(),
        {"register": source},
        Recorder(ledger, Metrics()),
        Metrics(),
        lambda: NOW,
        lambda organisation: "21009",
        deadline=0.5,
    )


def request(name="person", **changes):
    trace = Trace(f"{next(traces):032x}", f"{next(traces):016x}")
    return Request(
        **(
            {
                "service": name,
                "caller": Caller(ORGANISATION, "counter", "school"),
                "keys": {"ssin": NUMBER},
                "trace": trace,
                "dossier": "2026-1",
            }
            | changes
        )
    )


async def test_the_answer_holds_what_is_granted_and_nothing_the_source_sent_along(hub):
    answer = await hub.answer(request())

    assert {"name": "Ann"} == answer.body == json.loads(answer.payload)


async def test_the_intent_is_durable_before_the_source_is_asked(hub, source):
    await hub.answer(request())

    assert [["intent"]] == source.durable_before


async def test_the_outcome_is_durable_before_the_answer_exists_and_names_its_intent(hub, ledger):
    answer = await hub.answer(request())
    intent, outcome = entries(ledger)

    assert (0, 1) == answer.entries
    assert ("intent", "outcome", 0) == (intent["type"], outcome["type"], outcome["intent_ref"])
    assert intent["span_id"] == outcome["span_id"]


async def test_a_denied_question_never_reaches_the_source_and_is_recorded(hub, source, ledger):
    with pytest.raises(PolicyDenied) as raised:
        await hub.answer(request(fields=frozenset({"income"})))

    assert "NOTHING_GRANTED" == raised.value.reason
    assert [] == source.asked
    assert ["denied"] == kinds(ledger)


@pytest.mark.parametrize("purpose", ["curiosity", ""])
async def test_an_unknown_purpose_is_denied_and_recorded(hub, ledger, purpose):
    with pytest.raises(PolicyDenied):
        await hub.answer(request(caller=Caller(ORGANISATION, "counter", purpose)))

    assert ["denied"] == kinds(ledger)


@pytest.mark.parametrize(
    ("said", "error", "code"),
    [
        (SourceUnavailable("register"), SourceUnavailable, "SOURCE_UNAVAILABLE"),
        ("hang", SourceUnavailable, "SOURCE_UNAVAILABLE"),
        ({"ssin": OTHER, "name": "Somebody Else"}, WrongSubject, "WRONG_SUBJECT"),
        ({"name": "Nobody"}, WrongSubject, "WRONG_SUBJECT"),
        (Reply(None), SubjectNotFound, "SUBJECT_NOT_FOUND"),
        (Reply(None, replaced_by=OTHER), SubjectReplaced, "SUBJECT_REPLACED"),
        (ValueError("a bug that quotes a name"), SourceFault, "SOURCE_FAULT"),
    ],
    ids=["down", "hangs", "another person", "about nobody", "not found", "replaced", "connector bug"],
)
async def test_what_goes_wrong_at_the_source_is_recorded_before_it_is_told(hub, source, ledger, said, error, code):
    source.says["person"] = said
    with pytest.raises(error) as raised:
        await hub.answer(request())

    assert code == entries(ledger)[1]["reason_code"]
    assert "quotes" not in str(raised.value)


async def test_the_replacing_number_is_told_only_to_who_may_know_the_number(hub, source):
    source.says["person"] = Reply(None, replaced_by=OTHER)
    with pytest.raises(SubjectReplaced) as raised:
        await hub.answer(request())

    assert raised.value.replaced_by is None


async def test_a_replaced_number_is_told_to_the_keeper_of_the_ledger_also_when_the_caller_may_not_know_it(hub, source):
    told = asyncio.get_running_loop().create_future()
    hub.recorder.on_replaced = lambda *said: told.get_loop().call_soon_threadsafe(told.set_result, said)
    source.says["person"] = Reply(None, replaced_by=OTHER)
    with pytest.raises(SubjectReplaced):
        await hub.answer(request())

    assert (("nrn", NUMBER), OTHER, "register") == await asyncio.wait_for(told, 5)


async def test_a_ledger_that_cannot_be_written_stops_the_question_before_the_source(hub, source, ledger):
    ledger.close()
    with pytest.raises(LedgerUnwritable):
        await hub.answer(request())

    assert [] == source.asked


async def test_a_ledger_that_breaks_between_question_and_answer_keeps_the_answer_back(hub, source, ledger):
    class Breaks(Source):
        async def ask(self, question):
            await asyncio.to_thread(ledger.close)
            return Reply({"ssin": NUMBER, "name": "Ann"})

    with pytest.raises(LedgerUnwritable):
        await replace(hub, connectors={"register": Breaks(ledger)}).answer(request())


async def test_no_entry_holds_a_person(hub, ledger):
    await hub.answer(request())
    await hub.answer(request("check"))
    bodies = b"".join(stored.body for stored in ledger.store.read(ledger.shard))

    assert not any(word in bodies for word in (NUMBER.encode(), OTHER.encode(), b"Ann", b'2026-1"'))


async def test_a_composition_gives_answers_and_no_field(hub):
    answer = await hub.answer(request("check"))

    assert ("yes", ["yes", "yes"]) == (answer.body["valid"], [check["result"] for check in answer.body["checks"]])
    assert {"valid", "checks"} == set(answer.body)


async def test_the_intents_of_a_wave_share_one_commit(hub, ledger):
    await hub.answer(request("check"))

    assert ["intent"] * 3 + ["outcome"] * 3 == kinds(ledger)
    assert 2 == ledger.transactions


async def test_a_part_that_is_down_makes_unknown_and_never_no(hub, source):
    source.says["household"] = SourceUnavailable("register")
    answer = await hub.answer(request("check"))

    assert ("unknown", 30) == (answer.body["valid"], answer.retry_after)
    assert ["yes", "unknown"] == [check["result"] for check in answer.body["checks"]]


async def test_a_caller_who_asks_one_check_causes_one_question(hub, source):
    answer = await hub.answer(request("check", fields=frozenset({"alive"})))

    assert ["person"] == [question.operation for question in source.asked]
    assert "valid" not in answer.body


async def test_a_grant_for_answers_only_releases_nothing_directly(hub, source):
    with pytest.raises(PolicyDenied) as raised:
        await hub.answer(request("household"))

    assert "ANSWERS_ONLY" == raised.value.reason


async def test_a_composition_whose_part_is_not_granted_is_denied_before_any_question(hub, source, ledger):
    bare = replace(hub, policies=policies([{"service": "check", "keys": ["ssin"], "answers": ["alive", "together"]}]))
    with pytest.raises(PolicyDenied):
        await bare.answer(request("check"))

    assert ([], ["denied"]) == (source.asked, kinds(ledger))


@pytest.mark.parametrize("town", ["21004", None], ids=["lives elsewhere", "nobody knows where"])
async def test_outside_its_territory_an_organisation_gets_nothing(hub, source, ledger, town):
    source.says["person"]["town"] = town
    bound = replace(
        hub, policies=policies([{"service": "person", "keys": ["ssin"], "fields": ["name"], "territory": "own"}])
    )
    with pytest.raises(PolicyDenied) as raised:
        await bound.answer(request())

    assert "TERRITORY" == raised.value.reason == entries(ledger)[1]["reason_code"]


async def test_everybody_disclosed_is_found_again_under_their_own_number(hub, ledger, tmp_path):
    released = replace(hub, policies=policies([{"service": "household", "keys": ["ssin"], "fields": ["members"]}]))
    await released.answer(request("household"))

    assert {"records": 1, "subjects": 2} == entries(ledger)[1]["counts"]


async def test_a_grant_that_lapses_is_refused_from_that_second(hub):
    clock = [NOW]
    lapsing = replace(hub, policies=policies(validUntil="2026-11-23"), now=lambda: clock[0])
    await lapsing.answer(request())
    clock[0] += 43_200
    with pytest.raises(PolicyDenied):
        await lapsing.answer(request())


# --- what alerts may know ---------------------------------------------------------------------------------------------


class Near:
    """Says what a test tells it to, and remembers what it was shown."""

    def __init__(self, question=(), answer=()):
        self.question, self.answer, self.shown = frozenset(question), frozenset(answer), []
        self.known = []

    async def know(self, caller):
        self.known.append(caller.agent)

    def of_question(self, caller, subject):
        return self.question

    def of_answer(self, caller, subject, people, values):
        self.shown.append((subject, tuple(people), dict(values)))
        return self.answer


AGENT = Caller(ORGANISATION, "counter", "school", "a.1")


async def test_how_near_the_agent_is_stands_in_codes_on_question_and_answer(hub, ledger):
    hub.recorder.closeness = Near(["SELF"], ["SELF", "FAMILY"])
    await hub.answer(request(caller=AGENT))

    assert [["SELF"], ["FAMILY", "SELF"]] == [entry["flags"] for entry in entries(ledger)]
    assert ["a.1"] == hub.recorder.closeness.known  # looked up before it is compared, once


async def test_a_refused_question_is_compared_too(hub, ledger):
    hub.recorder.closeness = Near(["SELF"])
    with pytest.raises(PolicyDenied):
        await hub.answer(request(caller=replace(AGENT, purpose="nothing")))

    assert [["SELF"]] == [entry["flags"] for entry in entries(ledger)]
    assert ["a.1"] == hub.recorder.closeness.known


async def test_nothing_is_compared_that_the_answer_does_not_give(hub):
    near = hub.recorder.closeness = Near()
    await hub.answer(request(caller=AGENT))

    assert [(("nrn", NUMBER), (), {"name": "Ann"})] == near.shown


async def test_without_an_agent_there_is_nobody_to_compare_with(hub, ledger):
    near = hub.recorder.closeness = Near(answer=["FAMILY"])
    await hub.answer(request())

    assert ([], [False, False]) == (near.shown, ["flags" in entry for entry in entries(ledger)])


async def test_what_the_parts_showed_is_said_of_the_whole_question_only(hub, ledger):
    hub.recorder.closeness = Near([], ["SAME_HOUSEHOLD"])
    await hub.answer(request("check", caller=AGENT))

    flagged = [("parent_span_id" in entry, entry["type"]) for entry in entries(ledger) if "flags" in entry]
    assert [(False, "outcome")] == flagged


async def test_what_an_answer_tells_is_handed_on_before_it_is_recorded(hub, ledger):
    learnt = []

    async def learn(call, outcome):
        learnt.append((call.subject, dict(outcome.values), kinds(ledger)))

    hub.recorder.learn = learn
    await hub.answer(request())

    assert [(("nrn", NUMBER), {"name": "Ann"}, ["intent"])] == learnt
async def test_a_source_outside_is_never_told_the_purpose_nor_the_case(hub, source):
    await hub.answer(request())

    assert (None, None) == (source.asked[0].purpose, source.asked[0].dossier)


async def test_a_source_of_the_house_is_told_the_purpose_of_the_token_and_the_case(hub, source):
    inside = replace(hub.services["person"], source="directory")
    at_home = replace(hub, services={"person": inside}, connectors={"directory": source})
    await at_home.answer(request())

    assert ("school", "2026-1", ORGANISATION) == (
        source.asked[0].purpose,
        source.asked[0].dossier,
        source.asked[0].organisation,
    )


# --- a source that is several bodies ------------------------------------------------------------------------------------

OWED = ("1970000516", "1982100968", "1992100975")


def owed(**more):
    """A service that asks three bodies; `about`: where its document says of whom it is."""
    fields = {
        "bodies": {"at": "bodies", "many": True, "record": {
            "creditor": {"at": "body/number"}, "state": {"at": "state"}, "amount": {"at": "amount"},
            "items": {"at": "items", "many": True, "record": {"amount": {"at": "amount"}}},
        }},
        "total": {"at": "total", "record": {"complete": {"at": "complete", "read": "boolean"}, "amount": {"at": "amount"}}},
    }  # fmt: skip
    sheets = {"owed": sheet("owed", fields, **more)}
    return service(sheets, service="owed", source="register", operation="owed", mapping="owed", gather={"items": "items", "sum": "amount"})  # fmt: skip


@pytest.fixture
def several(hub, source):
    """The same hub, with a service that asks three bodies; `source.says` is by body."""
    grants = [{"service": "owed", "keys": ["ssin"], "fields": ["bodies.state", "bodies.creditor", "bodies.items", "total"]}]
    source.says = {one: Reply({"bodies": [{"items": [{"amount": "0.10", "name": "Ann"}]}]}) for one in OWED}
    bodies = {"register": tuple(Body(one, LocalizedString(one, one, one)) for one in OWED)}
    return replace(
        hub,
        services={"owed": owed(about=[])},
        policies=policies(grants),
        bodies=bodies,
        connectors={"register": ByBody(source)},
    )


class ByBody:
    """Asks the source as if each body were an operation of it."""

    def __init__(self, source):
        self._source = source

    async def ask(self, question):
        return await self._source.ask(replace(question, operation=question.body))


async def test_every_body_is_asked_after_all_intents_are_durable_and_each_has_its_own(several, source, ledger):
    answer = await several.answer(request("owed"))
    found = entries(ledger)

    assert list(OWED) == sorted(one.body for one in source.asked)
    assert [["intent"] * 4] * 3 == source.durable_before
    assert [None, *OWED, *OWED, None] == [entry["source"].get("org") for entry in found]
    assert ["owed", *["register"] * 6, "owed"] == [entry["source"]["service"] for entry in found]
    assert [[]] * 3 == [entry["categories"] for entry in found[4:7]]
    assert {"complete": True, "amount": "0.30"} == answer.body["total"]
    assert [{"creditor": one, "state": "known", "items": [{"amount": "0.10"}]} for one in OWED] == answer.body["bodies"]


@pytest.mark.parametrize(
    "said",
    [SourceUnavailable("register"), SourceFault("register", "SCHEMA"), "hang", RuntimeError("x"), Reply({"bodies": [{"items": [{}]}]}),
     Reply({"bodies": [{"items": []}]}, incomplete=True)],
    ids=["down", "fault", "hang", "surprise", "no_amount", "more_may_exist"],
)  # fmt: skip
async def test_a_body_that_cannot_say_is_unknown_and_nothing_is_added_up(several, source, ledger, said):
    source.says[OWED[1]] = said
    answer = await several.answer(request("owed"))

    assert ["known", "unknown", "known"] == [one["state"] for one in answer.body["bodies"]]
    assert {"complete": False} == answer.body["total"]
    assert "items" not in answer.body["bodies"][1]
    assert ["Ok", "Error", "Ok", "Ok"] == [entry["status"] for entry in entries(ledger)[4:]]


async def test_a_body_that_says_it_has_nothing_is_known(several, source):
    source.says[OWED[0]] = Reply(None)
    answer = await several.answer(request("owed"))

    assert {"complete": True, "amount": "0.20"} == answer.body["total"]
    assert {"creditor": OWED[0], "state": "known"} == answer.body["bodies"][0]


async def test_what_cannot_be_read_together_has_an_outcome_for_everyone_too(several, ledger):
    unsaid = replace(several, services={"owed": owed()})  # whose document never says of whom it is
    with pytest.raises(WrongSubject):
        await unsaid.answer(request("owed"))

    assert [*["intent"] * 4, *["outcome"] * 4] == kinds(ledger)
    assert ["Ok", "Ok", "Ok", "Error"] == [entry["status"] for entry in entries(ledger)[4:]]


async def test_without_a_grant_no_body_is_asked(several, source, ledger):
    with pytest.raises(PolicyDenied):
        await several.answer(request("owed", caller=Caller("0207000011", "counter", "school")))

    assert ([], ["denied"]) == (source.asked, kinds(ledger))
