"""Conditions on the way through: looked up only when they matter, never guessed, recorded whichever way they go."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import audit
from integrator.contract import Reply
from integrator.database import Database
from integrator.emergency import Emergencies, Rules, Store
from integrator.errors import ConditionUnknown, MalformedRequest, PolicyDenied, QuotaExceeded, SubjectReplaced
from integrator.exchange import Exchange
from integrator.keytypes import Pseudonym
from integrator.metrics import Metrics
from integrator.model import Caller
from integrator.pseudonyms import Pseudonyms
from integrator.quotas import Quotas, Table
from integrator.recording import Recorder
from tests.unit.test_exchange import (
    NOW,
    NUMBER,
    ORGANISATION,
    OTHER,
    Source,
    entries,
    kinds,
    policies,
    request,
    service,
    sheet,
)

PERSON = {"service": "person", "keys": ["ssin"], "fields": ["name"]}
TEXT = {"nl": "x", "fr": "x", "en": "x"}
CLERK = Caller(ORGANISATION, "counter", "school", "a.7f3", frozenset({"clerk"}), assurance="high")
WHY = "the child stands at the door"


class Directory:
    """Says what a test tells it to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.qualities: frozenset[str] | Exception = frozenset()
        self.asked: list[Any] = []

    async def __call__(self, *asked: Any) -> frozenset[str]:
        self.asked.append(asked)
        if isinstance(self.qualities, Exception):
            raise self.qualities
        return self.qualities


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
        "person": {"ssin": NUMBER, "name": "Ann", "birth": "2010-05-01", "parents": [{"ssin": OTHER}]},
        "search": {"found": [{"ssin": NUMBER, "name": "Ann"}, {"ssin": OTHER, "name": "Bea"}]},
    }
    return source


@pytest.fixture
def hub(ledger, source, tmp_path):
    born = {"at": "birth", "onlyFor": "minors"}
    sheets = {
        "person": sheet("person", {"ssin": {"at": "ssin"}, "name": {"at": "name"}, "deathDate": {"at": "death"}, "parents": {"at": "parents", "many": True, "record": {"ssin": {"at": "ssin"}}}}, facts={"birthDate": born}),
        "search": sheet("search", {"items": {"at": "found", "many": True, "record": {"ssin": {"at": "ssin"}, "name": {"at": "name"}}}}, about=[]),
    }  # fmt: skip
    services = {
        "person": service(sheets, service="person", source="register", operation="person", mapping="person"),
        "search": service(sheets, service="search", source="register", operation="search", mapping="search", keys={"name": {"type": "text", "required": True}}, subject={"type": "none"}, list="items"),
        "check": service(sheets, service="check", kind="composition", answer={"valid": "all"}, parts={
            "person": {"service": "person", "with": {"ssin": "$ssin"}, "fields": ["deathDate"]},
        }, checks=[{"code": "alive", "title": TEXT, "source": "register", "rule": {"absent": "person.deathDate"}}]),
    }  # fmt: skip
    quotas = Quotas(Table(Database(f"sqlite:///{tmp_path}/quotas.db", "quotas")), lambda: NOW)
    emergencies = Emergencies(Store(Database(f"sqlite:///{tmp_path}/emergency.db", "emergency")), Rules(), lambda: NOW)
    yield Exchange(
        services, policies(), {"register": source}, Recorder(ledger, Metrics()), Metrics(), lambda: NOW, lambda organisation: "21009",
        registered=Directory(), quotas=quotas, emergencies=emergencies, pseudonyms=Pseudonyms(bytes(64), "sandbox"),
    )  # fmt: skip
    quotas._table.database.close()
    emergencies.close()


def under(hub: Exchange, *grants: dict[str, Any], **changes: Any) -> Exchange:
    return replace(hub, policies=policies([*grants]), **changes)


async def refused(hub: Exchange, *asked: Any, **changes: Any) -> Any:
    with pytest.raises((PolicyDenied, ConditionUnknown)) as raised:
        await hub.answer(request(*asked, **changes))
    return raised.value


# --- how far back -----------------------------------------------------------------------------------------------------

PAST = {"service": "past", "keys": ["ssin", "quarters"], "fields": ["what"], "historyYears": 2}
QUARTERS = {"type": "quarters", "required": True, "max": 40}


@pytest.fixture
def past(hub, source):
    """The hub with a service about the past, whose source has something of five years ago and of last spring."""
    source.says["past"] = {
        "ssin": NUMBER,
        "done": [{"day": "2021-06-30", "what": "old"}, {"day": "2026-06-30", "what": "new"}],
    }
    record = {"what": {"at": "what"}}
    sheets = {"past": sheet("past", {"items": {"at": "done", "many": True, "ended": "day", "record": record}})}
    ssin = {"type": "ssin", "required": True}
    about_the_past = service(
        sheets, service="past", source="register", operation="past", mapping="past", list="items", history="quarters",
        keys={"ssin": ssin, "quarters": QUARTERS},
    )  # fmt: skip
    return replace(hub, services={**hub.services, "past": about_the_past})


def since(begin: str) -> dict[str, Any]:
    return {"ssin": NUMBER, "quarters": {"begin": begin, "end": "2026Q3"}}


async def test_a_service_about_the_past_reads_what_is_over_without_being_told(past, source, ledger):
    answer = await under(past, PAST).answer(request("past", keys=since("2024Q4")))

    assert ([{"what": "new"}], True) == (answer.body["items"], source.asked[0].history)
    assert [True] == [entry["asked"]["past"] for entry in entries(ledger) if entry["type"] == "intent"]


async def test_a_question_that_reaches_further_back_than_is_granted_is_refused_before_any_source(past, source, ledger):
    """It is 23 November 2026: 2024Q4 ends within the two years, 2024Q3 does not. Empty would say that there was nothing."""
    error = await refused(under(past, PAST), "past", keys=since("2024Q3"))

    assert ("TOO_FAR_BACK", [], ["denied"]) == (error.reason, source.asked, kinds(ledger))


async def test_the_past_of_a_service_about_nothing_else_must_be_granted(past):
    never = {**PAST, "historyYears": 0}

    assert "HISTORY_NOT_GRANTED" == (await refused(under(past, never), "past", keys=since("2026Q3"))).reason


def test_whether_the_past_is_wanted_is_not_asked_where_there_is_nothing_else(past):
    with pytest.raises(MalformedRequest) as raised:
        past.services["past"].read({**since("2026Q1"), "history": True, "dossierReference": "1"})

    assert ["/history"] == [issue.name for issue in raised.value.issues]


# --- before the call --------------------------------------------------------------------------------------------------

REGISTERED = {**PERSON, "registration": ["1", "2"]}


@pytest.mark.parametrize(
    ("grant", "caller", "reason"),
    [
        ({"roles": ["judge"]}, CLERK, "ROLE_NOT_ALLOWED"),
        ({"roles": ["judge"]}, Caller(ORGANISATION, "counter", "school"), "ROLE_NOT_ALLOWED"),
        ({"assurance": "substantial"}, replace(CLERK, assurance="low"), "ASSURANCE_TOO_LOW"),
        ({"assurance": "low"}, replace(CLERK, assurance=None), "ASSURANCE_TOO_LOW"),
        ({"hours": {"from": "14:00", "to": "18:00"}}, CLERK, "OUTSIDE_HOURS"),  # it is 13:00 in Brussels
        ({"hours": {"days": ["tue", "sat"]}}, CLERK, "OUTSIDE_HOURS"),
    ],
    ids=["another role", "no agent", "not surely enough", "not identified", "too early", "another day"],
)
async def test_a_condition_that_is_not_met_refuses_before_any_source_and_says_what_would_help(
    hub, source, ledger, grant, caller, reason
):
    error = await refused(under(hub, {**PERSON, **grant}), caller=caller)

    assert (reason, reason) == (error.reason, entries(ledger)[0]["reason_code"])
    assert 1 == len(error.changes)
    assert ([], ["denied"]) == (source.asked, kinds(ledger))


async def test_a_case_that_must_be_named_and_is_not(hub):
    assert "DOSSIER_MISSING" == (await refused(under(hub, {**PERSON, "dossier": True}), dossier=None)).reason
    assert await under(hub, {**PERSON, "dossier": True}).answer(request())


async def test_conditions_that_are_met_change_nothing(hub):
    strict = {
        **PERSON,
        "roles": ["clerk"],
        "assurance": "substantial",
        "hours": {"from": "13:00", "to": "14:00"},
        "dossier": True,
    }
    answer = await under(hub, strict).answer(request(caller=CLERK))

    assert {"name": "Ann"} == answer.body


async def test_without_a_file_about_somebody_nothing_is_asked(hub, source, ledger):
    error = await refused(under(hub, REGISTERED))

    assert "NOT_REGISTERED" == error.reason == entries(ledger)[0]["reason_code"]
    assert [] == source.asked
    assert ["registration"] == [change["kind"] for change in error.changes]


async def test_with_a_file_in_one_of_the_qualities_the_question_goes_through(hub):
    hub.registered.qualities = frozenset({"2", "7"})

    assert {"name": "Ann"} == (await under(hub, REGISTERED).answer(request())).body
    (asked,) = hub.registered.asked
    assert (ORGANISATION, NUMBER, "school", "2026-11-23") == (*asked[:3], asked[3].isoformat())


@pytest.mark.parametrize("registered", [None, RuntimeError("the directory is gone")], ids=["no directory", "it fails"])
async def test_a_directory_that_cannot_be_asked_is_neither_yes_nor_no(hub, source, ledger, registered):
    if registered is None:
        hub = replace(hub, registered=None)
    else:
        hub.registered.qualities = registered
    error = await refused(under(hub, REGISTERED))

    assert isinstance(error, ConditionUnknown) and error.retryable and error.recorded
    assert ("REGISTRATION_UNKNOWN", []) == (entries(ledger)[0]["reason_code"], source.asked)


async def test_nobody_is_looked_up_where_no_line_asks_for_it(hub):
    await under(hub, PERSON).answer(request())

    assert [] == hub.registered.asked


async def test_nobody_is_looked_up_for_a_question_that_is_refused_anyway(hub):
    await refused(under(hub, {**REGISTERED, "roles": ["judge"]}), caller=CLERK)

    assert [] == hub.registered.asked


async def test_a_question_about_nobody_in_particular_is_in_nobodys_files(hub):
    line = {"service": "search", "keys": ["name"], "fields": ["name"], "registration": ["1"]}

    assert "NOT_REGISTERED" == (await refused(under(hub, line), "search", keys={"name": "Ann"})).reason
    assert [] == hub.registered.asked


async def test_a_part_of_a_composition_has_conditions_too(hub, source):
    lines = [
        {"service": "check", "keys": ["ssin"], "answers": ["alive"]},
        {**REGISTERED, "fields": ["deathDate"], "use": "answersOnly"},
    ]

    assert "NOT_REGISTERED" == (await refused(under(hub, *lines), "check")).reason
    hub.registered.qualities = frozenset({"1"})
    assert "yes" == (await under(hub, *lines).answer(request("check"))).body["valid"]


async def test_a_grant_that_lapses_while_a_token_lives_is_refused_from_that_second(hub, source):
    midnight, clock = NOW + 43_200, [NOW + 43_199.9]
    lapsing = replace(hub, policies=policies([REGISTERED], validUntil="2026-11-23"), now=lambda: clock[0])
    hub.registered.qualities = frozenset({"1"})
    token = replace(CLERK)  # what the token says, and goes on saying
    await lapsing.answer(request(caller=token))
    clock[0] = midnight

    assert "EXPIRED" == (await refused(lapsing, caller=token)).reason
    assert 1 == len(source.asked)


# --- quotas -----------------------------------------------------------------------------------------------------------


async def test_one_question_too_many_waits_and_is_recorded(hub, source, ledger):
    limited = under(hub, {**PERSON, "limits": {"perDay": 2}})
    for _ in range(2):
        await limited.answer(request())
    error = await refused(limited)

    assert isinstance(error, QuotaExceeded) and 43_200 == error.retry_after
    assert ("denied", "QUOTA_EXCEEDED", 2) == (kinds(ledger)[-1], entries(ledger)[-1]["reason_code"], len(source.asked))


async def test_an_agent_who_used_up_his_share_leaves_the_others_theirs(hub):
    limited = under(hub, {**PERSON, "limits": {"perDay": 50, "perAgentPerDay": 1}})
    await limited.answer(request(caller=CLERK))

    assert "QUOTA_EXCEEDED" == (await refused(limited, caller=CLERK)).reason
    assert await limited.answer(request(caller=replace(CLERK, agent="b.1")))


async def test_a_refused_question_uses_nothing_up(hub):
    limited = under(hub, {**PERSON, "limits": {"perDay": 1}, "roles": ["clerk"]})
    for _ in range(3):
        await refused(limited, caller=replace(CLERK, roles=frozenset()))

    assert await limited.answer(request(caller=CLERK))


async def test_quotas_that_cannot_be_counted_are_neither_yes_nor_no(hub, source):
    error = await refused(under(hub, {**PERSON, "limits": {"perDay": 2}}, quotas=None))

    assert isinstance(error, ConditionUnknown) and "QUOTA_UNKNOWN" == error.reason
    assert [] == source.asked


# --- after the call ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minors", "born", "reason"),
    [
        ("only", "2010-05-01", None), ("only", "1980-05-01", "AGE"), ("exclude", "2010-05-01", "AGE"), ("exclude", "1980-05-01", None),
        ("only", None, "AGE"), ("exclude", None, "AGE"), ("exclude", "2008", "AGE"), ("exclude", "1980", None),
    ],
    ids=["child", "adult asked as child", "child asked as adult", "adult", "age unknown", "age unknown too", "eighteen or not", "only a year"],
)  # fmt: skip
async def test_a_person_of_an_age_the_purpose_does_not_cover(hub, source, ledger, minors, born, reason):
    source.says["person"] = {"ssin": NUMBER, "name": "Ann", **({"birth": born} if born else {})}
    bound = under(hub, {**PERSON, "minors": minors})
    if reason is None:
        assert {"name": "Ann"} == (await bound.answer(request())).body  # the date of birth itself stays inside
    else:
        assert reason == (await refused(bound)).reason == entries(ledger)[1]["reason_code"]


async def test_too_many_results_give_none(hub, ledger):
    line = {"service": "search", "keys": ["name"], "fields": ["name"]}
    wide, narrow = under(hub, {**line, "limits": {"results": 2}}), under(hub, {**line, "limits": {"results": 1}})

    assert 2 == len((await wide.answer(request("search", keys={"name": "A"}))).body["items"])
    assert "TOO_MANY_RESULTS" == (await refused(narrow, "search", keys={"name": "A"})).reason
    assert {"records": 0, "subjects": 0} == entries(ledger)[-1]["counts"]


async def test_inside_a_composition_who_is_not_covered_is_unknown_and_nothing_says_why(hub, ledger):
    lines = [
        {"service": "check", "keys": ["ssin"], "answers": ["alive"]},
        {**PERSON, "fields": ["deathDate"], "use": "answersOnly", "minors": "exclude"},
    ]
    answer = await under(hub, *lines).answer(request("check"))

    assert ("unknown", "NOT_COVERED") == (answer.body["valid"], answer.body["checks"][0]["reason"])
    assert "AGE" in [entry.get("reason_code") for entry in entries(ledger)]


# --- obligations ------------------------------------------------------------------------------------------------------

HIDDEN = {**PERSON, "fields": ["ssin", "name", "parents"], "obligations": {"pseudonymise": True}}


async def test_numbers_leave_as_pseudonyms_and_may_be_asked_with(hub, source):
    blind = under(hub, HIDDEN)
    answer = await blind.answer(request())
    again = await blind.answer(request(keys={"ssin": Pseudonym(answer.body["ssin"])}))

    assert NUMBER.encode() not in answer.payload and OTHER.encode() not in answer.payload
    assert answer.payload == again.payload
    assert [NUMBER, NUMBER] == [question.keys["ssin"] for question in source.asked]


async def test_a_pseudonym_of_another_organisation_is_a_wrong_number(hub, source, ledger):
    stranger = Pseudonym(hub.pseudonyms.of("0207000109", NUMBER))
    with pytest.raises(MalformedRequest) as raised:
        await under(hub, HIDDEN).answer(request(keys={"ssin": stranger}))

    assert ["invalidInput"] == [issue.kind for issue in raised.value.issues]
    assert ([], []) == (source.asked, kinds(ledger))


async def test_a_pseudonym_opens_nothing_for_a_purpose_that_gives_numbers(hub, source):
    mine = Pseudonym(hub.pseudonyms.of(ORGANISATION, NUMBER))

    assert (
        "KEY_NOT_GRANTED"
        == (await refused(under(hub, {**HIDDEN, "obligations": {"notify": ["dpo"]}}), keys={"ssin": mine})).reason
    )
    assert [] == source.asked


async def test_a_replacing_number_is_a_pseudonym_too(hub, source):
    source.says["person"] = Reply(None, replaced_by=OTHER)
    with pytest.raises(SubjectReplaced) as raised:
        await under(hub, HIDDEN).answer(request())

    assert hub.pseudonyms.of(ORGANISATION, OTHER) == raised.value.replaced_by


async def test_without_a_key_for_pseudonyms_no_number_leaves(hub, source):
    assert "PSEUDONYMS_UNKNOWN" == (await refused(under(hub, HIDDEN, pseudonyms=None))).reason
    assert [] == source.asked


async def test_who_must_be_told_stands_in_the_record_where_alerts_find_it(hub, ledger):
    await under(hub, {**PERSON, "obligations": {"notify": ["dpo"]}}).answer(request())

    assert [["NOTIFY_DPO"]] * 2 == [entry["flags"] for entry in entries(ledger)]


# --- emergencies ------------------------------------------------------------------------------------------------------

BREAKABLE = {**PERSON, "registration": ["1"], "roles": ["clerk"], "breakable": ["registration", "limits"]}


async def test_an_emergency_passes_a_breakable_condition_flagged_sealed_and_waiting_for_a_second_person(hub, ledger):
    answer = await under(hub, BREAKABLE).answer(request(caller=CLERK, emergency=WHY))
    intent, outcome = entries(ledger)
    (one,) = await hub.emergencies.known(None)

    assert {"name": "Ann"} == answer.body
    assert [["BREAK_GLASS", "NOT_REGISTERED"]] * 2 == [intent["flags"], outcome["flags"]]
    assert ("NOT_REGISTERED", "open", "a.7f3", 0) == (one.broken, one.state, one.agent, one.place)
    bodies = b"".join(stored.body for stored in ledger.store.read(ledger.shard))
    assert WHY.encode() not in bodies
    await under(hub, PERSON).answer(request(caller=CLERK))
    assert 1 == len(intent["_sd"]) - len(entries(ledger)[2]["_sd"])  # the justification is sealed beside it


async def test_an_emergency_does_not_pass_what_may_not_be_broken(hub, source):
    error = await refused(under(hub, BREAKABLE), caller=replace(CLERK, roles=frozenset()), emergency=WHY)

    assert "ROLE_NOT_ALLOWED" == error.reason
    assert ([], []) == (source.asked, await hub.emergencies.known(None))


async def test_an_emergency_gives_no_field_that_nobody_granted(hub, source):
    error = await refused(under(hub, BREAKABLE), caller=CLERK, emergency=WHY, fields=frozenset({"parents"}))

    assert ("NOTHING_GRANTED", []) == (error.reason, source.asked)


async def test_an_emergency_that_is_none_leaves_no_trace_of_one(hub, ledger):
    hub.registered.qualities = frozenset({"1"})
    await under(hub, BREAKABLE).answer(request(caller=CLERK, emergency=WHY))

    assert [] == await hub.emergencies.known(None)
    assert not [entry for entry in entries(ledger) if "flags" in entry]


async def test_nobody_unnamed_has_an_emergency(hub, source):
    error = await refused(
        under(hub, {**BREAKABLE, "roles": ["clerk"]}), caller=replace(CLERK, agent=None), emergency=WHY
    )

    assert ("EMERGENCY_NOT_ALLOWED", []) == (error.reason, source.asked)


async def test_the_third_emergency_that_nobody_confirmed_is_refused(hub):
    glass = under(hub, BREAKABLE)
    for _ in range(2):
        await glass.answer(request(caller=CLERK, emergency=WHY))

    assert "EMERGENCY_NOT_ALLOWED" == (await refused(glass, caller=CLERK, emergency=WHY)).reason


async def test_an_emergency_passes_a_limit_that_is_used_up(hub):
    hub.registered.qualities = frozenset({"1"})
    limited = under(hub, {**BREAKABLE, "limits": {"perDay": 1}})
    await limited.answer(request(caller=CLERK))
    await limited.answer(request(caller=CLERK, emergency=WHY))

    assert ["QUOTA_EXCEEDED"] == [one.broken for one in await hub.emergencies.known(None)]


async def test_a_directory_that_is_down_does_not_stop_an_emergency(hub):
    hub.registered.qualities = RuntimeError("gone")
    await under(hub, BREAKABLE).answer(request(caller=CLERK, emergency=WHY))

    assert ["REGISTRATION_UNKNOWN"] == [one.broken for one in await hub.emergencies.known(None)]


async def test_of_a_composition_only_the_whole_bears_the_flag_so_that_one_emergency_is_one_alert(hub, ledger):
    lines = [
        {"service": "check", "keys": ["ssin"], "answers": ["alive"]},
        {**BREAKABLE, "fields": ["deathDate"], "use": "answersOnly"},
    ]
    await under(hub, *lines).answer(request("check", caller=CLERK, emergency=WHY))

    assert [True, False] == ["flags" in entry for entry in entries(ledger) if entry["type"] == "intent"]
    assert 1 == len(await hub.emergencies.known(None))


async def test_an_emergency_that_could_not_be_recorded_was_none(hub, ledger, source):
    ledger.close()
    with pytest.raises(Exception, match="ledger"):
        await under(hub, BREAKABLE).answer(request(caller=CLERK, emergency=WHY))

    assert ([], []) == (source.asked, await hub.emergencies.known(None))
