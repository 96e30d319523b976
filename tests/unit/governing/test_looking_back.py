"""What was asked, counted by shape; replayed under other texts; and the fields nobody used, taken out of the text."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import audit
from integrator import settings
from integrator.commands.policy.rooms import open_rooms
from integrator.errors import IntegratorError, SourceUnavailable
from integrator.exchange import Exchange
from integrator.governing.diet import diet, unused
from integrator.governing.narrowing import narrowed
from integrator.governing.proving import load_all_services, prove
from integrator.governing.replaying import replay, with_hours
from integrator.governing.texts import compile_texts
from integrator.governing.traffic import Given, Shape, Traffic, read_traffic
from integrator.metrics import Metrics
from integrator.model import Caller, Request, Trace
from integrator.places import parse_yaml
from integrator.policy import Policies
from integrator.policy.conditions import week_minute
from integrator.recording import Recorder
from tests.unit.audit.kit import ENGINES, engine_url
from tests.unit.governing.kit import BASE, IXELLES, NOON, SCHOOL, UCCLE, without_language

ORGANISATIONS, SERVICES = settings.organisations(), load_all_services()
OFFERS = {name: service.offers for name, service in SERVICES.items()}
ACTIVITY = "https://ropa.integrator.example/school_enrolment/v1"
FOREVER = 2**52
traces = itertools.count(1)
Ask = Callable[..., None]


class Down:
    async def ask(self, question: object) -> object:
        raise SourceUnavailable("rijksregister")

    async def check(self) -> None:
        return None


@pytest.fixture(params=ENGINES)
def recorded(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[audit.Store, Ask]]:
    """A ledger, and a hub (its sources down) that writes it: `ask(service, **how)`."""
    rooms = open_rooms()
    with engine_url(request.param, tmp_path) as url:
        store = audit.open_store(url)
        with audit.Ledger(store, audit.FileKeyRing(tmp_path / "keys"), shard="hub/test/t/2026") as ledger:
            hub = Exchange(
                rooms.services, rooms.policies, {"rijksregister": Down(), "ksz": Down()}, Recorder(ledger, Metrics()), Metrics(),
                lambda: NOON, lambda organisation: None,
            )  # fmt: skip

            def ask(service: str, purpose: str = SCHOOL, organisation: str = IXELLES, **how: Any) -> None:
                trace = Trace(f"{next(traces):032x}", f"{next(traces):016x}")
                caller = Caller(organisation, "counter", purpose)
                question = Request(service, caller, {"ssin": "85610100147"}, trace, dossier="case/1", **how)
                with pytest.raises(IntegratorError):
                    asyncio.run(hub.answer(question))

            yield store, ask
        store.close()


def test_questions_are_counted_by_shape_with_keys_and_fields_and_nothing_of_anybody(
    recorded: tuple[audit.Store, Ask],
) -> None:
    store, ask = recorded
    ask("person.get")
    ask("person.get")
    ask("person.get", fields=frozenset({"familyName", "85610100147"}))  # what a caller invents is not a field
    ask("household.get", history=True)
    ask("person.get", purpose="curiosity")

    found = read_traffic(store, 0, FOREVER).asked

    assert {
        ("person.get", None, False, "permit"): 2,
        ("person.get", ("familyName",), False, "permit"): 1,
        ("household.get", None, True, "HISTORY_NOT_GRANTED"): 1,
        ("person.get", None, False, "UNKNOWN_PURPOSE"): 1,
    } == {
        (s.service, tuple(sorted(s.fields)) if s.fields is not None else None, s.past, s.outcome): n
        for s, n in found.items()
    }
    assert {frozenset({"ssin"})} == {shape.keys for shape in found}
    assert b"85610100147" not in b"".join(stored.body for stored in store.read("hub/test/t/2026"))


def test_only_what_was_asked_in_the_time_is_counted(recorded: tuple[audit.Store, Ask]) -> None:
    store, ask = recorded
    for _ in range(3):
        ask("person.get")
    times = [stored.ts for stored in store.read("hub/test/t/2026") if stored.kind == "intent"]

    assert [3, 1, 0] == [
        read_traffic(store, *period).exchanges for period in ((0, FOREVER), (times[1], times[2]), (0, times[0]))
    ]


def shape(**changed: Any) -> Shape:
    told = {
        "org": IXELLES, "app": "counter", "activity": ACTIVITY, "service": "person.get", "keys": frozenset({"ssin"}),
        "fields": None, "past": False, "part": False, "policy": f"{SCHOOL}@2026-1", "outcome": "permit",
    }  # fmt: skip
    return Shape(**{**told, **changed})


def policies(**changed: bytes) -> Policies:
    return compile_texts({**BASE, **changed}, ORGANISATIONS)


def test_a_replay_says_who_loses_which_field_and_who_is_refused_and_who_gains() -> None:
    traffic = Traffic()
    traffic.asked.update(
        {
            shape(): 7,
            shape(org=UCCLE, fields=frozenset({"familyName"})): 5,
            shape(org="1970000417", outcome="NO_AUTHORISATION"): 3,
            shape(part=True): 99,
        }
    )
    text = without_language().replace(b"[group:municipalities]", b"[ixelles, '1970000417']")
    found = replay(traffic, policies(), policies(school_enrolment=text), SERVICES, NOON)

    assert (15, 0) == (found.calls, found.untouched)
    assert [
        ("1970000417", 3, {}, {"NO_AUTHORISATION": 3}, {}),
        (IXELLES, 7, {}, {}, {"language": 7}),
        (UCCLE, 5, {"NO_AUTHORISATION": 5}, {}, {}),
    ] == [(one.org, one.calls, one.refused, one.allowed, one.lost) for one in found.changes]


def test_a_composition_is_lost_when_one_of_its_parts_is() -> None:
    purpose = "resident_permit"
    text = BASE[purpose].replace(b"service: household.get", b"service: person.lifeStatus")
    traffic = Traffic()
    whole = shape(
        activity=f"https://ropa.integrator.example/{purpose}/v1", service="parking.residentPermit.checkEligibility",
        keys=frozenset({"ssin", "plateNumber", "address"}),
    )  # fmt: skip
    traffic.asked[whole] = 4
    found = replay(traffic, policies(), policies(resident_permit=text), SERVICES, NOON)

    assert [{"SERVICE_NOT_GRANTED": 4}] == [one.refused for one in found.changes]


def test_entries_from_before_keys_were_noted_are_judged_as_allowed_and_counted_apart() -> None:
    traffic = Traffic()
    traffic.asked[shape(keys=None)] = 2
    found = replay(traffic, policies(), policies(school_enrolment=without_language()), SERVICES, NOON)

    assert (2, [{"language": 2}]) == (found.assumed, [one.lost for one in found.changes])


YOUTH = "youth_support"
EVERE = ORGANISATIONS["organisations"]["cpas-evere"]["number"]
SUNDAY = NOON - NOON % 86_400 + 86_400 * ((3 - int(NOON // 86_400)) % 7) + 43_200  # 1970-01-01 was a Thursday


def youth(**changed: Any) -> Shape:
    return shape(org=EVERE, activity=f"https://ropa.integrator.example/{YOUTH}/v1", policy=f"{YOUTH}@2026-1", **changed)


def test_hours_are_held_against_when_it_was_asked_and_not_against_when_it_is_judged() -> None:
    traffic = Traffic()
    traffic.asked.update({youth(minute=10 * 60): 3, youth(minute=19 * 60): 2})  # on a Monday
    earlier = BASE[YOUTH].replace(b'to: "20:00"', b'to: "18:00"')
    found = replay(traffic, IN_FORCE, policies(youth_support=earlier), SERVICES, SUNDAY)

    assert (5, 3, 5) == (found.calls, found.untouched, found.unweighed)
    assert [{"OUTSIDE_HOURS": 2}] == [one.refused for one in found.changes]


def test_a_condition_of_which_the_refusal_says_that_it_was_not_met_is_not_taken_to_be_met() -> None:
    traffic = Traffic()
    traffic.asked[youth(minute=10 * 60, outcome="ROLE_NOT_ALLOWED")] = 4
    anybody = BASE[YOUTH].replace(b"        roles: [youth_worker]\n", b"")
    found = replay(traffic, IN_FORCE, policies(youth_support=anybody), SERVICES, SUNDAY)

    assert [{"ROLE_NOT_ALLOWED": 4}] == [one.allowed for one in found.changes]


def test_the_minute_is_counted_where_a_text_has_hours_and_nowhere_else(recorded: tuple[audit.Store, Ask]) -> None:
    store, ask = recorded
    ask("person.get")
    (entry,) = [stored for stored in store.read("hub/test/t/2026") if stored.kind == "intent"]
    minutes = [{one.minute for one in read_traffic(store, 0, FOREVER, timed=timed).asked} for timed in (frozenset(), frozenset({ACTIVITY}))]  # fmt: skip

    assert [{None}, {week_minute(entry.ts / 1e6)}] == minutes
    assert {f"https://ropa.integrator.example/{YOUTH}/v1"} == with_hours(IN_FORCE)


@given(
    st.lists(
        st.tuples(st.sampled_from([IXELLES, UCCLE, "1970000417"]), st.sampled_from(sorted(SERVICES)), st.booleans()),
        max_size=8,
    )
)
def test_the_same_texts_change_nothing_for_anybody(asked: list[tuple[str, str, bool]]) -> None:
    traffic = Traffic()
    for org, service, past in asked:
        traffic.asked[shape(org=org, service=service, past=past)] += 1
    found = replay(traffic, IN_FORCE, IN_FORCE, SERVICES, NOON)

    assert (len(asked), len(asked), ()) == (found.calls, found.untouched, found.changes)


IN_FORCE = policies()

# --- the diet


def test_a_field_is_asked_when_named_or_when_everything_was_and_used_when_given() -> None:
    traffic = Traffic()
    traffic.asked.update({shape(): 2, shape(fields=frozenset({"familyName"})): 5})
    traffic.given.update(
        {
            Given(IXELLES, "counter", f"{SCHOOL}@2026-1", "person.get", frozenset({"familyName", "language"})): 2,
            Given(IXELLES, "counter", f"{SCHOOL}@2026-1", "person.get", frozenset({"familyName"})): 5,
        }
    )
    found = {
        (one.service, one.field): (one.calls, one.asked, one.delivered) for one in diet(traffic, IN_FORCE, SERVICES)
    }

    assert [(7, 7, 7), (7, 2, 2), (7, 2, 0), (0, 0, 0)] == [
        found[place]
        for place in (
            ("person.get", "familyName"), ("person.get", "language"), ("person.get", "gender"), ("household.get", "members.relation"),
        )
    ]  # fmt: skip


def test_what_one_application_uses_is_unused_for_nobody_and_a_service_nobody_asked_is_left_alone() -> None:
    traffic = Traffic()
    for org, fields in ((IXELLES, {"familyName", "givenNames"}), (UCCLE, {"birthDate"})):
        traffic.asked[shape(org=org, fields=frozenset(fields))] = 1
        traffic.given[Given(org, "counter", f"{SCHOOL}@2026-1", "person.get", frozenset(fields))] = 1
    found = unused(diet(traffic, IN_FORCE, SERVICES), IN_FORCE, SERVICES)

    assert {SCHOOL: {f"{SCHOOL}@2026-1": {"person.get": {"ssin", "gender", "address", "language", "parents.familyName", "parents.givenNames"}}}} == found  # fmt: skip


def test_what_an_answer_rests_on_is_not_taken_out_from_under_it() -> None:
    traffic = Traffic()
    purpose = "resident_permit"
    traffic.asked[shape(activity=f"https://ropa.integrator.example/{purpose}/v1", policy=f"{purpose}@2026-1", fields=frozenset({"birthDate"}), part=True)] = 1  # fmt: skip
    found = unused(diet(traffic, IN_FORCE, SERVICES), IN_FORCE, SERVICES)

    assert "drivingLicenses" not in found.get(purpose, {}).get(f"{purpose}@2026-1", {}).get("person.get", ())


def _lines() -> Iterator[Any]:
    """Every line from which a field may go: nothing rests on it."""
    needed = {(grant.authorisation, part.service, name) for grant in _grants() for part in SERVICES[grant.service].parts_for(grant.fields) for name in part.fields}  # fmt: skip
    for code, text in sorted(BASE.items()):
        for entry in parse_yaml(code, text)["authorisations"]:
            for grant in entry["grants"]:
                names = grant.get("fields") or grant["answers"]
                free = [
                    name
                    for name in names
                    if not any((entry["id"], grant["service"], one) in needed for one in (name, name.split(".")[0]))
                ]
                if len(names) > 1 and free:
                    yield pytest.param(code, entry["id"], grant["service"], free[-1], id=f"{code} {grant['service']}")


def _grants() -> list[Any]:
    return [grant for purpose, org, _ in IN_FORCE.held() for grant in IN_FORCE.grants(purpose, org)]


ALONE = list(_lines())
TOGETHER = [[line.values for line in ALONE[first::3]] for first in range(3)]


def _sound_and_less(lines: Iterable[tuple[str, str, str, str]]) -> None:
    """Schema, cases, and every loosening breaks one: it could be proposed as it is. Comments stay where they are."""
    idle: dict[str, dict[str, dict[str, frozenset[str]]]] = {}
    for code, authorisation, service, field in lines:
        idle.setdefault(code, {}).setdefault(authorisation, {})[service] = frozenset({field})
    texts = {code: narrowed(BASE[code], names, OFFERS, ORGANISATIONS) for code, names in idle.items()}
    proof = prove(BASE, texts, date(2026, 11, 28))

    assert ([], True) == ([one for one in proof["findings"] if one["severity"] == "error"], proof["sound"])
    assert all(" gain" not in sentence for sentence in proof["differences"]["en"])
    for code, text in texts.items():
        assert [line for line in BASE[code].splitlines() if line.lstrip().startswith(b"#")] == [
            line for line in text.splitlines() if line.lstrip().startswith(b"#")
        ]


@pytest.mark.parametrize("lines", TOGETHER, ids=["first", "second", "third"])
def test_narrower_texts_are_sound_and_give_only_less(lines: list[tuple[str, str, str, str]]) -> None:
    """A third of the lines in one proof, as a proof reads all rooms however much has changed."""
    _sound_and_less(lines)


@pytest.mark.soak
@pytest.mark.parametrize(("code", "authorisation", "service", "field"), ALONE)
def test_a_narrower_text_alone_is_sound_and_gives_only_less(code: str, authorisation: str, service: str, field: str) -> None:  # fmt: skip
    _sound_and_less([(code, authorisation, service, field)])
